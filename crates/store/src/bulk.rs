//! One action on many jobs. The list of jobs is fixed when it is requested. An internal job then
//! acts on them one by one, each as if a person had done it.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    ActOnJobs, ApiKeyId, AuditAction, BulkId, Job, JobId, JobState, Lease, SchoolId, named,
};
use sqlx::{PgConnection, PgExecutor, PgPool, QueryBuilder};
use uuid::Uuid;

use crate::{
    Error,
    audit::{self, Actor, Entry},
    jobs::{self, JobFilter, NewJob},
};

/// The action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkAction {
    /// Retrying jobs are due at once; failed and cancelled ones run again as new jobs.
    Retry,
    /// Unfinished jobs are cancelled.
    Cancel,
}

impl BulkAction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }

    /// The states that allow it.
    pub fn states(self) -> &'static [JobState] {
        match self {
            Self::Retry => &[JobState::Retrying, JobState::Failed, JobState::Cancelled],
            Self::Cancel => {
                &[JobState::Queued, JobState::Running, JobState::Retrying, JobState::Held]
            }
        }
    }
}

/// The text does not name an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("retry or cancel")]
pub struct UnknownBulkAction;

impl FromStr for BulkAction {
    type Err = UnknownBulkAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "retry" => Ok(Self::Retry),
            "cancel" => Ok(Self::Cancel),
            _ => Err(UnknownBulkAction),
        }
    }
}

impl fmt::Display for BulkAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An action on many jobs, and its progress.
#[derive(Debug, Clone)]
pub struct Bulk {
    pub id: BulkId,
    /// The action.
    pub action: BulkAction,
    /// The filter that chose the jobs.
    pub filter: JobFilter,
    /// Who requested it, and why.
    pub actor: Actor,
    /// The number of jobs.
    pub total: i64,
    /// Jobs on which it was done.
    pub done: i64,
    /// Jobs whose state forbade it when their turn came.
    pub refused: i64,
    /// Jobs on which it failed.
    pub failed: i64,
    /// When it was requested.
    pub started_at: DateTime<Utc>,
    /// When no job was left.
    pub finished_at: Option<DateTime<Utc>>,
}

named!(
    /// The result for one job of a bulk action.
    Outcome, "result of a bulk action for a job", {
        Done = "done",
        /// The job's state forbids it.
        Refused = "refused",
        /// It failed, and would fail again.
        Failed = "failed",
    }
);

/// What became of one job of a bulk action.
#[derive(Debug, Clone)]
pub struct BulkResult {
    /// The job; it may be gone.
    pub job_id: JobId,
    pub school_id: Option<SchoolId>,
    /// `None` before its turn.
    pub outcome: Option<Outcome>,
    /// The job that runs it again if it was retried, otherwise the job itself.
    pub now: Option<(JobId, JobState)>,
}

/// A filter restricted to the states that allow the action; `None` if they have none in common.
pub fn narrow(filter: &JobFilter, action: BulkAction) -> Option<JobFilter> {
    let wanted = |state: &&JobState| filter.states.is_empty() || filter.states.contains(state);
    let states: Vec<JobState> = action.states().iter().filter(wanted).copied().collect();
    (!states.is_empty()).then(|| JobFilter { states, ..filter.clone() })
}

/// Requests an action on all jobs that match now and whose state allows it. Jobs that are added
/// later are not affected. The returned job, if there is one, has to be delivered.
pub async fn start(
    pool: &PgPool,
    action: BulkAction,
    filter: &JobFilter,
    actor: &Actor,
) -> Result<(BulkId, Option<Job>), Error> {
    let id = BulkId::new();
    let mut tx = crate::begin(pool).await?;
    sqlx::query!(
        r#"
        INSERT INTO bulk (id, action, filter, actor, api_key_id, reason, total)
        VALUES ($1, $2, $3, $4, $5, $6, 0)
        "#,
        id.0,
        action.as_str(),
        serde_json::to_value(filter).expect("a filter is plain JSON"),
        actor.requester.name,
        actor.api_key_id.map(|key| key.0),
        actor.reason,
    )
    .execute(&mut *tx)
    .await?;
    let total = match narrow(filter, action) {
        Some(filter) => choose_jobs(&mut tx, id, &filter).await?,
        None => 0,
    };
    sqlx::query!(
        "UPDATE bulk SET total = $2, finished_at = CASE WHEN $2::bigint = 0 THEN now() END WHERE id = $1",
        id.0,
        total,
    )
    .execute(&mut *tx)
    .await?;
    let job = if total > 0 {
        let new = NewJob::of(&ActOnJobs { bulk_id: id }, actor.requester.clone());
        jobs::insert_or_find(&mut tx, &new).await?.into_new()
    } else {
        None
    };
    let subject = Some(format!("{action} {id}"));
    let entry = Entry { subject, ..Entry::new(AuditAction::Bulk) };
    audit::record(&mut tx, actor, &entry).await?;
    tx.commit().await?;
    Ok((id, job))
}

async fn choose_jobs(db: &mut PgConnection, id: BulkId, filter: &JobFilter) -> Result<i64, Error> {
    let mut query = QueryBuilder::new("INSERT INTO bulk_job (bulk_id, job_id) SELECT ");
    query.push_bind(id.0).push(", id FROM (");
    filter.push_select(&mut query, "id", i64::MAX);
    query.push(") AS matching");
    let jobs = query.build().persistent(false).execute(db).await?.rows_affected();
    Ok(i64::try_from(jobs).unwrap_or(i64::MAX))
}

