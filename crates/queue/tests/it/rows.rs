//! Plain queries to the database, for what no function of the store returns.
#![expect(
    clippy::disallowed_methods,
    reason = "checked queries of tests would need offline data of their own"
)]

use mis_sync_domain::JobId;
use mis_sync_store::Pool;
use sqlx::AssertSqlSafe;

/// Attempt number and outcome of every claim of a job, in order.
pub(crate) async fn attempts(pool: &Pool, job: JobId) -> Vec<(i32, Option<String>)> {
    let sql = "SELECT attempt, outcome FROM job_attempt WHERE job_id = $1 ORDER BY fence";
    sqlx::query_as(sql).bind(job.0).fetch_all(pool).await.unwrap()
}

/// A number.
pub(crate) async fn count(pool: &Pool, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    let (count,): (i64,) = sqlx::query_as(sql).fetch_one(pool).await.unwrap();
    count
}

/// Changes rows.
pub(crate) async fn change(pool: &Pool, sql: &str) {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap();
}
