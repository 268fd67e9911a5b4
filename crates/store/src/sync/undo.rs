//! Reverses what a job changed, all of it or nothing: [`plan::undo`] says what to write. The undo
//! is a job of its own, so it has a history and can itself be undone.

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    AuditAction, ChangedField, FieldValue, Job, JobId, JobState, OnBehalfOf, RecordKind, Report,
    SchoolId, StaffId, SyncOptions,
    plan::{self, Conflict, Held, NewIds, Past},
};
use sqlx::{PgConnection, PgPool};

use super::{MAX_LOOKS, Write, groups, held, history};
use crate::{
    Error,
    audit::{self, Actor, Entry},
    jobs,
    pauses::{self, Begun, Scope},
};

/// The result of a request to undo.
#[derive(Debug)]
pub enum Undone {
    /// The changes were reversed by this job.
    Done(Box<Job>),
    /// Some of it cannot be reversed, so nothing was.
    Conflicts(Vec<Conflict>),
    /// The job changed nothing, was a dry run, or was already undone.
    Nothing,
    /// The job has not succeeded.
    WrongState,
}

/// Reverses what a job changed. If a time is given, the school is paused until then, so that the next
/// sync does not apply the same again before the MIS is corrected.
pub async fn undo(
    pool: &PgPool,
    id: JobId,
    pause_until: Option<DateTime<Utc>>,
    actor: &Actor,
) -> Result<Undone, Error> {
    let mut looks = 1;
    loop {
        match try_undo(pool, id, pause_until, actor).await {
            Err(error) if error.asks_for_another_look() && looks < MAX_LOOKS => looks += 1,
            other => return other,
        }
    }
}

async fn try_undo(
    pool: &PgPool,
    id: JobId,
    pause_until: Option<DateTime<Utc>>,
    actor: &Actor,
) -> Result<Undone, Error> {
    let mut tx = crate::begin(pool).await?;
    let Some(job) = jobs::get_in(&mut tx, id).await? else { return Ok(Undone::WrongState) };
    let Some(school_id) = &job.school_id else { return Ok(Undone::Nothing) };
    lock_school(&mut tx, school_id).await?;
    if job.state != JobState::Succeeded {
        return Ok(Undone::WrongState);
    }
    let history = read_history(&mut tx, &job, school_id).await?;
    if job.options.dry_run || history.is_empty() || is_undone(&mut tx, id).await? {
        return Ok(Undone::Nothing);
    }
    let held = read_held(&mut tx, school_id, &history).await?;
    let planned = match plan::undo(&held, &history) {
        Ok(planned) => planned,
        Err(conflicts) => return Ok(Undone::Conflicts(conflicts)),
    };
    let undo = insert_job(&mut tx, &job, actor, &planned.report).await?;
    let write = Write {
        job_id: undo,
        school_id,
        plan: &planned,
        is_applied: true,
        is_of_one_person: false,
    };
    let ids = NewIds::default();
    write.apply(&mut tx, &ids).await?;
    history::write_changes(&mut tx, undo, &planned.changes(&ids)).await?;
    let done = jobs::get_in(&mut tx, undo).await?.ok_or(Error::LeaseLost)?;
    let scope = Scope::School(school_id.clone());
    let begun = match pause_until {
        Some(_) => pauses::begin_pause(&mut tx, &scope, pause_until, actor).await?,
        None => Begun::Before,
    };
    audit::record(&mut tx, actor, &Entry::of_job(AuditAction::Undo, &job)).await?;
    if begun == Begun::Now {
        pauses::record(&mut tx, &scope, actor, AuditAction::Pause).await?;
    }
    tx.commit().await?;
    Ok(Undone::Done(Box::new(done)))
}

