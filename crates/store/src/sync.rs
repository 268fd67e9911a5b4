//! A staged school becomes iP's school: match, quarantine, compare, apply. Set-based, in one
//! transaction that ends the job as well. Readers see the school before or after, nothing
//! between; a dry run goes the same way and leaves out the last step.

mod departments;
mod issues;
mod leavers;
mod managers;
mod matching;
mod people;
mod photos;
mod roster;
mod sightings;
mod teaching;

use std::time::Duration;

use mis_sync_domain::{Lease, Report, SchoolId, SyncMode, SyncRules, line_manager::HierarchyLists};
use sqlx::{PgConnection, PgPool};

use crate::{Error, jobs, staging::List};
use issues::Issues;
use roster::Roster;

/// Staging tables have no statistics worth the name, so the planner takes every staged school for
/// a handful of rows. To look through a handful again and again is then cheaper to it than to
/// probe a key, and with thousands that is a matter of minutes. Without materialized inner sides
/// the probe is always the cheaper one.
const BEGIN: &str = "BEGIN; SET LOCAL enable_material = off";

/// How often a comparison is made anew when it met another school over a login.
const MAX_COLLISIONS: u32 = 3;

/// A comparison to be made.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The claim that fetched.
    pub lease: Lease,
    /// The school.
    pub school_id: &'a SchoolId,
    /// What the sync does.
    pub rules: SyncRules,
    /// Report, but change nobody.
    pub dry_run: bool,
}

