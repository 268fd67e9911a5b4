use std::time::Duration;

use mis_sync_domain::{
    ApiKeyId, BackgroundJob, Job, JobFailure, JobId, JobKind, JobState, Lane, OnBehalfOf,
    Requester, SchoolId, StaffId,
};
use mis_sync_telemetry::{metrics, traces};
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use super::row::{JobRow, query_jobs};
use crate::{Error, pool::acquire};

/// A job to add to the ledger.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: JobKind,
    /// The lane it runs in.
    pub lane: Lane,
    /// The school, which must exist.
    pub school_id: Option<SchoolId>,
    /// The person, if the job is about one.
    pub staff_id: Option<StaffId>,
    /// The caller's options, or what an internal job carries.
    pub options: serde_json::Value,
    /// Only one unfinished job may have this key.
    pub unique_key: String,
    /// Who requests it.
    pub requested_by: Requester,
    /// How many attempts it has.
    pub max_attempts: u16,
    /// No attempt starts later than this from now.
    pub deadline: Duration,
}

impl NewJob {
    /// A job with the policy of its kind.
    pub fn of<J: BackgroundJob>(job: &J, requested_by: impl Into<Requester>) -> Self {
        Self {
            kind: J::KIND,
            lane: J::LANE,
            school_id: job.school_id().cloned(),
            staff_id: job.staff_id(),
            options: job.options(),
            unique_key: job.unique_key(),
            requested_by: requested_by.into(),
            max_attempts: J::MAX_ATTEMPTS,
            deadline: J::DEADLINE,
        }
    }
}

/// An `Idempotency-Key` header with the request that it came with.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub api_key_id: ApiKeyId,
    /// The value of the header.
    pub key: String,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
}

/// The job that answers a request.
#[derive(Debug, Clone)]
pub enum Enqueued {
    /// It is new, and the caller has to deliver its id.
    New(Job),
    /// A job with the same unique key is unfinished, or the idempotency key was seen before.
    Existing(Job),
}

impl Enqueued {
    /// The job, new or not.
    pub fn job(&self) -> &Job {
        match self {
            Self::New(job) | Self::Existing(job) => job,
        }
    }

    /// The job, if its id has to be delivered.
    pub fn into_new(self) -> Option<Job> {
        match self {
            Self::New(job) => Some(job),
            Self::Existing(_) => None,
        }
    }
}

