//! The people of the list: what differs, who is new.

use mis_sync_domain::{IssueCode, Lease, SchoolId};
use ring::rand::SystemRandom;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Run, issues::Issues};
use crate::{Error, password::hash_of_a_forgotten_password};

/// Where nobody of a full list has a role though people had, access was withdrawn: job titles
/// stay as they are, and the school is told.
pub(super) async fn notice_withheld_roles(
    db: &mut PgConnection,
    run: &Run<'_>,
    issues: &mut Issues,
) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        UPDATE stage_fetch SET roles_withheld = true
        WHERE job_id = $1 AND updated_after IS NULL
            AND NOT EXISTS (
                SELECT FROM stage_staff WHERE job_id = $1 AND job_title IS NOT NULL)
            AND EXISTS (
                SELECT FROM stage_match m JOIN staff s ON s.id = m.staff_id
                WHERE m.job_id = $1 AND s.mis_values ->> 'job_title' IS NOT NULL)
        "#,
        run.lease.job_id.0,
    )
    .execute(db)
    .await?;
    if done.rows_affected() > 0 {
        issues.push_of_school(IssueCode::RolesWithheld);
    }
    Ok(())
}

/// Writes every field that differs to the change history; returns how many people differ, those
/// included of whom only the MIS' own values do.
pub(super) async fn record_changes(db: &mut PgConnection, lease: Lease) -> Result<u64, Error> {
    let differing = sqlx::query_scalar!(
        r#"
        WITH differing AS (
            SELECT t.*, s AS held FROM stage_target t JOIN staff s ON s.id = t.staff_id
            WHERE t.job_id = $1
                -- Most people are as they were; only the others are taken apart by field.
                AND (s.wonde_id, s.upi, s.email, s.first_name, s.surname, s.initials,
                        s.job_title, s.non_teaching, s.active, s.mis_values)
                    IS DISTINCT FROM
                    (t.wonde_id, t.upi, t.email, t.first_name, t.surname, t.initials,
                        t.job_title, t.non_teaching, t.active, t.mis_values)
        ), recorded AS (
            INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
            SELECT $1, t.staff_id, t.wonde_id, c.field, c.old_value, c.new_value
            FROM differing t
            CROSS JOIN LATERAL (VALUES
                ('wonde_id', (t.held).wonde_id, t.wonde_id),
                ('upi', (t.held).upi, t.upi),
                ('email', (t.held).email, t.email),
                ('first_name', (t.held).first_name, t.first_name),
                ('surname', (t.held).surname, t.surname),
                ('initials', (t.held).initials, t.initials),
                ('job_title', (t.held).job_title, t.job_title),
                ('non_teaching', (t.held).non_teaching::text, t.non_teaching::text),
                ('active', (t.held).active::text, t.active::text)
            ) AS c (field, old_value, new_value)
            WHERE c.old_value IS DISTINCT FROM c.new_value
            ORDER BY t.position
        )
        SELECT count(*) AS "count!" FROM differing
        "#,
        lease.job_id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(differing).unwrap_or_default())
}

/// Writes the people of whom a field differs, and nobody else.
pub(super) async fn update(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE staff s SET wonde_id = t.wonde_id, upi = t.upi, email = t.email,
            first_name = t.first_name, surname = t.surname, initials = t.initials,
            job_title = t.job_title, non_teaching = t.non_teaching, active = t.active,
            mis_values = t.mis_values, updated_at = now()
        FROM stage_target t
        WHERE t.job_id = $1 AND s.id = t.staff_id
            AND (s.wonde_id, s.upi, s.email, s.first_name, s.surname, s.initials,
                    s.job_title, s.non_teaching, s.active, s.mis_values)
                IS DISTINCT FROM
                (t.wonde_id, t.upi, t.email, t.first_name, t.surname, t.initials,
                    t.job_title, t.non_teaching, t.active, t.mis_values)
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Creates the people that iP does not have yet.
pub(super) async fn create(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<(), Error> {
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
        return Ok(());
    }
    let random = SystemRandom::new();
    let ids: Vec<Uuid> = new.iter().map(|_| Uuid::now_v7()).collect();
    let passwords: Vec<String> =
        new.iter().map(|_| hash_of_a_forgotten_password(&random)).collect();
    sqlx::query!(
        r#"
        WITH created AS (
            INSERT INTO staff (id, school_id, wonde_id, upi, email, first_name, surname, initials,
                job_title, non_teaching, mis_values, password_hash)
            SELECT n.id, $2, t.wonde_id, t.upi, t.email, t.first_name, t.surname, t.initials,
                t.job_title, t.non_teaching, t.mis_values, n.password_hash
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
    Ok(())
}

/// What [`create`] would do.
pub(super) async fn record_would_be_created(
    db: &mut PgConnection,
    lease: Lease,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, wonde_id, field)
        SELECT job_id, wonde_id, 'created' FROM stage_match
        WHERE job_id = $1 AND staff_id IS NULL AND issue IS NULL ORDER BY position
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
