//! As of when iP holds what the MIS says of each person.

use mis_sync_domain::StaffId;
use sqlx::PgConnection;

use super::Run;
use crate::Error;

/// Notes who was read. A full sync notes on the school that everybody was, and here only those
/// whom it did not deliver; who was fetched alone or in a delta is noted here.
pub(super) async fn note(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    if run.fetched.is_full { note_missed(db, run).await } else { note_delivered(db, run).await }
}

/// Notes that one person was read.
pub(super) async fn note_person(
    db: &mut PgConnection,
    run: &Run<'_>,
    staff_id: StaffId,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO staff_refresh AS r (staff_id, refreshed_at)
        SELECT $2, started_at FROM stage_fetch WHERE job_id = $1
        ON CONFLICT (staff_id) DO UPDATE
            SET refreshed_at = greatest(r.refreshed_at, excluded.refreshed_at)
        "#,
        run.lease.job_id.0,
        staff_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn note_delivered(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO staff_refresh AS r (staff_id, refreshed_at)
        SELECT m.staff_id, f.started_at
        FROM stage_match m JOIN stage_fetch f ON f.job_id = m.job_id
        WHERE m.job_id = $1 AND m.staff_id IS NOT NULL AND m.issue IS NULL
        ON CONFLICT (staff_id) DO UPDATE
            SET refreshed_at = greatest(r.refreshed_at, excluded.refreshed_at)
        "#,
        run.lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Until now the full sync before said when they were read, unless that one missed them as well.
async fn note_missed(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO staff_refresh AS r (staff_id, missed_at, refreshed_at)
        SELECT s.id, f.started_at, $3
        FROM stage_fetch f
        JOIN staff s ON s.school_id = $2 AND s.active AND s.wonde_id IS NOT NULL
        WHERE f.job_id = $1
            -- NOT IN and not NOT EXISTS: it is hashed, whatever the planner expects.
            AND s.id NOT IN (
                SELECT staff_id FROM stage_match
                WHERE job_id = $1 AND staff_id IS NOT NULL AND issue IS NULL)
            AND s.wonde_id NOT IN (
                SELECT wonde_id FROM stage_match WHERE job_id = $1 AND issue IS NULL)
        ON CONFLICT (staff_id) DO UPDATE SET missed_at = excluded.missed_at,
            refreshed_at = CASE WHEN r.missed_at IS DISTINCT FROM excluded.refreshed_at
                THEN greatest(r.refreshed_at, excluded.refreshed_at) ELSE r.refreshed_at END
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        run.fetched.last_full_sync_at,
    )
    .execute(db)
    .await?;
    Ok(())
}
