use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use mis_sync_domain::{JobKind, JobState, Lane, OutageReason, SchoolId};
use sqlx::PgPool;

use super::{Window, unfinished};
use crate::{Error, jobs::interval};

/// How many types of failures are listed.
const TOP: i64 = 10;

/// The state at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Now {
    /// Unfinished jobs, for every lane and state.
    pub unfinished: Vec<(Lane, JobState, i64)>,
    /// How long the oldest queued job of each lane has waited; zero if there is none.
    pub oldest_waiting: Vec<(Lane, Duration)>,
    /// Jobs that finished in the last 24 hours, for every state.
    pub ended: Vec<(JobState, i64)>,
    /// Why jobs failed in the last 24 hours, the most frequent cause first.
    pub failures: Vec<Cause>,
    /// Schools whose logins are answered without asking Wonde, the newest outage first.
    pub outages: Vec<OpenOutage>,
    /// Jobs that wait for approval.
    pub held: i64,
}

/// Why jobs failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The type of the error.
    pub code: String,
    /// One line for people.
    pub title: String,
    /// How many jobs.
    pub jobs: i64,
}

/// A school whose Wonde failed a login and has not answered since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOutage {
    pub school_id: SchoolId,
    pub reason: OutageReason,
    /// The last failure.
    pub noted_at: DateTime<Utc>,
    /// From then on one login may ask again.
    pub probe_at: DateTime<Utc>,
}

/// Reads all of it.
pub async fn now(pool: &PgPool) -> Result<Now, Error> {
    let ledger = unfinished(pool).await?;
    let mut unfinished: BTreeMap<(usize, usize), (Lane, JobState, i64)> = BTreeMap::new();
    let shown = ledger.jobs.into_iter().filter(|(kind, ..)| JobKind::SHOWN.contains(kind));
    for (kind, state, jobs) in shown {
        let lane = if kind == JobKind::RefreshUser { Lane::Interactive } else { Lane::Bulk };
        unfinished.entry((lane as usize, state as usize)).or_insert((lane, state, 0)).2 +=
            whole(jobs);
    }
    let unfinished: Vec<_> = unfinished.into_values().collect();
    let held = unfinished.iter().filter(|(_, state, _)| *state == JobState::Held);
    let seconds = |(lane, seconds)| (lane, Duration::from_secs_f64(seconds));
    Ok(Now {
        held: held.map(|(_, _, jobs)| jobs).sum(),
        unfinished,
        oldest_waiting: ledger.oldest_queued.into_iter().map(seconds).collect(),
        ended: ended(pool).await?,
        failures: failures(pool).await?,
        outages: outages(pool).await?,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a number of rows, as a figure")]
fn whole(figure: f64) -> i64 {
    figure as i64
}

/// Whole periods are read as they were stored. At both ends of the day, jobs are counted.
async fn ended(pool: &PgPool) -> Result<Vec<(JobState, i64)>, Error> {
    let width = Window::Hours24.width();
    let rows = sqlx::query!(
        r#"
        WITH bounds AS (
            SELECT first, greatest(first, (
                SELECT max(starts_at) + $1::interval FROM job_period WHERE width_seconds = $2))
                AS live
            FROM (SELECT date_bin($1, now() - interval '1 day', to_timestamp(0)) + $1 AS first) f
        )
        SELECT state AS "state!", sum(jobs)::bigint AS "jobs!"
        FROM (
            SELECT of.state, of.jobs
            FROM job_period p, bounds, LATERAL (VALUES ('succeeded', p.succeeded),
                ('failed', p.failed), ('cancelled', p.cancelled)) AS of (state, jobs)
            WHERE width_seconds = $2 AND starts_at >= first
            UNION ALL
            SELECT state, count(*) FROM job
            WHERE kind <> ALL($3) AND finished_at >= now() - interval '1 day'
                AND finished_at < (SELECT first FROM bounds) GROUP BY state
            UNION ALL
            SELECT state, count(*) FROM job
            -- The upper end tells the planner that it is little.
            WHERE kind <> ALL($3) AND finished_at >= (SELECT live FROM bounds)
                AND finished_at < now() + interval '1 hour' GROUP BY state
        ) ended
        GROUP BY state
        "#,
        interval(width),
        i32::try_from(width.as_secs()).expect("half an hour"),
        &internal_kinds(),
    )
    .fetch_all(pool)
    .await?;
    let jobs = |state: &JobState| {
        rows.iter().find(|row| row.state == state.as_str()).map_or(0, |row| row.jobs)
    };
    let states = JobState::ALL.iter().filter(|state| state.is_finished());
    Ok(states.map(|state| (*state, jobs(state))).collect())
}

async fn failures(pool: &PgPool) -> Result<Vec<Cause>, Error> {
    let causes = sqlx::query_as!(
        Cause,
        r#"
        SELECT coalesce(error ->> 'type', '') AS "code!",
            coalesce(max(error ->> 'title'), 'No reason was recorded') AS "title!",
            count(*) AS "jobs!"
        FROM job
        WHERE kind <> ALL($2) AND state = 'failed' AND finished_at >= now() - interval '1 day'
        GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT $1
        "#,
        TOP,
        &internal_kinds(),
    )
    .fetch_all(pool)
    .await?;
    Ok(causes)
}

/// The kinds that the figures leave out.
fn internal_kinds() -> Vec<String> {
    let internal = JobKind::KNOWN.iter().filter(|kind| !JobKind::SHOWN.contains(kind));
    internal.map(ToString::to_string).collect()
}

async fn outages(pool: &PgPool) -> Result<Vec<OpenOutage>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT o.school_id, o.reason, o.noted_at, o.probe_at
        FROM wonde_outage o JOIN school c ON c.id = o.school_id
        WHERE o.noted_at >= c.updated_at
        ORDER BY o.noted_at DESC
        "#,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = |column| Error::Inconsistent {
                table: "wonde_outage",
                column,
                id: row.school_id.clone(),
            };
            Ok(OpenOutage {
                school_id: row.school_id.parse().map_err(|_| broken("school_id"))?,
                reason: row.reason.parse().map_err(|_| broken("reason"))?,
                noted_at: row.noted_at,
                probe_at: row.probe_at,
            })
        })
        .collect()
}
