use chrono::{DateTime, Utc};
use mis_sync_domain::Lane;
use sqlx::PgPool;

use crate::Error;

/// Beyond this number, waiting jobs are not counted.
const COUNT_AT_MOST: i64 = 10_000;

/// Whether the service itself works, whatever its schools need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vitals {
    /// Workers that are there and take jobs.
    pub workers: i64,
    /// Workers that are there but are being drained.
    pub draining: i64,
    /// Workers that vanished within the last hour without being stopped, the last seen first.
    pub lost: Vec<LostWorker>,
    pub paused: Vec<PausedLane>,
    /// Syncs and logins that wait for a worker, up to 10,000.
    pub waiting: i64,
    /// Syncs that wait for approval.
    pub held: i64,
}

/// A worker that was not stopped, and is not seen any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostWorker {
    pub name: String,
    pub seen_at: DateTime<Utc>,
}

/// A lane of which no worker takes jobs, because a person paused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedLane {
    pub lane: Lane,
    pub since: DateTime<Utc>,
    /// When it ends by itself.
    pub until: Option<DateTime<Utc>>,
    pub actor: String,
    pub reason: Option<String>,
}

/// Reads all of it; few rows are looked at.
pub async fn vitals(pool: &PgPool) -> Result<Vitals, Error> {
    let counts = sqlx::query!(
        r#"
        SELECT (SELECT count(*) FROM worker WHERE stopped_at IS NULL
                AND seen_at >= now() - interval '10 seconds' AND drain_requested_at IS NULL)
                AS "workers!",
            (SELECT count(*) FROM worker WHERE stopped_at IS NULL
                AND seen_at >= now() - interval '10 seconds' AND drain_requested_at IS NOT NULL)
                AS "draining!",
            (SELECT count(*) FROM (SELECT FROM job WHERE state IN ('queued', 'retrying')
                AND lane <> 'internal' LIMIT $1) waiting) AS "waiting!",
            (SELECT count(*) FROM job WHERE state = 'held') AS "held!"
        "#,
        COUNT_AT_MOST,
    )
    .fetch_one(pool)
    .await?;
    let lost = sqlx::query_as!(
        LostWorker,
        r#"
        SELECT name, seen_at FROM worker WHERE stopped_at IS NULL
            AND seen_at BETWEEN now() - interval '1 hour' AND now() - interval '10 seconds'
        ORDER BY seen_at DESC
        "#,
    )
    .fetch_all(pool)
    .await?;
    let paused = sqlx::query!(
        r#"
        SELECT target, paused_at, until, actor, reason FROM pause
        WHERE scope = 'lane' AND (until IS NULL OR until > now()) ORDER BY target
        "#
    )
    .fetch_all(pool)
    .await?;
    let lane = |text: &str| {
        let broken = |_| Error::Inconsistent { table: "pause", column: "target", id: text.into() };
        text.parse().map_err(broken)
    };
    Ok(Vitals {
        workers: counts.workers,
        draining: counts.draining,
        lost,
        paused: paused
            .into_iter()
            .map(|row| {
                let lane = lane(&row.target)?;
                let (since, until) = (row.paused_at, row.until);
                Ok(PausedLane { lane, since, until, actor: row.actor, reason: row.reason })
            })
            .collect::<Result<_, Error>>()?,
        waiting: counts.waiting,
        held: counts.held,
    })
}
