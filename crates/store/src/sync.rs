//! A staged school becomes iP's school: match, quarantine, compare, apply. Set-based, in one
//! transaction that ends the job as well. Readers see the school before or after, nothing
//! between; a dry run goes the same way and leaves out the last step.

mod comparison;
mod counts;
mod decisions;
mod departments;
mod doubts;
mod fetched;
mod guard;
mod issues;
mod leavers;
mod managers;
mod matching;
mod people;
mod person;
mod photos;
mod reads;
mod rematching;
mod roster;
mod sightings;
mod teaching;
mod twins;

use std::time::Duration;

use mis_sync_domain::{Guard, Lease, Report, SchoolId, SyncRules};
use sqlx::{PgConnection, PgPool};

use crate::{Error, jobs};
use comparison::{Compared, compare};
pub(crate) use counts::Counted;
use fetched::Fetched;

pub use person::{PersonPlan, TaughtClass, refresh_person};

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
    /// How much it may change unasked.
    pub guard: Guard,
    /// Report, but change nobody.
    pub dry_run: bool,
}

/// How a comparison ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The job succeeded, with this report.
    Applied(Report),
    /// The change is above the school's limits: nobody was changed, and the job waits for a
    /// person. The report and the change history say what would be.
    Held(Report),
}

/// How a comparison goes about its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Applies them, unless there are so many that [`Pass::Preview`] has to look closer.
    Guarded,
    /// Changes nobody. Above the limits the job is held, else [`Pass::Plausible`] follows.
    Preview,
    /// Applies them: they were looked at, or a person approved them.
    Plausible,
    /// Changes nobody and reports.
    DryRun,
}

/// Compares what the job staged with what iP holds, applies the difference unless it is a
/// dry run or implausible, and ends or holds the job.
///
/// `elapsed` gives the duration for the report. [`Error::LeaseLost`]: another run took over,
/// and nothing of this one was written.
pub async fn finish(
    pool: &PgPool,
    plan: Plan<'_>,
    elapsed: impl Fn() -> Duration,
) -> Result<Finished, Error> {
    let mut collisions = 0;
    let mut pass = if plan.dry_run { Pass::DryRun } else { Pass::Guarded };
    loop {
        match try_finish(pool, plan, pass, &elapsed).await {
            Ok(Some(finished)) => return Ok(finished),
            Ok(None) if pass == Pass::Guarded => pass = Pass::Preview,
            Ok(None) => pass = Pass::Plausible,
            // Another school's sync took a login after we had looked, or each waits for a
            // login that the other took. Looking again tells whose it is now, and that
            // record becomes an issue.
            Err(error)
                if (error.violates("staff_login") || error.is_deadlock())
                    && collisions < MAX_COLLISIONS =>
            {
                collisions += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// One pass; `None`: nothing was written, and the next pass has to follow.
async fn try_finish(
    pool: &PgPool,
    plan: Plan<'_>,
    pass: Pass,
    elapsed: &impl Fn() -> Duration,
) -> Result<Option<Finished>, Error> {
    let mut tx = crate::transaction::begin_for(pool, plan.lease, BEGIN).await?;
    let dry_run = matches!(pass, Pass::Preview | Pass::DryRun);
    let fetched = fetched::lock_and_read(&mut tx, plan, dry_run).await?;
    let Plan { lease, school_id, rules, guard, .. } = plan;
    if fetched.was_held {
        fetched::forget_comparison(&mut tx, lease, &fetched).await?;
    }
    let run = Run { lease, school_id, rules, dry_run, fetched: &fetched };
    let Compared { mut report, counted } = compare(&mut tx, &run).await?;
    report.duration_ms = u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX);

    if dry_run {
        report.guard = guard::find_exceeded(&mut tx, &run, &guard, &counted).await?;
    } else {
        reads::note(&mut tx, &run).await?;
    }
    match pass {
        Pass::Guarded if guard::is_suspicious(&run, &guard, &counted) => return Ok(None),
        Pass::Preview if guard::is_approved(&mut tx, lease, &report.guard).await? => {
            return Ok(None);
        }
        Pass::Preview => jobs::hold(&mut tx, lease, &report).await?,
        Pass::Guarded | Pass::Plausible | Pass::DryRun => {
            jobs::succeed(&mut tx, lease, &report).await?;
        }
    }
    tx.commit().await?;
    Ok(Some(match pass {
        Pass::Preview => Finished::Held(report),
        _ => Finished::Applied(report),
    }))
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

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// What the change history of a job comes to.
pub(crate) async fn count_changes(db: &mut PgConnection, lease: Lease) -> Result<Counted, Error> {
    counts::read(db, lease, teaching::Emptied::default()).await
}
