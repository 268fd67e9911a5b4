//! What a person does to a job. Each action is one guarded change together with a line of the audit
//! log. It returns `None` if the job's state forbids it, and then writes nothing.

use std::collections::HashSet;

use mis_sync_domain::{
    Affected, AuditAction, GuardCategory, Job, JobFailure, JobId, PersonKey, StaffId,
};
use sqlx::{PgConnection, PgPool};

use super::{Actor, Enqueued, query};
use crate::{
    Error,
    audit::{self, Entry},
    bulk,
};

/// Cancels a job in any unfinished state. A worker that runs it loses its lease, so nothing of it
/// is applied.
pub async fn cancel(pool: &PgPool, id: JobId, actor: &Actor) -> Result<Option<Job>, Error> {
    let failure = decided("cancelled", "A person cancelled the job", actor);
    end(pool, id, actor, AuditAction::Cancel, &["queued", "running", "retrying", "held"], &failure)
        .await
}

/// `held -> cancelled`: the job's changes are rejected.
pub async fn reject(pool: &PgPool, id: JobId, actor: &Actor) -> Result<Option<Job>, Error> {
    let failure = decided("rejected", "A person rejected the changes", actor);
    end(pool, id, actor, AuditAction::Reject, &["held"], &failure).await
}

fn decided(code: &str, title: &str, actor: &Actor) -> JobFailure {
    let detail = match &actor.reason {
        Some(reason) => format!("By {}: {reason}", actor.requester),
        None => format!("By {}.", actor.requester),
    };
    JobFailure { code: code.into(), title: title.into(), detail }
}

async fn end(
    pool: &PgPool,
    id: JobId,
    actor: &Actor,
    action: AuditAction,
    states: &[&str],
    failure: &JobFailure,
) -> Result<Option<Job>, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'cancelled', finished_at = now(), lease_until = NULL,
                next_attempt_at = NULL, error = $3
            WHERE id = $1 AND state = ANY($2)
            RETURNING id, fence
        ), stopped AS (
            UPDATE job_attempt a SET ended_at = now(), outcome = 'cancelled'
            FROM ended
            WHERE a.job_id = ended.id AND a.fence = ended.fence AND a.ended_at IS NULL
        )
        SELECT count(*) AS "count!" FROM ended
        "#,
        id.0,
        states as &[&str],
        serde_json::to_value(failure).expect("a failure is plain JSON"),
    )
    .fetch_one(&mut *tx)
    .await?;
    if done.count == 0 {
        return Ok(None);
    }
    let job = record(&mut tx, id, actor, action).await?;
    tx.commit().await?;
    Ok(job)
}

/// The result of a request to approve a part of a held job.
#[derive(Debug)]
pub enum Approved {
    /// The job runs; it says what is applied and what is left out.
    Done(Box<Job>),
    /// The job was not held for these.
    NotHeldFor(Vec<GuardCategory>),
    /// The job changes nothing about these people.
    UnknownPeople(Vec<PersonKey>),
    /// The job is not held.
    WrongState,
}

/// What a person approves of a held job. By default everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Approve<'a> {
    /// These categories alone; `None` for all.
    pub only: Option<&'a [GuardCategory]>,
    /// People who are left as they are.
    pub leave_people: &'a [PersonKey],
}

