//! People who left, and people who came back.

use mis_sync_domain::{Lease, SchoolId};
use sqlx::PgConnection;

use crate::Error;

/// Writes to the change history whom the school's policy deactivates; returns how many.
///
/// A leaver is somebody linked and active in iP whom the whole list did not show as current
/// staff. Whoever is current but was left out for another reason is none: they are staged as
/// present. Absence is never concluded from an empty list, nor from one with a record so
/// broken that nobody can say whose it is.
pub(super) async fn record(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
        SELECT f.job_id, s.id, s.wonde_id, 'active', 'true', 'false'
        FROM stage_fetch f
        JOIN staff s ON s.school_id = $2 AND s.active AND s.wonde_id IS NOT NULL
        WHERE f.job_id = $1 AND f.deactivates AND f.fetched > 0 AND f.nameless = 0
            -- NOT IN and not NOT EXISTS: it is hashed, whatever the planner expects.
            AND s.id NOT IN (
                SELECT staff_id FROM stage_match WHERE job_id = $1 AND staff_id IS NOT NULL)
            AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_present WHERE job_id = $1)
            AND (s.upi IS NULL OR s.upi NOT IN (
                SELECT upi FROM stage_present WHERE job_id = $1 AND upi IS NOT NULL))
        ORDER BY s.id
        "#,
        lease.job_id.0,
        school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Deactivates the people that [`record`] found: they can no longer log in, and nothing
/// else of them changes.
pub(super) async fn deactivate(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE staff s SET active = false, updated_at = now()
        FROM job_change c
        WHERE c.job_id = $1 AND c.field = 'active' AND c.new_value = 'false' AND s.id = c.staff_id
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
