//! Turns a fetched school into iP's school: reads iP's record, compares in memory
//! ([`mis_sync_domain::plan`]), and writes the differences. One transaction does this and ends the
//! job, so readers see the school before or after, and nothing in between. A dry run, and a change
//! that needs approval, are recorded but not applied.

mod groups;
mod held;
mod history;
mod notes;
mod people;
mod person;
mod preview;
pub mod undo;

use std::time::Duration;

use mis_sync_domain::{
    Affected, Guard, JobId, Lease, PersonKey, Report, Review, SchoolId, SyncRules,
    line_manager::HierarchyLists,
    plan::{self, Fetched, NewIds, Rules},
};
use sqlx::{PgConnection, PgPool};

use crate::{Error, fetches, jobs, transaction};
pub use person::{PersonPlan, TaughtClass, refresh_person};
pub use preview::{Preview, preview};

/// How often a school is read again if it changed between reading and writing, or if another school
/// took a login.
const MAX_LOOKS: u32 = 5;

/// A comparison to make.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The claim of the run that fetched.
    pub lease: Lease,
    /// The school.
    pub school_id: &'a SchoolId,
    /// What the MIS said, in a fetch that was read to its end.
    pub fetched: &'a Fetched,
    /// The rules of the sync.
    pub rules: SyncRules,
    /// How much it may change without approval.
    pub guard: Guard,
    /// Report, but change nothing.
    pub dry_run: bool,
}

/// How a comparison ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The job succeeded, with this report.
    Applied(Report),
    /// The change exceeds the school's limits. Nothing was changed, and the job waits for approval.
    /// The report and the change history say what would happen.
    Held(Report),
}

/// Compares what the job fetched with iP's record, applies the differences unless it is a dry run
/// or implausible, and ends or holds the job.
///
/// `elapsed` gives the duration for the report. [`Error::LeaseLost`] if another run took over;
/// nothing of this one was written.
pub async fn finish(
    pool: &PgPool,
    plan: Plan<'_>,
    elapsed: impl Fn() -> Duration,
) -> Result<Finished, Error> {
    let mut looks = 1;
    loop {
        match try_finish(pool, plan, &elapsed).await {
            Err(error) if error.asks_for_another_look() && looks < MAX_LOOKS => looks += 1,
            other => return other,
        }
    }
}

async fn try_finish(
    pool: &PgPool,
    plan: Plan<'_>,
    elapsed: &impl Fn() -> Duration,
) -> Result<Finished, Error> {
    let Plan { lease, school_id, fetched, rules, guard, dry_run } = plan;
    let mut tx = transaction::begin_for(pool, lease, "BEGIN").await?;
    let locked = lock(&mut tx, lease, school_id).await?;
    let Locked { approved, left_out, leave_people, hierarchy_lists } = locked;
    let rules = Rules { sync: rules, left_out, leave_people, has_many_recent_leavers: false };
    let held = held::read_school(&mut tx, school_id, fetched, &rules, hierarchy_lists).await?;
    let planned = plan::plan(&held, fetched, &rules);

    let mut report = planned.report.clone();
    let exceeded = guard.judge(&planned);
    let is_held = !dry_run && !is_covered(&exceeded, approved.as_deref());
    let write = Write {
        job_id: lease.job_id,
        school_id,
        plan: &planned,
        is_applied: !dry_run && !is_held,
        is_of_one_person: false,
    };
    if let Some(approved) = &approved {
        let shown = jobs::changes_of_field(&mut *tx, lease.job_id, None, 0, i64::MAX).await?;
        let shown = Review::of(shown.into_iter().map(|(_, change)| change));
        let done = Review::of(planned.changes(&NewIds::default()));
        let leave_people = &rules.leave_people;
        report.recounts = shown.compare(approved, leave_people, &done, &planned.affected);
        history::forget(&mut tx, lease.job_id).await?;
    }
    let ids = if write.is_applied { people::draw_ids(&planned) } else { NewIds::default() };
    if write.is_applied {
        write.apply(&mut tx, &ids).await?;
        write.conclude(&mut tx, &ids, fetched).await?;
        notes::school_was_synced(&mut tx, &write, fetched).await?;
    } else {
        report.guard = exceeded;
    }
    write.tell(&mut tx, &ids, fetched).await?;
    notes::keep_reading(&mut tx, &write, fetched.is_full).await?;
    report.duration_ms = u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX);
    if is_held {
        jobs::hold(&mut tx, lease, &report).await?;
    } else {
        jobs::succeed(&mut tx, lease, &report).await?;
        fetches::forget_with_job(&mut tx, lease).await?;
    }
    tx.commit().await?;
    Ok(if is_held { Finished::Held(report) } else { Finished::Applied(report) })
}