/// Adds a job to the ledger, or finds the unfinished one that is already there.
pub async fn enqueue(
    pool: &PgPool,
    new: &NewJob,
    idempotency: Option<&Idempotency>,
) -> Result<Enqueued, Error> {
    let Some(header) = idempotency else {
        // There is nothing but the insert, so it commits by itself, in one round trip.
        let mut connection = acquire(pool).await?;
        return insert_or_find(&mut connection, new).await;
    };
    let mut tx = crate::begin(pool).await?;
    if let Some(job) = answered_before(&mut tx, header).await? {
        return Ok(Enqueued::Existing(job));
    }
    let enqueued = insert_or_find(&mut tx, new).await?;
    if !remember(&mut tx, header, enqueued.job().id).await? {
        // The same request came twice at the same time, and the other one was first.
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

pub(crate) async fn insert_or_find(db: &mut PgConnection, new: &NewJob) -> Result<Enqueued, Error> {
    // The unfinished job that blocks the insert may end before we read it. Then the next insert
    // succeeds, unless yet another press was quicker.
    loop {
        if let Some(job) = insert(db, new).await? {
            return Ok(Enqueued::New(job));
        }
        let Some(job) = find_unfinished(db, &new.unique_key).await? else { continue };
        if job.state != JobState::Held {
            return Ok(Enqueued::Existing(job));
        }
        if let Some(job) = insert_in_place_of(db, job.id, new).await? {
            return Ok(Enqueued::New(job));
        }
        // It was approved or has ended meanwhile.
        if let Some(job) = find_unfinished(db, &new.unique_key).await? {
            return Ok(Enqueued::Existing(job));
        }
    }
}

/// A held job shows what a sync would have done when it ran; a new press checks again. A held job
/// that a person has approved counts as running.
async fn insert_in_place_of(
    db: &mut PgConnection,
    held: JobId,
    new: &NewJob,
) -> Result<Option<Job>, Error> {
    let superseded = JobFailure {
        code: "superseded".into(),
        title: "A newer sync replaced it".into(),
        detail: "Another sync was requested before anyone approved the changes.".into(),
    };
    let row = query_jobs!(
        (r#"
        WITH superseded AS (
            UPDATE job SET state = 'cancelled', finished_at = now(), error = $10
            WHERE id = $9 AND state = 'held' AND approved_at IS NULL
            RETURNING id
        )
        INSERT INTO job (id, kind, lane, school_id, staff_id, options, unique_key, requested_by,
            max_attempts, deadline_at, on_behalf_of, traceparent)
        SELECT $1, $2, $3, $4, $11::uuid, $5::jsonb, $6, $7, $8::int, now() + $12, $13, $14
        FROM superseded
        ON CONFLICT (unique_key) WHERE state IN ('queued', 'running', 'retrying', 'held')
            DO NOTHING
        RETURNING "#),
        "",
        JobId::new().0,
        new.kind.as_str(),
        new.lane.as_str(),
        new.school_id.as_ref().map(SchoolId::as_str),
        new.options,
        new.unique_key,
        new.requested_by.name,
        i32::from(new.max_attempts),
        held.0,
        serde_json::to_value(&superseded).expect("a failure is plain JSON"),
        new.staff_id.map(|id| id.0),
        interval(new.deadline),
        new.requested_by.on_behalf_of.as_ref().map(OnBehalfOf::as_str),
        traces::current(),
    )
    .fetch_optional(db)
    .await?;
    if row.is_some() {
        metrics::JOBS_ENDED.add([new.kind.as_str(), JobState::Cancelled.as_str()], 1);
    }
    added(row)
}

/// The job of a new row, which is counted.
fn added(row: Option<JobRow>) -> Result<Option<Job>, Error> {
    let Some(row) = row else { return Ok(None) };
    let job = Job::try_from(row)?;
    metrics::JOBS_ENQUEUED.add([job.kind.as_str()], 1);
    Ok(Some(job))
}

/// A job that does the same as a failed or cancelled one, or the unfinished one that already does
/// it; `None` if that job is neither failed nor cancelled.
pub(super) async fn repeat(
    db: &mut PgConnection,
    id: JobId,
    requested_by: &Requester,
) -> Result<Option<Enqueued>, Error> {
    let original = sqlx::query_scalar!(
        "SELECT unique_key FROM job WHERE id = $1 AND state IN ('failed', 'cancelled')",
        id.0,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(unique_key) = original else { return Ok(None) };
    loop {
        if let Some(job) = insert_again(db, id, requested_by).await? {
            return Ok(Some(Enqueued::New(job)));
        }
        if let Some(job) = find_unfinished(db, &unique_key).await? {
            return Ok(Some(Enqueued::Existing(job)));
        }
    }
}

async fn insert_again(
    db: &mut PgConnection,
    original: JobId,
    requested_by: &Requester,
) -> Result<Option<Job>, Error> {
    let row = query_jobs!(
        (r#"
        INSERT INTO job (id, kind, lane, school_id, staff_id, options, unique_key, requested_by,
            max_attempts, deadline_at, retry_of, on_behalf_of, traceparent)
        SELECT $2, kind, lane, school_id, staff_id, options, unique_key, $3, max_attempts,
            now() + (deadline_at - created_at), id, $4, $5
        FROM job WHERE id = $1
        ON CONFLICT (unique_key) WHERE state IN ('queued', 'running', 'retrying', 'held')
            DO NOTHING
        RETURNING "#),
        "",
        original.0,
        JobId::new().0,
        requested_by.name,
        requested_by.on_behalf_of.as_ref().map(OnBehalfOf::as_str),
        traces::current(),
    )
    .fetch_optional(db)
    .await?;
    added(row)
}

async fn insert(db: &mut PgConnection, new: &NewJob) -> Result<Option<Job>, Error> {
    let row = query_jobs!(
        (r#"
        INSERT INTO job (id, kind, lane, school_id, staff_id, options, unique_key, requested_by,
            max_attempts, deadline_at, on_behalf_of, traceparent)
        VALUES ($1, $2, $3, $4, $10, $5, $6, $7, $8, now() + $9, $11, $12)
        ON CONFLICT (unique_key) WHERE state IN ('queued', 'running', 'retrying', 'held')
            DO NOTHING
        RETURNING "#),
        "",
        JobId::new().0,
        new.kind.as_str(),
        new.lane.as_str(),
        new.school_id.as_ref().map(SchoolId::as_str),
        new.options,
        new.unique_key,
        new.requested_by.name,
        i32::from(new.max_attempts),
        interval(new.deadline),
        new.staff_id.map(|id| id.0),
        new.requested_by.on_behalf_of.as_ref().map(OnBehalfOf::as_str),
        traces::current(),
    )
    .fetch_optional(db)
    .await?;
    added(row)
}

async fn find_unfinished(db: &mut PgConnection, unique_key: &str) -> Result<Option<Job>, Error> {
    let row = query_jobs!(
        ("SELECT "),
        " FROM job WHERE unique_key = $1 AND state IN ('queued', 'running', 'retrying', 'held')",
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

/// Returns false if the key was used in the meantime.
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
