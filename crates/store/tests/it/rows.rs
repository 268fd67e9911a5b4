//! Plain queries to the database, for what no function of the store returns.
#![expect(
    clippy::disallowed_methods,
    reason = "checked queries of tests would need offline data of their own"
)]

use mis_sync_domain::{JobId, SchoolId};
use mis_sync_store::Pool;
use sqlx::{
    AssertSqlSafe, Decode, FromRow, PgConnection, Postgres, Type,
    migrate::Migrator,
    postgres::PgRow,
    types::chrono::{DateTime, Utc},
};
use uuid::Uuid;

/// A person in iP. `xmin` changes with every write of the row.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) wonde_id: Option<String>,
    pub(crate) upi: Option<String>,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) surname: String,
    pub(crate) initials: Option<String>,
    pub(crate) job_title: Option<String>,
    pub(crate) non_teaching: bool,
    pub(crate) line_manager_id: Option<Uuid>,
    pub(crate) active: bool,
    pub(crate) password_hash: String,
    pub(crate) password_reset_required: bool,
    pub(crate) mis_values: Option<serde_json::Value>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) xmin: String,
}

/// A row of `job_change` without its position.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Change {
    pub(crate) staff_id: Option<Uuid>,
    pub(crate) wonde_id: Option<String>,
    pub(crate) field: String,
    pub(crate) old_value: Option<String>,
    pub(crate) new_value: Option<String>,
}

/// Attempt number and outcome of every claim of a job, in order.
pub(crate) async fn attempts(pool: &Pool, job: JobId) -> Vec<(i32, Option<String>)> {
    let sql = "SELECT attempt, outcome FROM job_attempt WHERE job_id = $1 ORDER BY fence";
    sqlx::query_as(sql).bind(job.0).fetch_all(pool).await.unwrap()
}

/// The people of a school by surname.
pub(crate) async fn people(pool: &Pool, school: &SchoolId) -> Vec<Person> {
    let sql = "SELECT *, xmin::text AS xmin FROM staff WHERE school_id = $1 ORDER BY surname, id";
    sqlx::query_as(sql).bind(school.as_str()).fetch_all(pool).await.unwrap()
}

/// The change history of a job.
pub(crate) async fn changes(pool: &Pool, job: JobId) -> Vec<Change> {
    let sql = "SELECT * FROM job_change WHERE job_id = $1 ORDER BY position";
    sqlx::query_as(sql).bind(job.0).fetch_all(pool).await.unwrap()
}

/// Makes an account by hand, as the app does before a school is connected. It has not been used
/// yet.
pub(crate) async fn make_account(pool: &Pool, school: &SchoolId, email: &str, upi: Option<&str>) {
    make_named_account(pool, school, email, upi, "By").await;
    let sql = "UPDATE staff SET password_reset_required = true WHERE email = $1";
    sqlx::query(sql).bind(email).execute(pool).await.unwrap();
}

/// What a larger school's lists would have shown.
pub(crate) async fn lists_name_managers(pool: &Pool) {
    sqlx::query("UPDATE school SET hierarchy_lists = 'managers'").execute(pool).await.unwrap();
}

/// Makes an account by hand for a person with this forename, who has a password of their own.
pub(crate) async fn make_named_account(
    pool: &Pool,
    school: &SchoolId,
    email: &str,
    upi: Option<&str>,
    first_name: &str,
) {
    let sql = "INSERT INTO staff (id, school_id, upi, email, first_name, surname, password_hash,
            password_reset_required)
        VALUES ($1, $2, $3, $4, $5, 'Hand', 'a hash', false)";
    let query = sqlx::query(sql).bind(Uuid::now_v7()).bind(school.as_str()).bind(upi).bind(email);
    query.bind(first_name).execute(pool).await.unwrap();
}

/// The first column of the first row.
pub(crate) async fn value<T>(pool: &Pool, sql: &str) -> T
where
    T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    (T,): for<'r> FromRow<'r, PgRow>,
{
    let (value,): (T,) =
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_one(pool).await.unwrap();
    value
}

/// The first column of every row.
pub(crate) async fn texts(pool: &Pool, sql: &str) -> Vec<String> {
    let rows: Vec<(String,)> =
        sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await.unwrap();
    rows.into_iter().map(|(text,)| text).collect()
}

/// Changes rows, and returns how many.
pub(crate) async fn change(pool: &Pool, sql: &str) -> u64 {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(pool).await.unwrap().rows_affected()
}

/// Reverts every migration after `version`.
pub(crate) async fn migrate_down_to(pool: &Pool, version: i64) {
    let migrations = Migrator::new(std::path::Path::new("../../migrations")).await.unwrap();
    migrations.undo(pool, version).await.unwrap();
}

/// Tries to change rows, and returns the database's message if it refuses.
pub(crate) async fn try_change(pool: &Pool, sql: &str) -> Result<(), String> {
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(pool).await;
    done.map(|_| ()).map_err(|error| error.to_string())
}

/// Runs statements on one connection.
pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}
