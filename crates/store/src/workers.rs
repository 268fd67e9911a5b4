//! Worker processes: which there are, what each runs, and which should take no more jobs.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, JobId, JobKind, Lane, SchoolId, named};
use sqlx::PgPool;

use crate::{
    Error,
    audit::{self, Actor, Entry},
};

/// What a worker reports about itself.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    pub name: String,
    pub host: String,
    /// The process id on that machine.
    pub pid: u32,
    pub version: &'static str,
    /// Slots of each lane.
    pub lanes: Vec<(Lane, usize)>,
}

named!(
    /// The state of a worker.
    WorkerState, "state of a worker", {
        /// It takes jobs.
        Alive = "alive",
        /// It should take no jobs, and still runs some or does not know yet.
        Draining = "draining",
        /// It takes no jobs and runs none.
        Drained = "drained",
        /// It was shut down.
        Stopped = "stopped",
        /// It has not been seen for ten seconds.
        Dead = "dead",
    }
);

/// A job that a worker runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningJob {
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The school.
    pub school_id: SchoolId,
    /// The lane.
    pub lane: Lane,
    pub started_at: Option<DateTime<Utc>>,
}

/// A worker process in the registry.
#[derive(Debug, Clone)]
pub struct WorkerRow {
    /// The name; it differs at every start of a process.
    pub name: String,
    pub host: String,
    /// The process id on that machine.
    pub pid: u32,
    pub version: String,
    /// Slots of each lane.
    pub lanes: Vec<(Lane, usize)>,
    /// When it first reported.
    pub started_at: DateTime<Utc>,
    /// When it last reported.
    pub seen_at: DateTime<Utc>,
    /// Since when it should take no jobs.
    pub drain_requested_at: Option<DateTime<Utc>>,
    /// When it was shut down.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Its state, by the database's clock.
    pub state: WorkerState,
    pub running: Vec<RunningJob>,
}

/// A worker's place among those that are present, whether they take jobs or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many are present.
    pub present: u32,
    /// How many of them have been present for longer.
    pub before: u32,
    /// The clock of the ledger, since 1970.
    pub clock: Duration,
}

/// The place of the worker with this name.
pub async fn place(pool: &PgPool, name: &str) -> Result<Place, Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) AS "present!",
            count(*) FILTER (WHERE (started_at, name) <
                (SELECT mine.started_at, mine.name FROM worker mine WHERE mine.name = $1)) AS "before!",
            extract(epoch FROM clock_timestamp())::float8 AS "clock!"
        FROM worker WHERE stopped_at IS NULL AND seen_at > now() - interval '10 seconds'
        "#,
        name,
    )
    .fetch_one(pool)
    .await?;
    let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
    let clock = Duration::try_from_secs_f64(row.clock).unwrap_or_default();
    Ok(Place { present: count(row.present), before: count(row.before), clock })
}

/// Records that a worker is alive, and whether it `is_draining` already. Returns whether it should
/// drain.
pub async fn beat(pool: &PgPool, worker: &Heartbeat, is_draining: bool) -> Result<bool, Error> {
    let lanes: HashMap<&str, usize> =
        worker.lanes.iter().map(|(lane, slots)| (lane.as_str(), *slots)).collect();
    let drains = sqlx::query_scalar!(
        r#"
        INSERT INTO worker AS w (name, host, pid, version, lanes) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET seen_at = now(), stopped_at = NULL,
            drains_since = CASE WHEN $6 THEN coalesce(w.drains_since, now()) END
        RETURNING drain_requested_at IS NOT NULL AS "drains!"
        "#,
        worker.name,
        worker.host,
        i64::from(worker.pid),
        worker.version,
        serde_json::to_value(lanes).expect("names and numbers are plain JSON"),
        is_draining,
    )
    .fetch_one(pool)
    .await?;
    Ok(drains)
}

/// Records that a worker was shut down.
pub async fn stopped(pool: &PgPool, name: &str) -> Result<(), Error> {
    sqlx::query!("UPDATE worker SET stopped_at = now(), seen_at = now() WHERE name = $1", name)
        .execute(pool)
        .await?;
    Ok(())
}

/// Deletes workers that have not been seen for a day, and returns their number.
pub async fn forget_old(pool: &PgPool) -> Result<u64, Error> {
    let done = sqlx::query!("DELETE FROM worker WHERE seen_at < now() - interval '1 day'")
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}

