//! The usual program: one upsert for each person, as one prepared statement. It comes in two
//! kinds: with one transaction around all of them, so that the disk is waited for once, and
//! with a commit for each of them, which is what a program does that says nothing.

use std::sync::Arc;

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{database, wire::Person};

/// For the program with one transaction.
pub(super) const TABLE: &str = "bench_row_by_row";
/// For the program that commits each row.
pub(super) const COMMITTED_TABLE: &str = "bench_row_by_row_committed";

/// The statement that writes one person.
pub(super) fn upsert_into(table: &str) -> Arc<str> {
    format!(
        "INSERT INTO {table} AS s (school_id, password_hash, id, wonde_id, upi, email,
            first_name, surname, initials, job_title, non_teaching)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET upi = excluded.upi,
            email = excluded.email, first_name = excluded.first_name, surname = excluded.surname,
            initials = excluded.initials, job_title = excluded.job_title,
            non_teaching = excluded.non_teaching, updated_at = now()
        WHERE (s.upi, s.email, s.first_name, s.surname, s.initials, s.job_title, s.non_teaching)
            IS DISTINCT FROM
            (excluded.upi, excluded.email, excluded.first_name, excluded.surname,
                excluded.initials, excluded.job_title, excluded.non_teaching)"
    )
    .into()
}

/// Writes a page with one statement for each person.
pub(super) async fn upsert(
    db: &mut PgConnection,
    upsert: &Arc<str>,
    school: &SchoolId,
    password_hash: &str,
    people: &[Person],
) -> Result<(), Failure> {
    for person in people {
        #[expect(clippy::disallowed_methods, reason = "the table is made for the measurement")]
        let statement = sqlx::query(AssertSqlSafe(Arc::clone(upsert)));
        statement
            .bind(school.as_str())
            .bind(password_hash)
            .bind(Uuid::now_v7())
            .bind(&person.wonde_id)
            .bind(&person.upi)
            .bind(&person.email)
            .bind(&person.first_name)
            .bind(&person.surname)
            .bind(&person.initials)
            .bind(&person.job_title)
            .bind(person.non_teaching)
            .execute(&mut *db)
            .await
            .map_err(database)?;
    }
    Ok(())
}
