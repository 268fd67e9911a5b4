use std::time::Duration;

use mis_sync_domain::{Affected, JobFailure, JobState, Lease, Progress, Report};
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::enqueue::interval;
use crate::Error;

/// [`Error::LeaseLost`] unless one row was changed.
pub(crate) fn require_one(rows: u64) -> Result<(), Error> {
    if rows == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Records the progress of a run.
pub async fn progress(pool: &PgPool, lease: Lease, progress: Progress) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH noted AS (
            UPDATE job SET stage = $3, progress_done = $4, progress_total = $5
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        ), begun AS (
            UPDATE job_attempt a SET comparing_at = clock_timestamp() FROM noted
            WHERE a.job_id = noted.id AND a.fence = noted.fence AND $3 = 'comparing'
        )
        SELECT count(*) AS "count!" FROM noted
        "#,
        lease.job_id.0,
        lease.fence,
        progress.stage.as_str(),
        count(progress.done),
        progress.total.map(count),
    )
    .fetch_one(pool)
    .await?;
    require_one(done.count.unsigned_abs())
}

/// `running -> succeeded`. It is part of the transaction that writes the people, so that both
/// happen or neither.
pub async fn succeed(db: &mut PgConnection, lease: Lease, report: &Report) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'succeeded', finished_at = clock_timestamp(), report = $3,
                error = NULL, lease_until = NULL, stage = 'applying',
                progress_done = $4, progress_total = $4
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        )
        UPDATE job_attempt a SET ended_at = clock_timestamp(), outcome = 'succeeded'
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        "#,
        lease.job_id.0,
        lease.fence,
        serde_json::to_value(report).expect("a report is plain JSON"),
        count(report.current),
    )
    .execute(db)
    .await?;
    require_one(done.rows_affected())
}

/// `running -> succeeded` for an internal job; if its work is in the database, in the transaction
/// that does it.
pub async fn finish(db: impl PgExecutor<'_>, lease: Lease) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'succeeded', finished_at = clock_timestamp(), error = NULL,
                lease_until = NULL
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        )
        UPDATE job_attempt a SET ended_at = clock_timestamp(), outcome = 'succeeded'
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        "#,
        lease.job_id.0,
        lease.fence,
    )
    .execute(db)
    .await?;
    require_one(done.rows_affected())
}

/// `running -> held`: the change is unusually large and waits for approval. It is part of the
/// transaction that records what would change. The attempt is not spent, because the job did its
/// work.
pub(crate) async fn hold(
    db: &mut PgConnection,
    lease: Lease,
    report: &Report,
) -> Result<(), Error> {
    let sentences: Vec<String> = report.guard.iter().map(Affected::sentence).collect();
    let failure = JobFailure {
        code: "implausible_change".into(),
        title: "Unusually large change: needs approval".into(),
        detail: format!("{}.", sentences.join("; ")),
    };
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'held', report = $3, error = $4, lease_until = NULL,
                attempt = attempt - 1, approved = NULL, approved_at = NULL
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        )
        UPDATE job_attempt a SET ended_at = clock_timestamp(), outcome = 'held'
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        "#,
        lease.job_id.0,
        lease.fence,
        serde_json::to_value(report).expect("a report is plain JSON"),
        as_json(&failure),
    )
    .execute(db)
    .await?;
    require_one(done.rows_affected())
}

/// `running -> retrying` in `after`, or `running -> failed` if no attempt is left or the next one
/// would start past the job's deadline. The attempt is spent. Returns the new state.
pub async fn retry(
    pool: &PgPool,
    lease: Lease,
    failure: &JobFailure,
    after: Duration,
) -> Result<JobState, Error> {
    try_again(pool, lease, failure, after, true).await
}

/// `running -> retrying` in `after` without spending the attempt, because Wonde asked us to wait.
/// Past the job's deadline it is still `failed`. Returns the new state.
pub async fn snooze(
    pool: &PgPool,
    lease: Lease,
    failure: &JobFailure,
    after: Duration,
) -> Result<JobState, Error> {
    try_again(pool, lease, failure, after, false).await
}

async fn try_again(
    pool: &PgPool,
    lease: Lease,
    failure: &JobFailure,
    after: Duration,
    spends_attempt: bool,
) -> Result<JobState, Error> {
    let too_late = JobFailure {
        detail: format!(
            "{} The next attempt would start after the job's deadline.",
            failure.detail
        ),
        ..failure.clone()
    };
    let has_failed = sqlx::query_scalar!(
        r#"
        WITH verdict AS (
            SELECT id AS job_id, NOT $5 OR attempt - crashes < max_attempts AS has_attempt,
                now() + $4 < deadline_at OR is_paused(lane, school_id) AS is_in_time
            FROM job WHERE id = $1
        ), ended AS (
            UPDATE job SET lease_until = NULL, attempt = attempt - (NOT $5)::int,
                error = CASE WHEN has_attempt AND NOT is_in_time THEN $6::jsonb ELSE $3::jsonb END,
                state = CASE WHEN has_attempt AND is_in_time THEN 'retrying' ELSE 'failed' END,
                next_attempt_at = CASE WHEN has_attempt AND is_in_time THEN now() + $4 END,
                finished_at = CASE WHEN has_attempt AND is_in_time THEN NULL ELSE now() END
            FROM verdict
            WHERE id = job_id AND fence = $2 AND state = 'running'
            RETURNING id, fence, state, error
        )
        UPDATE job_attempt a SET ended_at = now(), error = ended.error,
            outcome = CASE WHEN state = 'failed' THEN 'failed' WHEN $5 THEN 'retry' ELSE 'snoozed' END
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        RETURNING ended.state = 'failed' AS "has_failed!"
        "#,
        lease.job_id.0,
        lease.fence,
        as_json(failure),
        interval(after),
        spends_attempt,
        as_json(&too_late),
    )
    .fetch_optional(pool)
    .await?
    .ok_or(Error::LeaseLost)?;
    Ok(if has_failed { JobState::Failed } else { JobState::Retrying })
}

/// `running -> failed`: another attempt would not help.
pub async fn fail(pool: &PgPool, lease: Lease, failure: &JobFailure) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'failed', finished_at = now(), error = $3, lease_until = NULL
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        )
        UPDATE job_attempt a SET ended_at = now(), outcome = 'failed', error = $3
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        "#,
        lease.job_id.0,
        lease.fence,
        as_json(failure),
    )
    .execute(pool)
    .await?;
    require_one(done.rows_affected())
}

/// `running -> queued`: the worker stops and hands the job back, as if it had never begun. What it
/// staged stays for the next one.
pub async fn release(pool: &PgPool, lease: Lease) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'queued', attempt = attempt - 1, lease_until = NULL,
                delivered_at = now()
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        )
        UPDATE job_attempt a SET ended_at = now(), outcome = 'released'
        FROM ended WHERE a.job_id = ended.id AND a.fence = ended.fence
        "#,
        lease.job_id.0,
        lease.fence,
    )
    .execute(pool)
    .await?;
    require_one(done.rows_affected())
}

fn as_json(failure: &JobFailure) -> serde_json::Value {
    serde_json::to_value(failure).expect("a failure is plain JSON")
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