/// Lets a held job run, for some categories only and without some people. It applies as much as it
/// was held for, and is held again if the change has grown since. The other categories and people
/// stay as they are in iP, in this run and, if it is held again, in the next. Its deadline starts
/// again. Approving twice has no further effect.
pub async fn approve(
    pool: &PgPool,
    id: JobId,
    approve: Approve<'_>,
    actor: &Actor,
) -> Result<Approved, Error> {
    let Approve { only, leave_people } = approve;
    let mut tx = crate::begin(pool).await?;
    let held = sqlx::query!("SELECT FROM job WHERE id = $1 AND state = 'held' FOR UPDATE", id.0)
        .fetch_optional(&mut *tx)
        .await?;
    let job = query::fetch(&mut tx, id).await?;
    let (Some(_), Some(job)) = (held, job) else { return Ok(Approved::WrongState) };
    if job.approval.is_some() {
        return Ok(Approved::Done(Box::new(job)));
    }
    let report = job.report.unwrap_or_default();
    let is_approved = |category: &GuardCategory| only.is_none_or(|only| only.contains(category));
    let is_shown = |category: &GuardCategory| {
        report.guard.iter().any(|affected| affected.category == *category)
    };
    let unknown: Vec<_> =
        only.unwrap_or_default().iter().copied().filter(|category| !is_shown(category)).collect();
    if !unknown.is_empty() {
        return Ok(Approved::NotHeldFor(unknown));
    }
    let strangers = strangers(&mut tx, id, leave_people).await?;
    if !strangers.is_empty() {
        return Ok(Approved::UnknownPeople(strangers));
    }
    let (approved, left_out): (Vec<Affected>, Vec<Affected>) =
        report.guard.iter().partition(|affected| is_approved(&affected.category));
    let left_out = [report.left_out, left_out].concat();
    sqlx::query!(
        r#"
        UPDATE job SET approved = $2, left_out = $3, leave_people = leave_people || $4::jsonb,
            approved_at = now(), delivered_at = now(),
            deadline_at = now() + (deadline_at - created_at)
        WHERE id = $1
        "#,
        id.0,
        serde_json::to_value(approved).expect("categories are plain JSON"),
        serde_json::to_value(left_out).expect("categories are plain JSON"),
        serde_json::to_value(leave_people).expect("ids are plain JSON"),
    )
    .execute(&mut *tx)
    .await?;
    let job = record(&mut tx, id, actor, AuditAction::Approve).await?;
    tx.commit().await?;
    Ok(job.map_or(Approved::WrongState, |job| Approved::Done(Box::new(job))))
}

/// Those of these people about whom the job changes nothing.
async fn strangers(
    db: &mut PgConnection,
    id: JobId,
    people: &[PersonKey],
) -> Result<Vec<PersonKey>, Error> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT staff_id, wonde_id FROM job_change
        WHERE job_id = $1 AND record = 'staff'
        "#,
        id.0,
    )
    .fetch_all(db)
    .await?;
    let known: HashSet<PersonKey> = rows
        .into_iter()
        .filter_map(|row| match (row.staff_id, row.wonde_id) {
            (Some(id), _) => Some(PersonKey::StaffId(StaffId(id))),
            (None, wonde_id) => wonde_id.map(PersonKey::WondeId),
        })
        .collect();
    Ok(people.iter().filter(|key| !known.contains(key)).cloned().collect())
}

/// Makes a retrying job due at once.
pub async fn retry_now(pool: &PgPool, id: JobId, actor: &Actor) -> Result<Option<Job>, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query!(
        r#"
        UPDATE job SET next_attempt_at = now(), delivered_at = now()
        WHERE id = $1 AND state = 'retrying'
        "#,
        id.0,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let job = record(&mut tx, id, actor, AuditAction::Retry).await?;
    tx.commit().await?;
    Ok(job)
}

/// Adds a job that does the same as a failed or cancelled one, or finds the unfinished one that
/// already does it.
pub async fn retry_finished(
    pool: &PgPool,
    id: JobId,
    actor: &Actor,
) -> Result<Option<Enqueued>, Error> {
    let mut tx = crate::begin(pool).await?;
    let Some(enqueued) = super::enqueue::repeat(&mut tx, id, &actor.requester).await? else {
        return Ok(None);
    };
    match &enqueued {
        Enqueued::New(_) => {
            record(&mut tx, id, actor, AuditAction::Retry).await?;
        }
        Enqueued::Existing(_) => settle(&mut tx, id, actor).await?,
    }
    tx.commit().await?;
    Ok(Some(enqueued))
}

/// Counts the result for an action on many jobs.
async fn settle(db: &mut PgConnection, id: JobId, actor: &Actor) -> Result<(), Error> {
    let Some(bulk_id) = actor.bulk else { return Ok(()) };
    bulk::settle(db, bulk_id, id, bulk::Outcome::Done).await
}

/// Counts the result for an action on many jobs, writes the line of the audit log, and returns the
/// job as it is now.
async fn record(
    db: &mut PgConnection,
    id: JobId,
    actor: &Actor,
    action: AuditAction,
) -> Result<Option<Job>, Error> {
    settle(db, id, actor).await?;
    let job = query::fetch(db, id).await?;
    if let Some(job) = &job {
        audit::record(db, actor, &Entry::of_job(action, job)).await?;
    }
    Ok(job)
}
