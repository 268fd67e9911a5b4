//! People who left, and people who came back.

use mis_sync_domain::{GuardCategory, IssueCode, Lease};
use sqlx::PgConnection;

use super::{Run, issues::Issues};
use crate::Error;

/// Writes to the change history whom the school's policy deactivates; returns how many.
///
/// A leaver is somebody linked and active in iP of whom the fetch says so: the full list has them,
/// but not as current staff, or a list or Wonde itself says that they are gone (`stage_gone`).
/// Whoever is merely not in the list is none, and nor is whoever is current but was left out for
/// another reason: they, or another record of theirs, are staged as present. Whoever's record means
/// somebody else, as a person decided, has left. Nobody is a leaver by a full list that has a record
/// so broken that nobody can say whose it is, nor by one that says nothing about anybody's
/// employment.
pub(super) async fn record(
    db: &mut PgConnection,
    run: &Run<'_>,
    upis: &[String],
    issues: &mut Issues,
) -> Result<u64, Error> {
    if run.fetched.records > 0 && run.fetched.employment_said == 0 {
        issues.push_of_school(IssueCode::EmploymentWithheld);
        return Ok(0);
    }
    if run.fetched.leaves_out(GuardCategory::Deactivated) {
        return Ok(0);
    }
    let done = sqlx::query!(
        r#"
        WITH gone AS (
            SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = 'employee'
                AND NOT EXISTS (SELECT FROM stage_fetch f
                    WHERE f.job_id = $1 AND f.updated_after IS NULL AND f.nameless > 0)
            UNION ALL
            SELECT o.wonde_id FROM stage_left_out o
            JOIN stage_fetch f ON f.job_id = $1 AND f.updated_after IS NULL AND f.nameless = 0
            WHERE o.job_id = $1
        )
        INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
        SELECT f.job_id, s.id, s.wonde_id, 'active', 'true', 'false'
        FROM stage_fetch f
        JOIN staff s ON s.school_id = $2 AND s.active AND s.wonde_id IS NOT NULL
        LEFT JOIN staff_read r ON r.staff_id = s.id
        WHERE f.job_id = $1 AND f.deactivates
            -- Whoever was read after this fetch began is as a later fetch found them.
            AND (r.read_at IS NULL OR r.read_at <= f.started_at)
            AND (s.wonde_id IN (SELECT wonde_id FROM gone)
                    AND NOT EXISTS (SELECT FROM staff_alias a
                        WHERE a.staff_id = s.id AND a.wonde_id NOT IN (SELECT wonde_id FROM gone))
                OR EXISTS (SELECT FROM stage_match m
                    WHERE m.job_id = $1 AND m.wonde_id = s.wonde_id
                        AND m.staff_id IS DISTINCT FROM s.id))
            -- NOT IN and not NOT EXISTS: it is hashed, whatever the planner expects.
            AND s.id NOT IN (
                SELECT staff_id FROM stage_match WHERE job_id = $1 AND staff_id IS NOT NULL)
            AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_present WHERE job_id = $1)
            AND NOT EXISTS (SELECT FROM staff_alias a
                JOIN stage_present p ON p.job_id = $1 AND p.wonde_id = a.wonde_id
                WHERE a.staff_id = s.id)
            -- A record that nobody belongs to may be theirs, under a new id.
            AND s.id NOT IN (SELECT staff_id FROM match_candidate WHERE job_id = $1)
            AND (s.upi IS NULL OR s.upi NOT IN (
                SELECT upi FROM stage_present WHERE job_id = $1 AND upi = ANY ($3)))
        ORDER BY s.id
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        upis,
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
