//! The ledger in numbers: now, and over time.

mod now;
mod series;

use std::collections::HashMap;

use mis_sync_domain::{AlertKind, JobKind, JobState, Lane};
use sqlx::PgPool;

use crate::Error;
pub use now::{Now, OpenOutage, now};
pub use series::{KindPoint, Point, Window, fill_periods, series};

/// The figures for monitoring, without people or schools. Each has all its rows, including zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerFigures {
    /// Unfinished jobs.
    pub unfinished: Vec<(JobKind, JobState, f64)>,
    /// How many seconds the oldest queued job of each lane has waited; 0 if there is none.
    pub oldest_queued: Vec<(Lane, f64)>,
    /// Whether a person has paused the lane.
    pub paused: Vec<(Lane, bool)>,
    /// Workers that reported within ten seconds.
    pub workers: f64,
    /// Workers that are running a job.
    pub busy_workers: f64,
    pub open_alerts: Vec<(AlertKind, f64)>,
    /// Schools with a token.
    pub connected_schools: f64,
}

/// Reads all figures in one query. All that it counts is few and has an index: unfinished jobs, open
/// alerts, workers and schools.
pub async fn read(pool: &PgPool) -> Result<LedgerFigures, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT 'jobs' AS "figure!", kind AS "first!", state AS "second!",
            count(*)::float8 AS "value!"
        FROM job WHERE state IN ('queued', 'running', 'retrying', 'held') GROUP BY kind, state
        UNION ALL
        SELECT 'oldest', lane, '', extract(epoch FROM now() - min(created_at))::float8
        FROM job WHERE state = 'queued' GROUP BY lane
        UNION ALL
        SELECT 'paused', target, '', 1 FROM pause WHERE scope = 'lane'
        UNION ALL
        SELECT 'workers', '', '', count(*)::float8
        FROM worker WHERE stopped_at IS NULL AND seen_at > now() - interval '10 seconds'
        UNION ALL
        SELECT 'busy', '', '', count(DISTINCT regexp_replace(worker, '-' || lane || '(-[0-9]+)?$', ''))::float8
        FROM job WHERE state = 'running' AND NOT lease_is_over(lease_until, lease_length)
        UNION ALL
        SELECT 'alerts', kind, '', count(*)::float8
        FROM alert WHERE cleared_at IS NULL GROUP BY kind
        UNION ALL
        SELECT 'schools', '', '', count(*)::float8 FROM school WHERE wonde_token IS NOT NULL
        "#,
    )
    .fetch_all(pool)
    .await?;
    let found: HashMap<(&str, &str, &str), f64> = rows
        .iter()
        .map(|row| ((row.figure.as_str(), row.first.as_str(), row.second.as_str()), row.value))
        .collect();
    let value = |figure, first, second| found.get(&(figure, first, second)).copied().unwrap_or(0.0);
    let unfinished = JobState::ALL.iter().filter(|state| !state.is_finished());
    Ok(LedgerFigures {
        unfinished: unfinished
            .flat_map(|state| JobKind::KNOWN.iter().map(move |kind| (*kind, *state)))
            .map(|(kind, state)| (kind, state, value("jobs", kind.as_str(), state.as_str())))
            .collect(),
        oldest_queued: Lane::ALL
            .iter()
            .map(|lane| (*lane, value("oldest", lane.as_str(), "").max(0.0)))
            .collect(),
        paused: Lane::SHOWN
            .iter()
            .map(|lane| (*lane, value("paused", lane.as_str(), "") > 0.0))
            .collect(),
        workers: value("workers", "", ""),
        busy_workers: value("busy", "", ""),
        open_alerts: AlertKind::ALL
            .iter()
            .map(|kind| (*kind, value("alerts", kind.as_str(), "")))
            .collect(),
        connected_schools: value("schools", "", ""),
    })
}
