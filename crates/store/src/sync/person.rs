//! One person at their login: a delta of one, staged, compared and applied in one transaction.
//! It has to be quick, so what cannot concern one person is left out; what is compared is
//! compared as for a school.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    IssueCode, Lease, RefreshOutcome, Report, SchoolId, StaffId, SyncMode, SyncRules,
    TeachingCounts, line_manager::HierarchyLists,
};
use sqlx::{PgConnection, PgPool};

use super::{
    Fetched, MAX_COLLISIONS, Run, comparison::record_issues, count_changes, doubts, issues::Issues,
    leavers, managers, matching, people, reads, roster::Roster, teaching,
};
use crate::{
    Error, jobs,
    staging::{self, MappedPage, StagedPerson},
};

/// A login gives its slot back rather than wait for a sync that is writing its school. Every
/// statement probes keys, whatever its parameters: planning it anew would take longer than it.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '1s'; \
    SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_material = off";

/// One person who was fetched.
#[derive(Debug, Clone, Copy)]
pub struct PersonPlan<'a> {
    /// The claim that fetched.
    pub lease: Lease,
    /// The school.
    pub school_id: &'a SchoolId,
    /// What is done.
    pub rules: SyncRules,
    /// The person.
    pub staff_id: StaffId,
    /// Wonde's id of the record that was fetched.
    pub wonde_id: &'a str,
    /// When the fetch began, by the ledger's clock.
    pub as_of: DateTime<Utc>,
    /// The person's record, mapped as a list of one; empty: Wonde does not know them any more.
    pub page: &'a MappedPage,
    /// The classes that the person teaches; `None`: the MIS did not say.
    pub classes: Option<&'a [TaughtClass]>,
}

/// A class that somebody teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaughtClass {
    /// Wonde's id of the class.
    pub wonde_id: String,
    /// The person is a main teacher of it.
    pub is_main: bool,
}

