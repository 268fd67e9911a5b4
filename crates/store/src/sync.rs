//! A staged school becomes iP's school: match, quarantine, compare, apply. Set-based, in one
//! transaction that ends the job as well. Readers see the school before or after, nothing
//! between; a dry run goes the same way and leaves out the last step.

mod matching;

use std::time::Duration;

use mis_sync_domain::{Lease, Report, SchoolId};
use ring::rand::SystemRandom;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Error, jobs, password::hash_of_a_forgotten_password};

/// How often a comparison is made anew when it met another school over a login.
const MAX_COLLISIONS: u32 = 3;

/// Compares what the job staged with what iP holds, applies the difference unless it is a
/// dry run, and ends the job.
///
/// `elapsed` gives the duration for the report. [`Error::LeaseLost`]: another run took over,
/// and nothing of this one was written.
pub async fn finish(
    pool: &PgPool,
    lease: Lease,
    school_id: &SchoolId,
    dry_run: bool,
    elapsed: impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut collisions = 0;
    loop {
        match try_finish(pool, lease, school_id, dry_run, &elapsed).await {
            // Another school's sync took a login after we had looked, or each waits for a
            // login that the other took. Looking again tells whose it is now, and that
            // record becomes an issue.
            Err(error)
                if (error.violates("staff_login") || error.is_deadlock())
                    && collisions < MAX_COLLISIONS =>
            {
                collisions += 1;
            }
            other => return other,
        }
    }
}

async fn try_finish(
    pool: &PgPool,
    lease: Lease,
    school_id: &SchoolId,
    dry_run: bool,
    elapsed: &impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut tx = pool.begin().await?;
    lock_school(&mut tx, school_id).await?;
    let fetched = read_fetch(&mut tx, lease).await?;

    let matched = matching::match_staff(&mut tx, lease, school_id).await?;
    let quarantined = matching::quarantine(&mut tx, lease, &matched).await?;
    let updated = record_changes(&mut tx, lease).await?;
    if updated > 0 && !dry_run {
        update_staff(&mut tx, lease).await?;
    }
    let created = match matched.unmatched {
        0 => 0,
        _ if dry_run => record_would_be_created(&mut tx, lease).await?,
        _ => create_staff(&mut tx, lease, school_id).await?,
    };
    let issues = record_issues(&mut tx, lease).await?;

    // A list that moved while it was read can deliver a person twice; they count once.
    let twice = fetched.staged - matched.records;
    let report = Report {
        fetched: fetched.records - twice,
        current: fetched.current - twice,
        created,
        updated,
        unchanged: matched.records - quarantined - created - updated,
        skipped: fetched.skipped + quarantined,
        issues,
        requests: fetched.requests,
        duration_ms: u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX),
        ..Report::default()
    };
    jobs::succeed(&mut tx, lease, &report).await?;
    if !dry_run {
        sqlx::query!("UPDATE school SET last_synced_at = now() WHERE id = $1", school_id.as_str())
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(report)
}

/// One writer at a time per school: a sync, and whoever refreshes one of its people.
async fn lock_school(db: &mut PgConnection, school_id: &SchoolId) -> Result<(), Error> {
    sqlx::query!("SELECT id FROM school WHERE id = $1 FOR NO KEY UPDATE", school_id.as_str())
        .fetch_optional(db)
        .await?;
    Ok(())
}

struct FetchCounts {
    records: u64,
    current: u64,
    skipped: u64,
    requests: u64,
    staged: u64,
}

/// The counts of a complete fetch. An incomplete one, or one that a crash of the database
/// emptied, is never applied.
async fn read_fetch(db: &mut PgConnection, lease: Lease) -> Result<FetchCounts, Error> {
    let row = sqlx::query!(
        r#"
        SELECT fetched, current, skipped, requests,
            (SELECT count(*) FROM stage_staff s WHERE s.job_id = $1) AS "staged!"
        FROM stage_fetch WHERE job_id = $1 AND fence = $2 AND complete
        "#,
        lease.job_id.0,
        lease.fence,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LeaseLost)?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(FetchCounts {
        records: count(row.fetched),
        current: count(row.current),
        skipped: count(row.skipped),
        requests: count(row.requests),
        staged: count(row.staged),
    })
}

