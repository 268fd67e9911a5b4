//! The usual program: one upsert for each person. It is treated kindly: one prepared statement,
//! and one transaction around all of them, so that the disk is waited for once.

use mis_sync_domain::SchoolId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{database, wire::Person};
use crate::exit::Failure;

pub(super) const TABLE: &str = "bench_row_by_row";

const UPSERT: &str = r"
    INSERT INTO bench_row_by_row AS s (school_id, password_hash, id, wonde_id, upi, email,
        first_name, surname, initials, job_title, non_teaching)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (school_id, wonde_id) DO UPDATE SET upi = excluded.upi, email = excluded.email,
        first_name = excluded.first_name, surname = excluded.surname,
        initials = excluded.initials, job_title = excluded.job_title,
        non_teaching = excluded.non_teaching, updated_at = now()
    WHERE (s.upi, s.email, s.first_name, s.surname, s.initials, s.job_title, s.non_teaching)
        IS DISTINCT FROM
        (excluded.upi, excluded.email, excluded.first_name, excluded.surname, excluded.initials,
            excluded.job_title, excluded.non_teaching)
";

/// Writes a page with one statement for each person.
pub(super) async fn upsert(
    db: &mut PgConnection,
    school: &SchoolId,
    password_hash: &str,
    people: &[Person],
) -> Result<(), Failure> {
    for person in people {
        #[expect(clippy::disallowed_methods, reason = "the table is made for the measurement")]
        let statement = sqlx::query(UPSERT);
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