/// Compares what the job staged with what iP holds, applies the difference unless it is a
/// dry run, and ends the job.
///
/// `elapsed` gives the duration for the report. [`Error::LeaseLost`]: another run took over,
/// and nothing of this one was written.
pub async fn finish(
    pool: &PgPool,
    plan: Plan<'_>,
    elapsed: impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut collisions = 0;
    loop {
        match try_finish(pool, plan, &elapsed).await {
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
    plan: Plan<'_>,
    elapsed: &impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let fetched = lock_and_read_fetch(&mut tx, plan).await?;
    let Plan { lease, school_id, rules, dry_run } = plan;
    let run = Run { lease, school_id, rules, dry_run, fetched: &fetched };
    let mut issues = Issues::default();

    let (matched, quarantined) = compare_people(&mut tx, &run, &mut issues).await?;
    let photos = photos::apply(&mut tx, &run, &mut issues).await?;
    departments::clear(&mut tx, &run).await?;
    let roster = Roster::read(&mut tx, &run).await?;
    managers::link(&mut tx, &run, &roster, &mut issues).await?;
    let taught = teaching::apply(&mut tx, &run, &roster, &mut issues).await?;
    record_issues(&mut tx, lease).await?;
    issues.record(&mut tx, lease).await?;
    sightings::record(&mut tx, &run).await?;

    let counted = count_changes(&mut tx, lease).await?;
    // A list that moved while it was read can deliver a person twice; they count once.
    let twice = fetched.staged - matched.records;
    let report = Report {
        mode: if fetched.is_full { SyncMode::Full } else { SyncMode::Delta },
        fetched: fetched.records - twice,
        current: fetched.current - twice,
        unchanged: matched.records - quarantined - counted.created - counted.touched,
        created: counted.created,
        updated: counted.updated,
        deactivated: counted.deactivated,
        restored: counted.restored,
        skipped: fetched.skipped + quarantined,
        issues: counted.issues,
        classes: taught.classes,
        subjects: taught.subjects,
        photos,
        requests: fetched.requests,
        duration_ms: u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    jobs::succeed(&mut tx, lease, &report).await?;
    tx.commit().await?;
    Ok(report)
}

/// A comparison that is being made.
#[expect(clippy::struct_field_names, reason = "a dry run is called so")]
struct Run<'a> {
    lease: Lease,
    school_id: &'a SchoolId,
    rules: SyncRules,
    dry_run: bool,
    fetched: &'a Fetched,
}

/// The people of the list: who they are in iP, what differs, who left, who is new. Returns how
/// they were matched, and how many of them were left out.
async fn compare_people(
    tx: &mut PgConnection,
    run: &Run<'_>,
    issues: &mut Issues,
) -> Result<(matching::Matched, u64), Error> {
    let lease = run.lease;
    let matched = matching::match_staff(tx, lease, run.school_id).await?;
    let quarantined = matching::quarantine(tx, lease, &matched).await?;
    // On a first sync nobody can differ, and mostly nobody does: what has no work is left out.
    let differing = if matched.linked == 0 {
        0
    } else {
        people::notice_withheld_roles(tx, run, issues).await?;
        people::record_changes(tx, lease).await?
    };
    let leavers = leavers::record(tx, run, issues).await?;
    if differing > 0 && !run.dry_run {
        people::update(tx, lease).await?;
    }
    if leavers > 0 && !run.dry_run {
        leavers::deactivate(tx, lease).await?;
    }
    match matched.unmatched {
        0 => {}
        _ if run.dry_run => people::record_would_be_created(tx, lease).await?,
        _ => people::create(tx, lease, run.school_id).await?,
    }
    Ok((matched, quarantined))
}

/// The complete fetch that is compared.
struct Fetched {
    records: u64,
    current: u64,
    skipped: u64,
    requests: u64,
    staged: u64,
    employment_said: u64,
    /// Everything was asked for, not only what changed.
    is_full: bool,
    lists_read: Vec<String>,
    /// Which way Wonde's hierarchy points, as the last full sync showed.
    hierarchy_lists: Option<HierarchyLists>,
}

impl Fetched {
    /// The list was read to its end.
    fn has_read(&self, list: List) -> bool {
        self.lists_read.iter().any(|read| read == list.as_str())
    }
}

/// Locks the school, because there is one writer at a time: a sync, or whoever refreshes one
/// of its people. Returns the complete fetch; an incomplete one, or one that a crash of the
/// database emptied, is never applied.
async fn lock_and_read_fetch(db: &mut PgConnection, plan: Plan<'_>) -> Result<Fetched, Error> {
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
        )
        SELECT fetched, current, skipped, requests, employment_said, lists_read, hierarchy_lists,
            updated_after IS NULL AS "is_full!",
            (SELECT count(*) FROM stage_staff s WHERE s.job_id = $1) AS "staged!"
        FROM locked
        "#,
        plan.lease.job_id.0,
        plan.lease.fence,
        plan.school_id.as_str(),
        plan.dry_run,
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
        lists_read: row.lists_read,
        hierarchy_lists: row.hierarchy_lists.and_then(|name| name.parse().ok()),
    })
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Keeps the problems that mapping and matching found, and says who stays inactive.
async fn record_issues(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_issue (job_id, code, wonde_id)
        SELECT $1, code, wonde_id FROM (
            SELECT position, code, wonde_id FROM stage_issue WHERE job_id = $1
            UNION ALL
            SELECT position, issue, wonde_id FROM stage_match
            WHERE job_id = $1 AND issue IS NOT NULL
            UNION ALL
            SELECT t.position, 'inactive_in_ip', t.wonde_id FROM stage_target t
            WHERE t.job_id = $1 AND NOT t.active
        ) found ORDER BY position
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

struct ChangeCounts {
    created: u64,
    updated: u64,
    deactivated: u64,
    restored: u64,
    /// People of the list who are not as they were, in whatever way.
    touched: u64,
    issues: u64,
}

/// Counts what the change history and the issues of the job say.
async fn count_changes(db: &mut PgConnection, lease: Lease) -> Result<ChangeCounts, Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) FILTER (WHERE field = 'created') AS "created!",
            count(DISTINCT staff_id) FILTER (WHERE field NOT IN ('created', 'active'))
                AS "updated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'false') AS "deactivated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'true') AS "restored!",
            count(DISTINCT staff_id) FILTER (
                WHERE field <> 'created' AND (field <> 'active' OR new_value = 'true'))
                AS "touched!",
            (SELECT count(*) FROM job_issue i WHERE i.job_id = $1) AS "issues!"
        FROM job_change WHERE job_id = $1 AND record = 'staff'
        "#,
        lease.job_id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(ChangeCounts {
        created: count(row.created),
        updated: count(row.updated),
        deactivated: count(row.deactivated),
        restored: count(row.restored),
        touched: count(row.touched),
        issues: count(row.issues),
    })
}