/// Writes every field that differs to the change history; returns how many people that are.
async fn record_changes(db: &mut PgConnection, lease: Lease) -> Result<u64, Error> {
    let people = sqlx::query_scalar!(
        r#"
        WITH changed AS (
            INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
            SELECT t.job_id, s.id, t.wonde_id, c.field, c.old_value, c.new_value
            FROM stage_target t
            JOIN staff s ON s.id = t.staff_id
            CROSS JOIN LATERAL (VALUES
                ('wonde_id', s.wonde_id, t.wonde_id),
                ('upi', s.upi, t.upi),
                ('email', s.email, t.email),
                ('first_name', s.first_name, t.first_name),
                ('surname', s.surname, t.surname),
                ('initials', s.initials, t.initials),
                ('job_title', s.job_title, t.job_title),
                ('non_teaching', s.non_teaching::text, t.non_teaching::text)
            ) AS c (field, old_value, new_value)
            WHERE t.job_id = $1
                -- Most people are as they were; only the others are taken apart by field.
                AND (s.wonde_id, s.upi, s.email, s.first_name, s.surname, s.initials,
                        s.job_title, s.non_teaching)
                    IS DISTINCT FROM
                    (t.wonde_id, t.upi, t.email, t.first_name, t.surname, t.initials,
                        t.job_title, t.non_teaching)
                AND c.old_value IS DISTINCT FROM c.new_value
            ORDER BY t.position
            RETURNING staff_id
        )
        SELECT count(DISTINCT staff_id) AS "people!" FROM changed
        "#,
        lease.job_id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(people).unwrap_or_default())
}

/// Writes the people that the change history names, and nobody else.
async fn update_staff(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE staff s SET wonde_id = t.wonde_id, upi = t.upi, email = t.email,
            first_name = t.first_name, surname = t.surname, initials = t.initials,
            job_title = t.job_title, non_teaching = t.non_teaching, updated_at = now()
        FROM (SELECT DISTINCT wonde_id FROM job_change WHERE job_id = $1) c
        JOIN stage_target t ON t.job_id = $1 AND t.wonde_id = c.wonde_id
        WHERE s.id = t.staff_id
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Creates the people that iP does not have yet; returns how many.
async fn create_staff(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<u64, Error> {
    let new = sqlx::query_scalar!(
        r#"
        SELECT wonde_id FROM stage_match
        WHERE job_id = $1 AND staff_id IS NULL AND issue IS NULL ORDER BY position
        "#,
        lease.job_id.0,
    )
    .fetch_all(&mut *db)
    .await?;
    if new.is_empty() {
        return Ok(0);
    }
    let random = SystemRandom::new();
    let ids: Vec<Uuid> = new.iter().map(|_| Uuid::now_v7()).collect();
    let passwords: Vec<String> =
        new.iter().map(|_| hash_of_a_forgotten_password(&random)).collect();
    let created = sqlx::query!(
        r#"
        WITH created AS (
            INSERT INTO staff (id, school_id, wonde_id, upi, email, first_name, surname, initials,
                job_title, non_teaching, password_hash)
            SELECT n.id, $2, t.wonde_id, t.upi, t.email, t.first_name, t.surname, t.initials,
                t.job_title, t.non_teaching, n.password_hash
            FROM UNNEST($3::uuid[], $4::text[], $5::text[]) AS n (id, wonde_id, password_hash)
            JOIN stage_target t ON t.job_id = $1 AND t.wonde_id = n.wonde_id
            RETURNING id, wonde_id
        )
        INSERT INTO job_change (job_id, staff_id, wonde_id, field)
        SELECT $1, id, wonde_id, 'created' FROM created
        "#,
        lease.job_id.0,
        school_id.as_str(),
        &ids,
        &new,
        &passwords,
    )
    .execute(db)
    .await?;
    Ok(created.rows_affected())
}

/// What [`create_staff`] would do.
async fn record_would_be_created(db: &mut PgConnection, lease: Lease) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, wonde_id, field)
        SELECT job_id, wonde_id, 'created' FROM stage_match
        WHERE job_id = $1 AND staff_id IS NULL AND issue IS NULL ORDER BY position
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Keeps the problems that mapping and matching found; returns how many.
async fn record_issues(db: &mut PgConnection, lease: Lease) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO job_issue (job_id, code, wonde_id)
        SELECT job_id, code, wonde_id FROM (
            SELECT job_id, position, code, wonde_id FROM stage_issue WHERE job_id = $1
            UNION ALL
            SELECT job_id, position, issue, wonde_id FROM stage_match
            WHERE job_id = $1 AND issue IS NOT NULL
        ) found ORDER BY position
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
