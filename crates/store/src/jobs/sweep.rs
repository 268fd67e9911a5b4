use std::time::Duration;

use mis_sync_domain::{JobFailure, JobId, JobKind, JobState, Lane};
use mis_sync_telemetry::metrics;
use sqlx::PgPool;

use super::{claim::known_kinds, enqueue::interval};
use crate::Error;

/// A job whose id has to be sent to Redis (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub id: JobId,
    pub lane: Lane,
    /// What it was when it was found.
    pub state: JobState,
}

/// Finds jobs that should be running but that no worker took: queued and not taken within
/// `patience` of their last delivery, the same for held ones that were approved, retrying and due,
/// running with an expired lease. Each is marked as delivered, so that several sweepers do not all
/// push it. Paused ones are left alone.
pub async fn take_due(pool: &PgPool, patience: Duration, limit: i64) -> Result<Vec<Due>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH due AS (
            SELECT id FROM job
            WHERE (((state = 'queued' OR state = 'held' AND approved_at IS NOT NULL)
                    -- A delivery in the future was noted before the clock jumped back.
                    AND delivered_at NOT BETWEEN now() - $1::interval AND now() + interval '5 s')
                OR (state = 'retrying' AND next_attempt_at <= now()
                    AND delivered_at < greatest(next_attempt_at, now() - $1::interval))
                OR (state = 'running' AND lease_is_over(lease_until, lease_length)
                    AND delivered_at < greatest(lease_until, now() - $1::interval)))
                -- What a newer release put there is left to its workers.
                AND kind = ANY($3)
                AND NOT is_paused(lane, school_id)
            ORDER BY id LIMIT $2
            FOR UPDATE SKIP LOCKED
        )
        UPDATE job SET delivered_at = now() FROM due WHERE job.id = due.id
        RETURNING job.id, job.lane, job.state
        "#,
        interval(patience),
        limit,
        &known_kinds(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken =
                |column| Error::Inconsistent { table: "job", column, id: row.id.to_string() };
            Ok(Due {
                id: JobId(row.id),
                lane: row.lane.parse().map_err(|_| broken("lane"))?,
                state: row.state.parse().map_err(|_| broken("state"))?,
            })
        })
        .collect()
}

/// Ends jobs that may not start another attempt, because their worker was lost in the last one or
/// their deadline has passed. Returns their number. While a lane or a school is paused, its
/// deadlines stand still.
pub async fn fail_exhausted(pool: &PgPool) -> Result<u64, Error> {
    let lost = JobFailure {
        code: "worker_lost".into(),
        title: "The worker died several times".into(),
        detail: "Too many of the job's attempts ended because their worker died.".into(),
    };
    let late = JobFailure {
        code: "deadline_passed".into(),
        title: "The job did not finish in time".into(),
        detail: "The job's deadline passed before an attempt succeeded.".into(),
    };
    let done = sqlx::query!(
        r#"
        WITH ended AS (
            UPDATE job SET state = 'failed', finished_at = now(), lease_until = NULL,
                next_attempt_at = NULL,
                error = CASE WHEN deadline_at > now() THEN $1::jsonb
                    ELSE coalesce(error, $2::jsonb) END
            WHERE ((state = 'running' AND lease_is_over(lease_until, lease_length)
                    AND (crashes + 1 >= least(max_attempts, 5) OR deadline_at <= now()))
                OR ((state IN ('queued', 'retrying') OR state = 'held' AND approved_at IS NOT NULL)
                    AND deadline_at <= now()))
                AND NOT is_paused(lane, school_id)
            RETURNING id, fence, kind
        ), lost AS (
            UPDATE job_attempt a SET ended_at = now(), outcome = 'lost'
            FROM ended
            WHERE a.job_id = ended.id AND a.fence = ended.fence AND a.ended_at IS NULL
        )
        SELECT kind AS "kind!", count(*) AS "count!" FROM ended GROUP BY kind
        "#,
        serde_json::to_value(lost).expect("a failure is plain JSON"),
        serde_json::to_value(late).expect("a failure is plain JSON"),
    )
    .fetch_all(pool)
    .await?;
    let mut all = 0;
    for ended in done {
        let count = u64::try_from(ended.count).unwrap_or_default();
        let kind = JobKind::in_ledger(&ended.kind);
        metrics::JOBS_ENDED.add([kind.as_str(), JobState::Failed.as_str()], count);
        all += count;
    }
    Ok(all)
}
