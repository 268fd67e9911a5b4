//! The ledger in numbers: now, and over time.

mod now;
mod series;
mod vitals;

use mis_sync_domain::{AlertKind, JobKind, JobState, Lane};
use sqlx::PgPool;

use crate::Error;
pub use now::{Cause, Now, OpenOutage, now};
pub use series::{KindPoint, Point, Window, fill_periods, series};
pub use vitals::{LostWorker, PausedLane, Vitals, vitals};

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

/// What is unfinished.
struct Unfinished {
    jobs: Vec<(JobKind, JobState, f64)>,
    oldest_queued: Vec<(Lane, f64)>,
}

/// Reads all figures. All that is counted is few and has an index: unfinished jobs, open alerts,
/// workers and schools.
pub async fn read(pool: &PgPool) -> Result<LedgerFigures, Error> {
    let Unfinished { jobs, oldest_queued } = unfinished(pool).await?;
    let rows = sqlx::query!(
        r#"
        SELECT 'paused' AS "figure!", target AS "of!", 1::float8 AS "value!"
        FROM pause WHERE scope = 'lane'
        UNION ALL
        SELECT 'workers', '', count(*)::float8
        FROM worker WHERE stopped_at IS NULL AND seen_at > now() - interval '10 seconds'
        UNION ALL
        SELECT 'busy', '', count(DISTINCT regexp_replace(worker, '-' || lane || '(-[0-9]+)?$', ''))::float8
        FROM job WHERE state = 'running' AND NOT lease_is_over(lease_until, lease_length)
        UNION ALL
        SELECT 'alerts', kind, count(*)::float8
        FROM alert WHERE cleared_at IS NULL GROUP BY kind
        UNION ALL
        SELECT 'schools', '', count(*)::float8 FROM school WHERE wonde_token IS NOT NULL
        "#,
    )
    .fetch_all(pool)
    .await?;
    let value = |figure: &str, of: &str| {
        let row = rows.iter().find(|row| row.figure == figure && row.of == of);
        row.map_or(0.0, |row| row.value)
    };
    Ok(LedgerFigures {
        unfinished: jobs,
        oldest_queued,
        paused: Lane::SHOWN
            .iter()
            .map(|lane| (*lane, value("paused", lane.as_str()) > 0.0))
            .collect(),
        workers: value("workers", ""),
        busy_workers: value("busy", ""),
        open_alerts: AlertKind::ALL
            .iter()
            .map(|kind| (*kind, value("alerts", kind.as_str())))
            .collect(),
        connected_schools: value("schools", ""),
    })
}

async fn unfinished(pool: &PgPool) -> Result<Unfinished, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT 'jobs' AS "figure!", kind AS "first!", state AS "second!",
            count(*)::float8 AS "value!"
        FROM job WHERE state IN ('queued', 'running', 'retrying', 'held') GROUP BY kind, state
        UNION ALL
        SELECT 'oldest', lane, '', extract(epoch FROM now() - min(created_at))::float8
        FROM job WHERE state = 'queued' GROUP BY lane
        "#,
    )
    .fetch_all(pool)
    .await?;
    let value = |figure: &str, first: &str, second: &str| {
        let row = rows.iter().find(|row| {
            (row.figure.as_str(), row.first.as_str(), row.second.as_str())
                == (figure, first, second)
        });
        row.map_or(0.0, |row| row.value)
    };
    let states = JobState::ALL.iter().filter(|state| !state.is_finished());
    Ok(Unfinished {
        jobs: states
            .flat_map(|state| JobKind::KNOWN.iter().map(move |kind| (*kind, *state)))
            .map(|(kind, state)| (kind, state, value("jobs", kind.as_str(), state.as_str())))
            .collect(),
        oldest_queued: Lane::ALL
            .iter()
            .map(|lane| (*lane, value("oldest", lane.as_str(), "").max(0.0)))
            .collect(),
    })
}
