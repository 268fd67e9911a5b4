//! The least program that could do the work: fetch a page, parse it, upsert it, all in one
//! transaction. No job, no status: when it breaks off, someone has to notice.

use mis_sync_cli::Failure;
use mis_sync_domain::SchoolId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{database, wire::Person};

pub(super) const TABLE: &str = "bench_minimal";

const UPSERT: &str = r"
    INSERT INTO bench_minimal AS s (id, school_id, wonde_id, upi, email, first_name, surname,
        initials, job_title, non_teaching, password_hash)
    SELECT n.id, $1, n.wonde_id, n.upi, n.email, n.first_name, n.surname, n.initials,
        n.job_title, n.non_teaching, $2
    FROM UNNEST($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::boolean[])
        AS n (id, wonde_id, upi, email, first_name, surname, initials, job_title, non_teaching)
    ON CONFLICT (school_id, wonde_id) DO UPDATE SET upi = excluded.upi, email = excluded.email,
        first_name = excluded.first_name, surname = excluded.surname,
        initials = excluded.initials, job_title = excluded.job_title,
        non_teaching = excluded.non_teaching, updated_at = now()
    WHERE (s.upi, s.email, s.first_name, s.surname, s.initials, s.job_title, s.non_teaching)
        IS DISTINCT FROM
        (excluded.upi, excluded.email, excluded.first_name, excluded.surname, excluded.initials,
            excluded.job_title, excluded.non_teaching)
";

/// Writes a page with one statement.
pub(super) async fn upsert(
    db: &mut PgConnection,
    school: &SchoolId,
    password_hash: &str,
    people: &[Person],
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = people.iter().map(|_| Uuid::now_v7()).collect();
    let texts = |field: fn(&Person) -> &str| people.iter().map(field).collect::<Vec<_>>();
    let optional =
        |field: fn(&Person) -> Option<&str>| people.iter().map(field).collect::<Vec<_>>();
    let non_teaching: Vec<bool> = people.iter().map(|person| person.non_teaching).collect();
    #[expect(clippy::disallowed_methods, reason = "the table is made for the measurement")]
    let statement = sqlx::query(UPSERT);
    statement
        .bind(school.as_str())
        .bind(password_hash)
        .bind(ids)
        .bind(texts(|person| &person.wonde_id))
        .bind(optional(|person| person.upi.as_deref()))
        .bind(texts(|person| &person.email))
        .bind(texts(|person| &person.first_name))
        .bind(texts(|person| &person.surname))
        .bind(optional(|person| person.initials.as_deref()))
        .bind(optional(|person| person.job_title.as_deref()))
        .bind(non_teaching)
        .execute(db)
        .await
        .map_err(database)?;
    Ok(())
}
