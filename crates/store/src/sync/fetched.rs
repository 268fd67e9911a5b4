use chrono::{DateTime, Utc};
use mis_sync_domain::{Affected, GuardCategory, Lease, line_manager::HierarchyLists};
use sqlx::PgConnection;

use super::{Plan, count};
use crate::{Error, staging::List};

/// The complete fetch that is compared.
pub(super) struct Fetched {
    pub(super) records: u64,
    pub(super) current: u64,
    pub(super) skipped: u64,
    pub(super) requests: u64,
    pub(super) staged: u64,
    pub(super) employment_said: u64,
    /// Everything was asked for, not only what changed.
    pub(super) is_full: bool,
    pub(super) lists_read: Vec<String>,
    /// Start of the full fetch that was applied before this one.
    pub(super) last_full_sync_at: Option<DateTime<Utc>>,
    /// An earlier run of the job was held, and what it found is in the history.
    pub(super) was_held: bool,
    /// What a person did not approve then: it stays as iP holds it.
    pub(super) left_out: Vec<Affected>,
    /// Which way Wonde's hierarchy points, as the last full sync showed.
    pub(super) hierarchy_lists: Option<HierarchyLists>,
}

impl Fetched {
    /// Whether a person who approved the rest left this out.
    pub(super) fn leaves_out(&self, category: GuardCategory) -> bool {
        self.left_out.iter().any(|affected| affected.category == category)
    }

    /// The list was read to its end.
    pub(super) fn has_read(&self, list: List) -> bool {
        self.lists_read.iter().any(|read| read == list.as_str())
    }
}

/// Locks the school, because there is one writer at a time: a sync, or whoever refreshes one
/// of its people. Returns the complete fetch; an incomplete one, or one that a crash of the
/// database emptied, is never applied.
pub(super) async fn lock_and_read(
    db: &mut PgConnection,
    plan: Plan<'_>,
    changes_nobody: bool,
) -> Result<Fetched, Error> {
    let row = sqlx::query!(
        r#"
        WITH locked AS (
            UPDATE school s SET
                last_synced_at = CASE WHEN $4 THEN last_synced_at ELSE now() END,
                changes_seen_until = CASE WHEN $4 THEN changes_seen_until ELSE f.started_at END,
                last_full_sync_at = CASE WHEN $4 OR f.updated_after IS NOT NULL
                    THEN last_full_sync_at ELSE f.started_at END
            FROM stage_fetch f
            WHERE s.id = $3 AND f.job_id = $1 AND f.fence = $2 AND f.complete
            RETURNING s.hierarchy_lists, f.*
        ), back AS (
            -- Wonde has answered.
            DELETE FROM wonde_outage WHERE school_id = $3
        )
        SELECT fetched, current, skipped, requests, employment_said, lists_read, hierarchy_lists,
            updated_after IS NULL AS "is_full!",
            -- As it was before this statement.
            (SELECT last_full_sync_at FROM school WHERE id = $3) AS last_full_sync_at,
            (SELECT approved_at IS NOT NULL FROM job j WHERE j.id = $1) AS "was_held!",
            (SELECT left_out FROM job j WHERE j.id = $1) AS "left_out!",
            (SELECT count(*) FROM stage_staff s WHERE s.job_id = $1) AS "staged!"
        FROM locked
        "#,
        plan.lease.job_id.0,
        plan.lease.fence,
        plan.school_id.as_str(),
        changes_nobody,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LeaseLost)?;
    Ok(Fetched {
        records: count(row.fetched),
        current: count(row.current),
        skipped: count(row.skipped),
        requests: count(row.requests),
        staged: count(row.staged),
        employment_said: count(row.employment_said),
        is_full: row.is_full,
        last_full_sync_at: row.last_full_sync_at,
        was_held: row.was_held,
        left_out: serde_json::from_value(row.left_out).map_err(|_| Error::Inconsistent {
            table: "job",
            column: "left_out",
            id: plan.lease.job_id.to_string(),
        })?,
        lists_read: row.lists_read,
        hierarchy_lists: row.hierarchy_lists.and_then(|name| name.parse().ok()),
    })
}

/// Takes back what an earlier run of the job found before it was held, so that this one can find
/// its own; what was not approved it keeps.
pub(super) async fn forget_comparison(
    db: &mut PgConnection,
    lease: Lease,
    fetched: &Fetched,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH changes AS (
            DELETE FROM job_change WHERE job_id = $1
        ), issues AS (
            DELETE FROM job_issue WHERE job_id = $1
        ), matches AS (
            DELETE FROM stage_match WHERE job_id = $1
        )
        UPDATE stage_fetch SET roles_withheld = false, keeps_emails = $2, keeps_job_titles = $3
        WHERE job_id = $1
        "#,
        lease.job_id.0,
        fetched.leaves_out(GuardCategory::EmailsChanged),
        fetched.leaves_out(GuardCategory::JobTitlesEmptied),
    )
    .execute(db)
    .await?;
    Ok(())
}
