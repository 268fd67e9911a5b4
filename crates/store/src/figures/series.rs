//! Finished jobs over time: counts and durations, in buckets.
//!
//! The long windows are read from `job_period`, which the leader fills as periods end. What it has
//! not filled yet is read from the ledger.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::JobKind;
use sqlx::PgPool;

use crate::{Error, jobs::interval, login_minutes};

/// How far back, and in what steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last quarter of an hour, in steps of 15 seconds.
    Minutes15,
    /// The last day, in steps of half an hour.
    Hours24,
    /// The last thirty days, in steps of six hours.
    Days30,
}

impl Window {
    /// Every window.
    pub const ALL: [Self; 3] = [Self::Minutes15, Self::Hours24, Self::Days30];

    /// The windows whose buckets are stored.
    const KEPT: [Self; 2] = [Self::Hours24, Self::Days30];

    /// The length of the window.
    pub fn length(self) -> Duration {
        match self {
            Self::Minutes15 => Duration::from_mins(15),
            Self::Hours24 => Duration::from_hours(24),
            Self::Days30 => Duration::from_hours(30 * 24),
        }
    }

    /// The length of one step.
    pub fn width(self) -> Duration {
        match self {
            Self::Minutes15 => Duration::from_secs(15),
            Self::Hours24 => Duration::from_mins(30),
            Self::Days30 => Duration::from_hours(6),
        }
    }

    fn width_seconds(self) -> i32 {
        i32::try_from(self.width().as_secs()).expect("six hours at the most")
    }
}

/// Jobs that finished in one bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Start of the bucket. The last one is not over yet.
    pub at: DateTime<Utc>,
    /// One entry for each kind of job.
    pub kinds: Vec<KindPoint>,
}

/// Jobs of one kind that finished.
#[derive(Debug, Clone, PartialEq)]
pub struct KindPoint {
    pub kind: JobKind,
    /// How many succeeded.
    pub succeeded: i64,
    /// How many failed.
    pub failed: i64,
    /// How many were cancelled.
    pub cancelled: i64,
    /// How many people they changed in iP. Dry runs change none.
    pub people_changed: i64,
    /// Median milliseconds from the first start to the end, without the time between attempts; `None`
    /// if nothing ran.
    pub ran_p50_ms: Option<f64>,
    /// 95th percentile of the same.
    pub ran_p95_ms: Option<f64>,
    /// 95th percentile of the milliseconds from the press to the first start.
    pub waited_p95_ms: Option<f64>,
}

/// The buckets of a window, oldest first, including empty ones.
pub async fn series(pool: &PgPool, window: Window) -> Result<Vec<Point>, Error> {
    let kinds: Vec<&str> = JobKind::SHOWN.iter().map(|kind| kind.as_str()).collect();
    let rows = sqlx::query!(
        r#"
        WITH bounds AS (
            SELECT first, greatest(first, (
                SELECT max(starts_at) + $2::interval FROM job_period WHERE width_seconds = $3))
                AS live
            FROM (SELECT date_bin($2, now() - $1::interval, to_timestamp(0)) + $2 AS first) f
        ), found AS (
            SELECT starts_at AS at, kind, succeeded, failed, cancelled, people_changed, ran_p50_ms,
                ran_p95_ms, waited_p95_ms
            FROM job_period, bounds WHERE width_seconds = $3 AND starts_at >= first
            UNION ALL
            SELECT at, kind, succeeded, failed, cancelled, people_changed, ran[1], ran[2],
                waited_p95_ms
            FROM (
                SELECT date_bin($2, finished_at, to_timestamp(0)) AS at, kind,
                    count(*) FILTER (WHERE state = 'succeeded') AS succeeded,
                    count(*) FILTER (WHERE state = 'failed') AS failed,
                    count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
                    sum(people_changed(job))::bigint AS people_changed,
                    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
                        ORDER BY date_part('epoch', finished_at - started_at) * 1000 - idle_ms)
                        AS ran,
                    percentile_cont(0.95) WITHIN GROUP (
                        ORDER BY date_part('epoch', started_at - created_at) * 1000)
                        AS waited_p95_ms
                FROM job
                WHERE finished_at >= (SELECT live FROM bounds)
                    AND finished_at < now() + interval '1 hour'
                GROUP BY 1, 2
            ) live
        )
        SELECT at AS "at!", kind AS "kind!", coalesce(succeeded, 0) AS "succeeded!",
            coalesce(failed, 0) AS "failed!", coalesce(cancelled, 0) AS "cancelled!",
            coalesce(people_changed, 0) AS "people_changed!", ran_p50_ms, ran_p95_ms, waited_p95_ms
        FROM bounds
        CROSS JOIN generate_series(first, now(), $2) AS at
        CROSS JOIN unnest($4::text[]) WITH ORDINALITY AS of (kind, position)
        LEFT JOIN found USING (at, kind)
        ORDER BY at, position
        "#,
        interval(window.length()),
        interval(window.width()),
        window.width_seconds(),
        kinds as Vec<&str>,
    )
    .fetch_all(pool)
    .await?;
    let mut points: Vec<Point> = Vec::new();
    for row in rows {
        let broken =
            || Error::Inconsistent { table: "job_period", column: "kind", id: row.at.to_string() };
        let of_kind = KindPoint {
            kind: row.kind.parse().map_err(|_| broken())?,
            succeeded: row.succeeded,
            failed: row.failed,
            cancelled: row.cancelled,
            people_changed: row.people_changed,
            ran_p50_ms: row.ran_p50_ms,
            ran_p95_ms: row.ran_p95_ms,
            waited_p95_ms: row.waited_p95_ms,
        };
        match points.last_mut() {
            Some(point) if point.at == row.at => point.kinds.push(of_kind),
            _ => points.push(Point { at: row.at, kinds: vec![of_kind] }),
        }
    }
    Ok(points)
}