/// Compares what was fetched with what iP holds of the person, applies the difference, and ends
/// the job. Nobody is created, and nothing is concluded about anybody else.
///
/// [`Error::PersonMoved`]: the person was linked with another record meanwhile.
/// [`Error::SchoolBusy`]: a sync is writing the school. [`Error::LeaseLost`]: another run took
/// over. In all cases nothing was written.
pub async fn refresh_person(
    pool: &PgPool,
    plan: PersonPlan<'_>,
    elapsed: impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut collisions = 0;
    loop {
        match try_refresh(pool, plan, &elapsed).await {
            Err(error) if error.is_lock_timeout() => return Err(Error::SchoolBusy),
            // Another school took the login after we had looked, as in a sync.
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

async fn try_refresh(
    pool: &PgPool,
    plan: PersonPlan<'_>,
    elapsed: &impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut tx = crate::transaction::begin_for(pool, plan.lease, BEGIN).await?;
    let fetched = lock(&mut tx, plan).await?;
    let PersonPlan { lease, school_id, rules, staff_id, page, .. } = plan;
    let run = Run { lease, school_id, rules, dry_run: false, fetched: &fetched };
    let staged = staging::stage_person(&mut tx, plan).await?;
    let is_in_doubt = staged.is_unlike && leave_out_if_in_doubt(&mut tx, &run).await?;
    let classes = apply(&mut tx, &run, plan, &staged, is_in_doubt).await?;
    if !is_in_doubt {
        reads::note_person(&mut tx, &run, staff_id).await?;
    }

    let counted = count_changes(&mut tx, lease).await?;
    let is_active = staged.stays_active && counted.deactivated == 0;
    // Whoever asks decides by the answer whether to let the person in, so it is about the account
    // in iP: one that stays active, by whichever rule, has not been closed.
    let outcome = if !page.gone.is_empty() && !is_active {
        RefreshOutcome::NoLongerCurrent
    } else if counted.touched + classes.updated > 0 {
        RefreshOutcome::Updated
    } else {
        RefreshOutcome::Unchanged
    };
    let is_unchanged =
        outcome == RefreshOutcome::Unchanged && !page.staff.is_empty() && !is_in_doubt;
    let report = Report {
        outcome: Some(outcome),
        mode: SyncMode::Delta,
        fetched: page.fetched,
        current: page.current,
        unchanged: u64::from(is_unchanged),
        updated: counted.updated,
        deactivated: counted.deactivated,
        restored: counted.restored,
        skipped: page.skipped + u64::from(is_in_doubt),
        issues: counted.issues,
        classes,
        requests: page.requests,
        duration_ms: u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX),
        ..Report::default()
    };
    jobs::succeed(&mut tx, lease, &report).await?;
    staging::clear_person(&mut tx, plan).await?;
    tx.commit().await?;
    Ok(report)
}

/// Locks the school, because there is one writer at a time, and notes by which rules its person is
/// compared. An outage is over, because Wonde has answered.
async fn lock(db: &mut PgConnection, plan: PersonPlan<'_>) -> Result<Fetched, Error> {
    let row = sqlx::query!(
        r#"
        WITH back AS (
            DELETE FROM wonde_outage WHERE school_id = $1
        ), fetched AS (
            INSERT INTO stage_fetch (job_id, fence, owns_initials, owns_job_title,
                owns_line_manager, restores, deactivates, updated_after, started_at, fetched,
                current, employment_said, complete)
            VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, true)
        )
        SELECT hierarchy_lists, last_full_sync_at FROM school WHERE id = $1 FOR NO KEY UPDATE
        "#,
        plan.school_id.as_str(),
        plan.lease.job_id.0,
        plan.lease.fence,
        plan.rules.owned.initials,
        plan.rules.owned.job_title,
        plan.rules.owned.line_manager,
        plan.rules.restores,
        plan.rules.deactivates,
        plan.as_of,
        staging::count(plan.page.fetched),
        staging::count(plan.page.current),
        staging::count(plan.page.employment_said),
    )
    .fetch_one(db)
    .await?;
    Ok(Fetched {
        records: plan.page.fetched,
        current: plan.page.current,
        skipped: plan.page.skipped,
        requests: plan.page.requests,
        staged: plan.page.staff.len() as u64,
        employment_said: plan.page.employment_said,
        is_full: false,
        last_full_sync_at: row.last_full_sync_at,
        was_held: false,
        left_out: Vec::new(),
        lists_read: Vec::new(),
        hierarchy_lists: row.hierarchy_lists.and_then(|name| name.parse().ok()),
    })
}

/// Whether the record may be somebody else's by now: then the account stays as it is, and a person
/// decides.
async fn leave_out_if_in_doubt(db: &mut PgConnection, run: &Run<'_>) -> Result<bool, Error> {
    let doubts = doubts::find(db, run).await?;
    Ok(doubts::leave_out(db, run, &doubts, &[]).await? > 0)
}

/// Applies what differs; returns what became of the person's classes.
async fn apply(
    db: &mut PgConnection,
    run: &Run<'_>,
    plan: PersonPlan<'_>,
    staged: &StagedPerson,
    is_in_doubt: bool,
) -> Result<TeachingCounts, Error> {
    let mut issues = Issues::default();
    let mut has_issues = !plan.page.issues.is_empty() || !staged.stays_active || is_in_doubt;
    if staged.asks_for_login {
        has_issues |= matching::quarantine(db, run, &matching::Matched::one()).await? > 0;
    }
    if !plan.page.staff.is_empty() && people::record_changes(db, run.lease).await? > 0 {
        people::update(db, run.lease).await?;
    }
    let is_leaver = !plan.page.gone.is_empty();
    if is_leaver && is_one_too_many(db, plan).await? {
        issues.push(IssueCode::LeaverLeftActive, plan.wonde_id);
    } else if (is_leaver || plan.page.employment_said == 0)
        && leavers::record(db, run, &[], &mut issues).await? > 0
    {
        leavers::deactivate(db, run.lease).await?;
    }
    // Else the rest of the school need not be looked at.
    if names_managers(run, plan) && !staged.has_named_manager && !is_in_doubt {
        let roster = Roster::read(db, run).await?;
        managers::link(db, run, &roster, &mut issues).await?;
    }
    if has_issues {
        record_issues(db, run.lease).await?;
    }
    issues.record(db, run.lease).await?;

    let is_superseded = run.fetched.last_full_sync_at.is_some_and(|at| at > plan.as_of);
    match plan.classes {
        Some(classes)
            if staged.stays_active
                && !is_superseded
                && !is_in_doubt
                && !staged.has_other_records
                && plan.page.gone.is_empty() =>
        {
            teaching::link_person(db, run, plan.staff_id, classes).await
        }
        _ => Ok(TeachingCounts::default()),
    }
}

/// Whether the person would be deactivated, and so many people of the school became inactive in the
/// last hour that this is left to a sync, which sees the school as a whole: five, or one in twenty
/// of a large school. When a school changes its MIS nobody is known by their old id, and each login
/// would lock one out.
async fn is_one_too_many(db: &mut PgConnection, plan: PersonPlan<'_>) -> Result<bool, Error> {
    let is_one_too_many = sqlx::query_scalar!(
        r#"
        SELECT $4 AND s.active AND (r.read_at IS NULL OR r.read_at <= $3) AND (
            SELECT count(*) FILTER (WHERE NOT active AND updated_at > now() - interval '1 hour')
                >= greatest(5, count(*) / 20)
            FROM staff WHERE school_id = $1 AND wonde_id IS NOT NULL) AS "is_one_too_many!"
        FROM staff s LEFT JOIN staff_read r ON r.staff_id = s.id
        WHERE s.id = $2
        "#,
        plan.school_id.as_str(),
        plan.staff_id.0,
        plan.as_of,
        plan.rules.deactivates,
    )
    .fetch_one(db)
    .await?;
    Ok(is_one_too_many)
}

/// Whether the record says whom the person reports to.
fn names_managers(run: &Run<'_>, plan: PersonPlan<'_>) -> bool {
    run.fetched.hierarchy_lists == Some(HierarchyLists::Managers)
        && plan.page.staff.iter().any(|(_, person)| person.hierarchy.is_some())
}
