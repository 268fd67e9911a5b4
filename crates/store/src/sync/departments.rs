//! *Remove departments when synchronising users*, as iP's settings page calls it.

use sqlx::PgConnection;

use super::Run;
use crate::Error;

/// Archives the department assignments of everybody that was synced, each of them as a change
/// of the person.
pub(super) async fn clear(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    if !run.rules.clears_departments {
        return Ok(());
    }
    sqlx::query!(
        r#"
        WITH cleared AS (
            SELECT d.department_id, d.staff_id, m.wonde_id
            FROM stage_match m
            JOIN department_staff d ON d.staff_id = m.staff_id AND d.archived_at IS NULL
            WHERE m.job_id = $1 AND m.issue IS NULL
        ), recorded AS (
            INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value)
            SELECT $1, staff_id, wonde_id, 'department_id', department_id::text FROM cleared
            ORDER BY staff_id, department_id
        )
        UPDATE department_staff d SET archived_at = now()
        FROM cleared c
        WHERE NOT $2 AND d.department_id = c.department_id AND d.staff_id = c.staff_id
        "#,
        run.lease.job_id.0,
        run.dry_run,
    )
    .execute(db)
    .await?;
    Ok(())
}