/// What is known about a locked school and about the job.
struct Locked {
    /// What a person approved after an earlier run of the job was held; `None` if there was none.
    approved: Option<Vec<Affected>>,
    /// What they did not approve. It stays as it is in iP.
    left_out: Vec<Affected>,
    /// People whom they left as they are.
    leave_people: Vec<PersonKey>,
    /// Which way Wonde's lists of line managers point, as the last full sync showed.
    hierarchy_lists: Option<HierarchyLists>,
}

/// Locks the school, because it has only one writer at a time: a sync, or the refresh of one
/// person. An outage is over, because Wonde has answered.
async fn lock(db: &mut PgConnection, lease: Lease, school_id: &SchoolId) -> Result<Locked, Error> {
    let row = sqlx::query!(
        r#"
        WITH back AS (
            DELETE FROM wonde_outage WHERE school_id = $3
        )
        SELECT s.hierarchy_lists, j.approved, j.left_out, j.leave_people, j.approved_at IS NOT NULL AS "was_held!"
        FROM school s
        JOIN job j ON j.id = $1 AND j.fence = $2 AND j.state = 'running'
        WHERE s.id = $3
        FOR NO KEY UPDATE OF s
        "#,
        lease.job_id.0,
        lease.fence,
        school_id.as_str(),
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LeaseLost)?;
    let broken =
        |column| Error::Inconsistent { table: "job", column, id: lease.job_id.to_string() };
    let approved = row.approved.filter(|_| row.was_held).map(serde_json::from_value).transpose();
    Ok(Locked {
        approved: approved.map_err(|_| broken("approved"))?,
        left_out: serde_json::from_value(row.left_out).map_err(|_| broken("left_out"))?,
        leave_people: serde_json::from_value(row.leave_people)
            .map_err(|_| broken("leave_people"))?,
        hierarchy_lists: held::hierarchy_lists(row.hierarchy_lists),
    })
}

/// Whether a person has approved everything that exceeds the limits.
fn is_covered(exceeded: &[Affected], approved: Option<&[Affected]>) -> bool {
    exceeded.iter().all(|one| approved.is_some_and(|approved| one.is_covered_by(approved)))
}

/// A plan to write.
struct Write<'a> {
    job_id: JobId,
    school_id: &'a SchoolId,
    plan: &'a plan::Plan,
    /// Whether it is applied and not only reported.
    is_applied: bool,
    /// Whether it is about one person, so that no one else's links move.
    is_of_one_person: bool,
}

impl Write<'_> {
    /// Writes the differences and nothing else.
    async fn apply(&self, db: &mut PgConnection, ids: &NewIds) -> Result<(), Error> {
        people::write_photos(db, self).await?;
        people::write(db, self, ids).await?;
        people::write_departments(db, self.plan).await?;
        groups::write(db, self, ids).await
    }

    /// Writes what the comparison concluded about the fetched list.
    async fn conclude(
        &self,
        db: &mut PgConnection,
        ids: &NewIds,
        fetched: &Fetched,
    ) -> Result<(), Error> {
        notes::keep_aliases(db, self, ids).await?;
        notes::use_up_decisions(db, self).await?;
        notes::keep_reads(db, self, fetched.started_at).await
    }

    /// Writes the history, the issues and the evidence of the plan, applied or not.
    async fn tell(
        &self,
        db: &mut PgConnection,
        ids: &NewIds,
        fetched: &Fetched,
    ) -> Result<(), Error> {
        history::write_changes(db, self.job_id, &self.plan.changes(ids)).await?;
        history::write_issues(db, self.job_id, &self.plan.issues, &fetched.labels).await?;
        notes::keep_candidates(db, self, fetched).await?;
        notes::keep_evidence(db, self, ids).await
    }
}

impl Error {
    /// Whether the school has to be read again: it changed between reading and writing, a linked
    /// person was removed, another school took a login, or two schools wait for each other's login.
    fn asks_for_another_look(&self) -> bool {
        matches!(self, Self::Moved)
            || self.violates("staff_login")
            || self.is_deadlock()
            || self.misses_a_row()
    }
}