/// Stores the next few periods of each window that are over and not stored yet, of jobs and of
/// logins, and deletes those that no window shows any more. Returns the number of periods of jobs;
/// 0 means that nothing is left to do.
///
/// Periods older than the window are never read, however long no leader did this.
pub async fn fill_periods(pool: &PgPool) -> Result<u64, Error> {
    let mut filled = 0;
    for window in Window::KEPT {
        filled += fill(pool, window).await?;
        login_minutes::fill_periods(pool, window.width_seconds()).await?;
    }
    login_minutes::forget(pool).await?;
    Ok(filled)
}

/// A period is over a minute after its end, because a transaction may still write an end within it.
async fn fill(pool: &PgPool, window: Window) -> Result<u64, Error> {
    let kinds: Vec<&str> = JobKind::SHOWN.iter().map(|kind| kind.as_str()).collect();
    let filled = sqlx::query_scalar!(
        r#"
        WITH first AS (
            SELECT greatest(
                date_bin($2, now() - $1::interval, to_timestamp(0)),
                (SELECT max(starts_at) + $2::interval FROM job_period WHERE width_seconds = $3)
            ) AS at
        ), forgotten AS (
            DELETE FROM job_period
            WHERE width_seconds = $3 AND starts_at < now() - 2 * $1::interval
        ), written AS (
            INSERT INTO job_period (width_seconds, starts_at, kind, succeeded, failed, cancelled,
                people_changed, ran_p50_ms, ran_p95_ms, waited_p95_ms)
            SELECT $3, starts_at, kind, succeeded, failed, cancelled, people_changed, ran[1], ran[2],
                waited
            FROM first
            CROSS JOIN LATERAL (
                SELECT starts_at FROM generate_series(at,
                    now() - interval '1 minute' - $2::interval, $2) AS starts_at
                LIMIT 8
            ) period
            CROSS JOIN unnest($4::text[]) AS of (kind)
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE j.state = 'succeeded') AS succeeded,
                    count(*) FILTER (WHERE j.state = 'failed') AS failed,
                    count(*) FILTER (WHERE j.state = 'cancelled') AS cancelled,
                    coalesce(sum(people_changed(j)), 0)::bigint AS people_changed,
                    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
                        ORDER BY date_part('epoch', j.finished_at - j.started_at) * 1000
                            - j.idle_ms)
                        AS ran,
                    percentile_cont(0.95) WITHIN GROUP (
                        ORDER BY date_part('epoch', j.started_at - j.created_at) * 1000)
                        AS waited
                FROM job j
                WHERE j.finished_at >= starts_at AND j.finished_at < starts_at + $2::interval
                    AND j.kind = of.kind
            ) ended
            ON CONFLICT DO NOTHING
            RETURNING starts_at
        )
        SELECT count(DISTINCT starts_at) AS "count!" FROM written
        "#,
        interval(window.length()),
        interval(window.width()),
        window.width_seconds(),
        kinds as Vec<&str>,
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(filled).unwrap_or_default())
}
