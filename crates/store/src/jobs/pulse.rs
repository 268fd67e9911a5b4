//! Short texts that differ if something happened, for readers that poll.

use mis_sync_domain::JobId;
use sqlx::PgPool;

use crate::Error;

/// For the whole ledger: every unfinished job with its progress, and the last one that ended.
pub async fn pulse(pool: &PgPool) -> Result<String, Error> {
    let pulse = sqlx::query_scalar!(
        r#"
        SELECT coalesce(sum(hashtextextended(
                concat_ws('/', id, state, attempt, stage, progress_done, approved_at), 0
            )), 0)::text || '-'
            || coalesce((SELECT extract(epoch FROM max(finished_at))::text FROM job), '') AS "pulse!"
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