/// The newest undo of a school, if no later sync has been applied: what it reversed is not in iP, and
/// the next sync applies it again unless the MIS is corrected. If a person is given, only an undo
/// that changed them counts.
pub async fn in_force(
    pool: &PgPool,
    school_id: &SchoolId,
    staff_id: Option<StaffId>,
) -> Result<Option<Job>, Error> {
    let id = sqlx::query_scalar!(
        r#"
        SELECT u.id FROM job u
        WHERE u.undo_of IS NOT NULL AND u.school_id = $1
            AND ($2::uuid IS NULL
                OR EXISTS (SELECT FROM job_change c WHERE c.job_id = u.id AND c.staff_id = $2))
            AND NOT EXISTS (
                SELECT FROM job later
                WHERE later.school_id = $1 AND later.id > u.id AND later.kind = 'sync-school'
                    AND later.state = 'succeeded' AND later.undo_of IS NULL
                    AND later.options ->> 'dry_run' IS DISTINCT FROM 'true')
        ORDER BY u.id DESC LIMIT 1
        "#,
        school_id.as_str(),
        staff_id.map(|id| id.0),
    )
    .fetch_optional(pool)
    .await?;
    match id {
        Some(id) => jobs::get(pool, JobId(id)).await,
        None => Ok(None),
    }
}

/// There is one writer at a time, as with a sync.
async fn lock_school(db: &mut PgConnection, id: &SchoolId) -> Result<(), Error> {
    sqlx::query_scalar!("SELECT id FROM school WHERE id = $1 FOR NO KEY UPDATE", id.as_str())
        .fetch_optional(db)
        .await?;
    Ok(())
}

async fn is_undone(db: &mut PgConnection, id: JobId) -> Result<bool, Error> {
    let is_undone = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM job WHERE undo_of = $1) AS "is_undone!""#,
        id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(is_undone)
}

async fn read_history(
    db: &mut PgConnection,
    job: &Job,
    school_id: &SchoolId,
) -> Result<Vec<Past>, Error> {
    let changes = jobs::changes_of_field(&mut *db, job.id, None, 0, i64::MAX).await?;
    let later = jobs::later_changes(db, school_id, job.id).await?;
    let past = |(_, change): (i64, mis_sync_domain::Change)| {
        let later = later.get(&(change.record, change.field)).copied();
        Past { change, later }
    };
    Ok(changes.into_iter().map(past).collect())
}

/// Everyone of the school, and the other records that the history is about.
async fn read_held(
    db: &mut PgConnection,
    school_id: &SchoolId,
    history: &[Past],
) -> Result<Held, Error> {
    let people = held::read_people(db, school_id).await?;
    let of_email = history.iter().filter(|past| past.change.field == ChangedField::Email);
    let emails = of_email.filter_map(|past| past.change.old.as_ref().map(FieldValue::as_str));
    let closed = people.iter().filter(|account| !account.person.active);
    let emails = emails.chain(closed.map(|account| account.person.email.as_str()));
    let logins = held::read_logins(db, school_id, None, &people, emails).await?;
    let mut held = Held { logins, people, ..Held::default() };
    if history.iter().any(|past| past.change.record.kind() != RecordKind::Staff) {
        held.subjects = groups::subjects(db, school_id).await?;
        held.classes = groups::classes(db, school_id).await?;
    }
    Ok(held)
}

/// The undo as a job that has already succeeded, so no worker runs it.
async fn insert_job(
    db: &mut PgConnection,
    of: &Job,
    actor: &Actor,
    report: &Report,
) -> Result<JobId, Error> {
    let id = JobId::new();
    sqlx::query!(
        r#"
        INSERT INTO job (id, kind, lane, school_id, staff_id, options, unique_key, requested_by,
            state, max_attempts, deadline_at, started_at, finished_at, stage, undo_of, report,
            on_behalf_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'succeeded', $9, now(), now(),
            clock_timestamp(), 'applying', $10, $11, $12)
        "#,
        id.0,
        of.kind.as_str(),
        of.lane.as_str(),
        of.school_id.as_ref().map(SchoolId::as_str),
        of.staff_id.map(|id| id.0),
        serde_json::to_value(SyncOptions::default()).expect("options are plain JSON"),
        format!("undo:{}", of.id),
        actor.requester.name,
        i32::from(of.max_attempts),
        of.id.0,
        serde_json::to_value(report).expect("a report is plain JSON"),
        actor.requester.on_behalf_of.as_ref().map(OnBehalfOf::as_str),
    )
    .execute(db)
    .await?;
    Ok(id)
}