/// Tells a worker to take no more jobs. It finishes its jobs and then waits for [`undrain`].
/// Returns false if there is no such worker, or if it has stopped.
pub async fn drain(pool: &PgPool, name: &str, actor: &Actor) -> Result<bool, Error> {
    set_drain(pool, name, true, actor).await
}

/// Lets a worker take jobs again. Returns false if there is no such worker, or if it has stopped.
pub async fn undrain(pool: &PgPool, name: &str, actor: &Actor) -> Result<bool, Error> {
    set_drain(pool, name, false, actor).await
}

async fn set_drain(pool: &PgPool, name: &str, drains: bool, actor: &Actor) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let did = sqlx::query_scalar!(
        r#"
        WITH before AS (
            SELECT name, drain_requested_at IS NOT NULL AS drains FROM worker
            WHERE name = $1 AND stopped_at IS NULL FOR UPDATE
        )
        UPDATE worker w SET drain_requested_at =
            CASE WHEN $2 THEN coalesce(w.drain_requested_at, now()) END
        FROM before WHERE w.name = before.name
        RETURNING before.drains AS "did!"
        "#,
        name,
        drains,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(did) = did else { return Ok(false) };
    if did != drains {
        let action = if drains { AuditAction::Drain } else { AuditAction::Undrain };
        let entry = Entry { subject: Some(name.to_owned()), ..Entry::new(action) };
        audit::record(&mut tx, actor, &entry).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Every worker that was seen within a day, working ones first, with its jobs.
pub async fn list(pool: &PgPool) -> Result<Vec<WorkerRow>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT name, host, pid, version, lanes, started_at, seen_at, drain_requested_at,
            drains_since IS NOT NULL AS "drains!", stopped_at,
            seen_at >= now() - interval '10 seconds' AS "is_seen!"
        FROM worker ORDER BY stopped_at IS NOT NULL, started_at, name
        "#,
    )
    .fetch_all(pool)
    .await?;
    let mut running = running(pool).await?;
    rows.into_iter()
        .map(|row| {
            let broken = |column| inconsistent("worker", column, &row.name);
            let lanes: HashMap<Lane, usize> =
                serde_json::from_value(row.lanes).map_err(|_| broken("lanes"))?;
            let running = running.remove(&row.name).unwrap_or_default();
            let state = match row.stopped_at {
                Some(_) => WorkerState::Stopped,
                None if !row.is_seen => WorkerState::Dead,
                None if row.drain_requested_at.is_none() => WorkerState::Alive,
                None if row.drains && running.is_empty() => WorkerState::Drained,
                None => WorkerState::Draining,
            };
            let slots = |lane: &Lane| lanes.get(lane).map(|slots| (*lane, *slots));
            Ok(WorkerRow {
                pid: row.pid.try_into().map_err(|_| broken("pid"))?,
                lanes: Lane::ALL.iter().filter_map(slots).collect(),
                name: row.name,
                host: row.host,
                version: row.version,
                started_at: row.started_at,
                seen_at: row.seen_at,
                drain_requested_at: row.drain_requested_at,
                stopped_at: row.stopped_at,
                state,
                running,
            })
        })
        .collect()
}

/// Running jobs by the name of the process: `job.worker` is that name, the lane and, except for the
/// first share of a lane, a number.
async fn running(pool: &PgPool) -> Result<HashMap<String, Vec<RunningJob>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT regexp_replace(worker, '-' || lane || '(-[0-9]+)?$', '') AS "process!", id, kind,
            school_id AS "school_id!", lane, started_at
        FROM job WHERE state = 'running' AND lane <> 'internal' ORDER BY id
        "#,
    )
    .fetch_all(pool)
    .await?;
    let mut by_process: HashMap<String, Vec<RunningJob>> = HashMap::new();
    for row in rows {
        let broken = |column| inconsistent("job", column, &row.id.to_string());
        let job = RunningJob {
            id: JobId(row.id),
            kind: JobKind::in_ledger(&row.kind),
            school_id: row.school_id.parse().map_err(|_| broken("school_id"))?,
            lane: row.lane.parse().map_err(|_| broken("lane"))?,
            started_at: row.started_at,
        };
        by_process.entry(row.process).or_default().push(job);
    }
    Ok(by_process)
}

fn inconsistent(table: &'static str, column: &'static str, id: &str) -> Error {
    Error::Inconsistent { table, column, id: id.to_owned() }
}
