//! How a job reached its state: its attempts, and the jobs that it repeats or reverses.

use chrono::{DateTime, Utc};
use mis_sync_domain::{Job, JobFailure, JobId};
use sqlx::PgPool;

use super::row::query_jobs;
use crate::Error;

/// One claim of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Number of the attempt. Snoozed and released ones do not count, and share a number with the
    /// next.
    pub attempt: i32,
    /// The worker that ran it.
    pub worker: String,
    /// When it was claimed.
    pub started_at: DateTime<Utc>,
    /// When everything was fetched and the comparison began; `None` if it did not get that far.
    pub comparing_at: Option<DateTime<Utc>>,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// `succeeded`, `retry`, `snoozed`, `held`, `failed`, `cancelled`, `released` or `lost`.
    pub outcome: Option<String>,
    /// Why it failed.
    pub error: Option<JobFailure>,
}

/// The claims of a job, oldest first; the latest 100 of them.
pub async fn attempts(pool: &PgPool, id: JobId) -> Result<Vec<Attempt>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT attempt, worker, started_at, comparing_at, ended_at, outcome, error
        FROM job_attempt WHERE job_id = $1 ORDER BY fence DESC LIMIT 100
        "#,
        id.0,
    )
    .fetch_all(pool)
    .await?;
    let attempts = rows.into_iter().rev().map(|row| Attempt {
        attempt: row.attempt,
        worker: row.worker,
        started_at: row.started_at,
        comparing_at: row.comparing_at,
        ended_at: row.ended_at,
        outcome: row.outcome,
        error: row.error.and_then(|error| serde_json::from_value(error).ok()),
    });
    Ok(attempts.collect())
}

/// A job with every job that it repeats or reverses, and that repeats or reverses it, however far:
/// oldest first. A job without any is a lineage of one.
pub async fn lineage(pool: &PgPool, id: JobId) -> Result<Vec<Job>, Error> {
    let rows = query_jobs!(
        (r#"
        WITH RECURSIVE line AS (
            SELECT id, retry_of, undo_of, 0 AS depth FROM job WHERE id = $1
            UNION
            SELECT j.id, j.retry_of, j.undo_of, line.depth + 1
            FROM line JOIN job j ON j.id IN (line.retry_of, line.undo_of)
                OR j.retry_of = line.id OR j.undo_of = line.id
            WHERE line.depth < 20
        )
        SELECT "#),
        " FROM job WHERE id IN (SELECT id FROM line) ORDER BY id LIMIT 50",
        id.0,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Job::try_from).collect()
}
