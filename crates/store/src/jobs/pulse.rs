//! Short texts that differ if something happened, for readers that poll.

use mis_sync_domain::JobId;
use sqlx::PgPool;

use crate::Error;

/// For the whole ledger: every unfinished job with its progress, the last one that ended, what is
/// paused, and how each worker stands.
pub async fn pulse(pool: &PgPool) -> Result<String, Error> {
    let pulse = sqlx::query_scalar!(
        r#"
        SELECT coalesce(sum(hashtextextended(
                concat_ws('/', id, state, attempt, stage, progress_done, approved_at), 0
            )), 0)::text || '-'
            || coalesce((SELECT extract(epoch FROM max(finished_at))::text FROM job), '') || '-'
            || (SELECT coalesce(sum(hashtextextended(concat_ws('/', scope, target, paused_at, until), 0)), 0)
                FROM pause)::text || '-'
            || (SELECT coalesce(sum(hashtextextended(concat_ws('/', name, drain_requested_at,
                    drains_since, stopped_at, seen_at >= now() - interval '10 seconds'), 0)), 0)
                FROM worker)::text AS "pulse!"
        FROM job WHERE state IN ('queued', 'running', 'retrying', 'held')
        "#,
    )
    .fetch_one(pool)
    .await?;
    Ok(pulse)
}

/// For one job.
pub async fn pulse_of(pool: &PgPool, id: JobId) -> Result<String, Error> {
    let pulse = sqlx::query_scalar!(
        r#"
        SELECT concat_ws('/', state, attempt, stage, progress_done, progress_total, next_attempt_at,
            approved_at) AS "pulse!"
        FROM job WHERE id = $1
        "#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(pulse.unwrap_or_default())
}
