//! The ledger in numbers: now, and over time.

mod now;
mod series;

use std::collections::HashMap;

use mis_sync_domain::{JobKind, JobState, Lane};
use sqlx::PgPool;

use crate::Error;
pub use now::{Now, OpenOutage, now};
pub use series::{KindPoint, Point, Window, fill_periods, series};

/// How an attempt can end, as in `job_attempt.outcome`.
const OUTCOMES: [&str; 8] =
    ["succeeded", "retry", "snoozed", "held", "failed", "cancelled", "released", "lost"];

/// The figures for monitoring, without people or schools. Each has all its rows, including zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerFigures {
    /// Unfinished jobs.
    pub unfinished: Vec<(JobKind, JobState, f64)>,
    /// Jobs requested in the last hour that have finished.
    pub ended: Vec<(JobKind, JobState, f64)>,
    /// Attempts at jobs requested in the last hour, by outcome.
    pub attempts: Vec<(&'static str, f64)>,
    /// How many seconds the oldest queued job of each lane has waited; 0 if there is none.
    pub oldest_queued: Vec<(Lane, f64)>,
    /// Workers that are running a job.
    pub busy_workers: f64,
}

/// Reads all figures in one query. Unfinished jobs are few and have an index. Finished ones are
/// looked up one hour back by the time in their ids, so a long history costs nothing. The range has
/// an upper end too, which no id reaches: without it Postgres expects a third of the history and
/// starts several processes to read it.
pub async fn read(pool: &PgPool) -> Result<LedgerFigures, Error> {
    let rows = sqlx::query!(
        r#"
        WITH hour_ago AS (
            -- A UUIDv7 begins with its milliseconds.
            SELECT (lpad(to_hex((extract(epoch FROM now() - interval '1 hour') * 1000)::bigint),
                12, '0') || repeat('0', 20))::uuid AS id
        )
        SELECT 'jobs' AS "figure!", kind AS "first!", state AS "second!",
            count(*)::float8 AS "value!"
        FROM job WHERE state IN ('queued', 'running', 'retrying', 'held') GROUP BY kind, state
        UNION ALL
        SELECT 'jobs', kind, state, count(*)::float8
        FROM job WHERE id BETWEEN (SELECT id FROM hour_ago) AND $1
            AND state IN ('succeeded', 'failed', 'cancelled')
        GROUP BY kind, state
        UNION ALL
        SELECT 'attempts', outcome, '', count(*)::float8
        FROM job_attempt WHERE job_id BETWEEN (SELECT id FROM hour_ago) AND $1 AND outcome IS NOT NULL
        GROUP BY outcome
        UNION ALL
        SELECT 'oldest', lane, '', extract(epoch FROM now() - min(created_at))::float8
        FROM job WHERE state = 'queued' GROUP BY lane
        UNION ALL
        SELECT 'busy', '', '', count(DISTINCT worker)::float8
        FROM job WHERE state = 'running' AND NOT lease_is_over(lease_until, lease_length)
        "#,
        uuid::Uuid::max(),
    )
    .fetch_all(pool)
    .await?;
    let found: HashMap<(&str, &str, &str), f64> = rows
        .iter()
        .map(|row| ((row.figure.as_str(), row.first.as_str(), row.second.as_str()), row.value))
        .collect();
    let value = |figure, first, second| found.get(&(figure, first, second)).copied().unwrap_or(0.0);
    let jobs = |finished: bool| {
        let states = JobState::ALL.iter().filter(|state| state.is_finished() == finished);
        states
            .flat_map(|state| JobKind::KNOWN.iter().map(move |kind| (*kind, *state)))
            .map(|(kind, state)| (kind, state, value("jobs", kind.as_str(), state.as_str())))
            .collect()
    };
    Ok(LedgerFigures {
        unfinished: jobs(false),
        ended: jobs(true),
        attempts: OUTCOMES.map(|outcome| (outcome, value("attempts", outcome, ""))).to_vec(),
        oldest_queued: Lane::ALL
            .iter()
            .map(|lane| (*lane, value("oldest", lane.as_str(), "").max(0.0)))
            .collect(),
        busy_workers: value("busy", "", ""),
    })
}
