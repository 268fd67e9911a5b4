//! Takes back what a job changed: the inverse of its change history, in one transaction.
//!
//! Nobody is deleted: people whom the job created can no longer log in afterwards, classes and
//! subjects that it created are archived. Where a later change touched the same field, nothing
//! at all is taken back. The undo is a job of its own, so it has a history and can be undone.

mod staff;
mod teaching;

use mis_sync_domain::{
    AuditAction, ChangedField, Job, JobId, JobKind, Report, SchoolId, SyncOptions,
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    Error,
    audit::{self, Actor, Entry},
    jobs,
};

/// What became of the wish to take a job's changes back.
#[derive(Debug)]
pub enum Undone {
    /// They are taken back; this job says so.
    Done(Box<Job>),
    /// Later changes touched the same fields; nothing was taken back.
    Conflicts(Vec<Conflict>),
    /// The job changed nothing, was a dry run, or was undone already.
    Nothing,
    /// The job has not succeeded.
    WrongState,
}

/// A field that is not any more as the job left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Whose field: `staff`, `class` or `subject`.
    pub record: String,
    /// iP's id of the person, class or subject.
    pub id: Uuid,
    /// The field.
    pub field: ChangedField,
    /// The job that touched it last; `None`: somebody did by hand.
    pub job_id: Option<JobId>,
}

/// Takes back what a job changed.
pub async fn undo(pool: &PgPool, id: JobId, actor: &Actor) -> Result<Undone, Error> {
    let mut tx = crate::begin(pool).await?;
    let Some(job) = jobs::get_in(&mut tx, id).await? else { return Ok(Undone::WrongState) };
    lock_school(&mut tx, &job.school_id).await?;
    if job.state != mis_sync_domain::JobState::Succeeded {
        return Ok(Undone::WrongState);
    }
    if job.options.dry_run || !has_changes_left(&mut tx, id).await? {
        return Ok(Undone::Nothing);
    }
    let mut conflicts = staff::conflicts(&mut tx, id).await?;
    conflicts.extend(teaching::conflicts(&mut tx, id).await?);
    if !conflicts.is_empty() {
        return Ok(Undone::Conflicts(conflicts));
    }
    let undo = insert_job(&mut tx, &job, actor).await?;
    staff::record(&mut tx, id, undo).await?;
    teaching::record(&mut tx, id, undo).await?;
    staff::apply(&mut tx, undo).await?;
    teaching::apply(&mut tx, undo).await?;
    write_report(&mut tx, undo).await?;
    let done = jobs::get_in(&mut tx, undo).await?.ok_or(Error::LeaseLost)?;
    audit::record(&mut tx, actor, &Entry::of_job(AuditAction::Undo, &job)).await?;
    tx.commit().await?;
    Ok(Undone::Done(Box::new(done)))
}

/// One writer at a time, as with a sync.
async fn lock_school(db: &mut PgConnection, id: &SchoolId) -> Result<(), Error> {
    sqlx::query_scalar!("SELECT id FROM school WHERE id = $1 FOR UPDATE", id.as_str())
        .fetch_optional(db)
        .await?;
    Ok(())
}

async fn has_changes_left(db: &mut PgConnection, id: JobId) -> Result<bool, Error> {
    let left = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT FROM job_change WHERE job_id = $1)
            AND NOT EXISTS (SELECT FROM job WHERE undo_of = $1) AS "left!"
        "#,
        id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(left)
}

/// The undo as a job that has succeeded already: nobody has to run it.
async fn insert_job(db: &mut PgConnection, of: &Job, actor: &Actor) -> Result<JobId, Error> {
    let id = JobId::new();
    let kind: JobKind = of.kind;
    sqlx::query!(
        r#"
        INSERT INTO job (id, kind, lane, school_id, staff_id, options, unique_key, requested_by,
            state, max_attempts, deadline_at, started_at, finished_at, stage, undo_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'succeeded', $9, now(), now(),
            clock_timestamp(), 'applying', $10)
        "#,
        id.0,
        kind.as_str(),
        kind.lane().as_str(),
        of.school_id.as_str(),
        of.staff_id.map(|id| id.0),
        serde_json::to_value(SyncOptions::default()).expect("options are plain JSON"),
        format!("undo:{}", of.id),
        actor.name,
        i32::from(kind.max_attempts()),
        of.id.0,
    )
    .execute(db)
    .await?;
    Ok(id)
}

async fn write_report(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(DISTINCT staff_id) FILTER (WHERE field <> 'active') AS "updated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'false') AS "deactivated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'true') AS "restored!"
        FROM job_change WHERE job_id = $1 AND record = 'staff'
        "#,
        undo.0,
    )
    .fetch_one(&mut *db)
    .await?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let report = Report {
        updated: count(row.updated),
        deactivated: count(row.deactivated),
        restored: count(row.restored),
        ..Report::default()
    };
    sqlx::query!(
        "UPDATE job SET report = $2 WHERE id = $1",
        undo.0,
        serde_json::to_value(report).expect("a report is plain JSON"),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A conflict as a query finds it.
struct ConflictRow {
    record: String,
    id: Uuid,
    field: String,
    later: Option<Uuid>,
}

impl TryFrom<ConflictRow> for Conflict {
    type Error = Error;

    fn try_from(row: ConflictRow) -> Result<Self, Error> {
        let broken =
            || Error::Inconsistent { table: "job_change", column: "field", id: row.id.to_string() };
        Ok(Self {
            field: row.field.parse().map_err(|_| broken())?,
            record: row.record,
            id: row.id,
            job_id: row.later.map(JobId),
        })
    }
}