struct BulkRow {
    id: Uuid,
    action: String,
    filter: serde_json::Value,
    actor: String,
    api_key_id: Option<Uuid>,
    reason: Option<String>,
    total: i64,
    done: i64,
    refused: i64,
    failed: i64,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<BulkRow> for Bulk {
    type Error = Error;

    fn try_from(row: BulkRow) -> Result<Self, Error> {
        let broken = |column| Error::Inconsistent { table: "bulk", column, id: row.id.to_string() };
        let api_key_id = row.api_key_id.map(ApiKeyId);
        Ok(Self {
            id: BulkId(row.id),
            action: row.action.parse().map_err(|_| broken("action"))?,
            filter: serde_json::from_value(row.filter).map_err(|_| broken("filter"))?,
            actor: Actor {
                requester: row.actor.as_str().into(),
                api_key_id,
                reason: row.reason,
                bulk: Some(BulkId(row.id)),
            },
            total: row.total,
            done: row.done,
            refused: row.refused,
            failed: row.failed,
            started_at: row.started_at,
            finished_at: row.finished_at,
        })
    }
}

pub async fn get(pool: &PgPool, id: BulkId) -> Result<Option<Bulk>, Error> {
    let row = sqlx::query_as!(
        BulkRow,
        r#"
        SELECT id, action, filter, actor, api_key_id, reason, total, done, refused, failed,
            started_at, finished_at
        FROM bulk WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    row.map(Bulk::try_from).transpose()
}

/// Bulk actions, newest first.
pub async fn list(pool: &PgPool, limit: i64) -> Result<Vec<Bulk>, Error> {
    let rows = sqlx::query_as!(
        BulkRow,
        r#"
        SELECT id, action, filter, actor, api_key_id, reason, total, done, refused, failed,
            started_at, finished_at
        FROM bulk ORDER BY id DESC LIMIT $1
        "#,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Bulk::try_from).collect()
}

/// The next jobs of a bulk action, oldest first.
pub async fn next(pool: &PgPool, id: BulkId, limit: i64) -> Result<Vec<JobId>, Error> {
    let jobs = sqlx::query_scalar!(
        "SELECT job_id FROM bulk_job WHERE bulk_id = $1 ORDER BY job_id LIMIT $2",
        id.0,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(jobs.into_iter().map(JobId).collect())
}

/// What became of the jobs of a bulk action: first the ones that were not done, then the ones that
/// did not succeed again.
pub async fn results(pool: &PgPool, id: BulkId, limit: i64) -> Result<Vec<BulkResult>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT of.job_id AS "job_id!", of.outcome, j.school_id AS "school_id?",
            coalesce(r.id, j.id) AS now_id, coalesce(r.state, j.state) AS now_state
        FROM (
            SELECT job_id, outcome FROM bulk_result WHERE bulk_id = $1
            UNION ALL
            SELECT job_id, NULL FROM bulk_job WHERE bulk_id = $1
        ) of
        LEFT JOIN job j ON j.id = of.job_id
        LEFT JOIN LATERAL (
            SELECT id, state FROM job WHERE retry_of = of.job_id AND of.outcome = 'done'
            ORDER BY id DESC LIMIT 1
        ) r ON true
        ORDER BY of.outcome = 'done', coalesce(r.state, j.state) = 'succeeded', of.job_id
        LIMIT $2
        "#,
        id.0,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken =
                |table, column| Error::Inconsistent { table, column, id: row.job_id.to_string() };
            let outcome = row.outcome.as_deref().map(str::parse).transpose();
            let state = row.now_state.as_deref().map(str::parse).transpose();
            let school = row.school_id.as_deref().map(str::parse).transpose();
            Ok(BulkResult {
                job_id: JobId(row.job_id),
                school_id: school.map_err(|_| broken("job", "school_id"))?,
                outcome: outcome.map_err(|_| broken("bulk_result", "outcome"))?,
                now: row.now_id.map(JobId).zip(state.map_err(|_| broken("job", "state"))?),
            })
        })
        .collect()
}

/// Counts the result for one job, once.
pub async fn settle(
    db: impl PgExecutor<'_>,
    id: BulkId,
    job_id: JobId,
    outcome: Outcome,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH turn AS (
            DELETE FROM bulk_job WHERE bulk_id = $1 AND job_id = $2 RETURNING bulk_id, job_id
        ), noted AS (
            INSERT INTO bulk_result (bulk_id, job_id, outcome)
            SELECT bulk_id, job_id, $6 FROM turn
        )
        UPDATE bulk SET done = done + $3::int, refused = refused + $4::int,
            failed = failed + $5::int
        FROM turn WHERE id = bulk_id
        "#,
        id.0,
        job_id.0,
        i32::from(outcome == Outcome::Done),
        i32::from(outcome == Outcome::Refused),
        i32::from(outcome == Outcome::Failed),
        outcome.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends a bulk action with no job left, and the internal job that ran it.
pub async fn finish(pool: &PgPool, id: BulkId, lease: Lease) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    sqlx::query!("UPDATE bulk SET finished_at = now() WHERE id = $1", id.0)
        .execute(&mut *tx)
        .await?;
    jobs::finish(&mut *tx, lease).await?;
    Ok(tx.commit().await?)
}
