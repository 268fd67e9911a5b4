use std::time::Duration;

use mis_sync_domain::{ApiKeyId, Job, JobId, JobKind, SchoolId, SyncOptions};
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use super::row::JobRow;
use crate::Error;

/// A job to be put in the ledger.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// The school it is for; it must exist.
    pub school_id: SchoolId,
    /// What the caller asks for.
    pub options: SyncOptions,
    /// Of the unfinished jobs only one may have it.
    pub unique_key: String,
    /// Name of the API key or command that asks.
    pub requested_by: String,
    /// No attempt starts later than this after now.
    pub deadline: Duration,
}

/// No attempt of a sync starts later than this after it was asked for.
const SYNC_DEADLINE: Duration = Duration::from_hours(6);

impl NewJob {
    /// A sync of a school. Of each school one real sync and one dry run can be unfinished.
    pub fn sync_school(school_id: SchoolId, options: SyncOptions, requested_by: &str) -> Self {
        let suffix = if options.dry_run { ":dry-run" } else { "" };
        Self {
            kind: JobKind::SyncSchool,
            unique_key: format!("sync-school:{school_id}{suffix}"),
            school_id,
            options,
            requested_by: requested_by.to_owned(),
            deadline: SYNC_DEADLINE,
        }
    }
}

/// An `Idempotency-Key` header with what it was sent with.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Whose header it is.
    pub api_key_id: ApiKeyId,
    /// Its value.
    pub key: String,
    /// SHA-256 of what was asked.
    pub request_hash: Vec<u8>,
}

/// The job that answers a request.
#[derive(Debug, Clone)]
pub enum Enqueued {
    /// It is new, and somebody has to deliver its id.
    New(Job),
    /// One with the same unique key is unfinished, or the idempotency key was seen before.
    Existing(Job),
}

impl Enqueued {
    /// The job, new or not.
    pub fn job(&self) -> &Job {
        match self {
            Self::New(job) | Self::Existing(job) => job,
        }
    }
}

/// Puts a job in the ledger, or finds the unfinished one that is already there.
pub async fn enqueue(
    pool: &PgPool,
    new: &NewJob,
    idempotency: Option<&Idempotency>,
) -> Result<Enqueued, Error> {
    let Some(header) = idempotency else {
        // The insert is all there is to write: it commits by itself, in one round trip.
        let mut connection = pool.acquire().await?;
        return insert_or_find(&mut connection, new).await;
    };
    let mut tx = pool.begin().await?;
    if let Some(job) = answered_before(&mut tx, header).await? {
        return Ok(Enqueued::Existing(job));
    }
    let enqueued = insert_or_find(&mut tx, new).await?;
    if !remember(&mut tx, header, enqueued.job().id).await? {
        // The same request came twice at once, and the other one was first.
        tx.rollback().await?;
        let mut connection = pool.acquire().await?;
        return match answered_before(&mut connection, header).await? {
            Some(job) => Ok(Enqueued::Existing(job)),
            None => Err(Error::IdempotencyKeyReused),
        };
    }
    tx.commit().await?;
    Ok(enqueued)
}

async fn insert_or_find(db: &mut PgConnection, new: &NewJob) -> Result<Enqueued, Error> {
    // Between the insert that meets an unfinished job and the look at it, that job may end:
    // then the next insert succeeds, unless yet another press was quicker.
    loop {
        if let Some(job) = insert(db, new).await? {
            return Ok(Enqueued::New(job));
        }
        if let Some(job) = find_unfinished(db, &new.unique_key).await? {
            return Ok(Enqueued::Existing(job));
        }
    }
}

async fn insert(db: &mut PgConnection, new: &NewJob) -> Result<Option<Job>, Error> {
    let row = sqlx::query_as!(
        JobRow,
        r#"
        INSERT INTO job (id, kind, lane, school_id, options, unique_key, requested_by,
            max_attempts, deadline_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9)
        ON CONFLICT (unique_key) WHERE state IN ('queued', 'running', 'retrying', 'held')
            DO NOTHING
        RETURNING id, kind, school_id, staff_id, options, requested_by, state, attempt,
            max_attempts, created_at, started_at, finished_at, next_attempt_at, stage,
            progress_done, progress_total, report, error, fence
        "#,
        JobId::new().0,
        new.kind.as_str(),
        new.kind.lane().as_str(),
        new.school_id.as_str(),
        serde_json::to_value(new.options).expect("options are plain JSON"),
        new.unique_key,
        new.requested_by,
        i32::from(new.kind.max_attempts()),
        interval(new.deadline),
    )
    .fetch_optional(db)
    .await?;
    row.map(Job::try_from).transpose()
}

async fn find_unfinished(db: &mut PgConnection, unique_key: &str) -> Result<Option<Job>, Error> {
    let row = sqlx::query_as!(
        JobRow,
        r#"
        SELECT id, kind, school_id, staff_id, options, requested_by, state, attempt,
            max_attempts, created_at, started_at, finished_at, next_attempt_at, stage,
            progress_done, progress_total, report, error, fence
        FROM job
        WHERE unique_key = $1 AND state IN ('queued', 'running', 'retrying', 'held')
        "#,
        unique_key,
    )
    .fetch_optional(db)
    .await?;
    row.map(Job::try_from).transpose()
}

/// The job that answers this idempotency key, if the same request came before.
pub async fn answered(pool: &PgPool, header: &Idempotency) -> Result<Option<Job>, Error> {
    let mut connection = pool.acquire().await?;
    answered_before(&mut connection, header).await
}

async fn answered_before(
    db: &mut PgConnection,
    header: &Idempotency,
) -> Result<Option<Job>, Error> {
    let seen = sqlx::query!(
        "SELECT job_id, request_hash FROM idempotency_key WHERE api_key_id = $1 AND key = $2",
        header.api_key_id.0,
        header.key,
    )
    .fetch_optional(&mut *db)
    .await?;
    match seen {
        None => Ok(None),
        Some(seen) if seen.request_hash != header.request_hash => Err(Error::IdempotencyKeyReused),
        Some(seen) => super::query::fetch(db, JobId(seen.job_id)).await,
    }
}

/// `false`: the key was taken in the meantime.
async fn remember(db: &mut PgConnection, header: &Idempotency, job: JobId) -> Result<bool, Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO idempotency_key (api_key_id, key, request_hash, job_id)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
        "#,
        header.api_key_id.0,
        header.key,
        header.request_hash,
        job.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) fn interval(duration: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
    }
}
