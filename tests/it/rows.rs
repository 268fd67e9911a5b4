//! Reads the tables, as the iP app would.

#![expect(
    clippy::disallowed_methods,
    reason = "tests look at what is there; checked queries would need offline data for them"
)]

use mis_sync_testing::TestApp;
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgRow};

/// The rows that a query gives.
pub(crate) async fn select(app: &TestApp, sql: &str) -> Vec<PgRow> {
    sqlx::query(AssertSqlSafe(sql)).fetch_all(&app.pool).await.unwrap()
}

/// The one number that a query gives.
pub(crate) async fn number(app: &TestApp, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&app.pool).await.unwrap()
}

/// The one column of texts that a query gives.
pub(crate) async fn texts(app: &TestApp, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&app.pool).await.unwrap()
}

/// Writes by hand, as the iP app would.
pub(crate) async fn execute(app: &TestApp, sql: &str) {
    sqlx::query(AssertSqlSafe(sql)).execute(&app.pool).await.unwrap();
}

/// The same in a transaction of the test's own.
pub(crate) async fn execute_in(db: &mut PgConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql)).execute(db).await.unwrap();
}
