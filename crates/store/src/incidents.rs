//! Failures that several schools had at the same time, for the same reason: one incident instead of
//! a line for each school.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::Error;

/// Errors that are not about one school.
const SHARED: [&str; 2] = ["wonde_unavailable", "database"];
/// How many incidents are looked for.
const LIMIT: i64 = 5;

/// What several schools met together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The type of the error.
    pub code: String,
    /// The first failed attempt.
    pub from: DateTime<Utc>,
    /// The last failed attempt.
    pub until: DateTime<Utc>,
    pub schools: i64,
    /// Syncs of which an attempt failed.
    pub syncs: i64,
    /// Syncs that are still tried again by themselves.
    pub retrying: i64,
    /// Logins that were answered from what iP holds, in this time.
    pub stale_logins: i64,
}

/// The incidents of the last 24 hours, the newest first. Failed attempts belong together if none of
/// the pauses between them is longer than 20 minutes, and at least two schools have one.
pub async fn list(pool: &PgPool) -> Result<Vec<Incident>, Error> {
    let shared = SHARED.map(str::to_owned);
    let incidents = sqlx::query_as!(
        Incident,
        r#"
        WITH failed AS (
            SELECT a.error ->> 'type' AS code, a.ended_at AS at, j.id, j.kind, j.state, j.school_id
            FROM job_attempt a JOIN job j ON j.id = a.job_id
            WHERE a.outcome IN ('retry', 'failed', 'snoozed')
                AND a.ended_at >= now() - interval '24 hours' AND a.error ->> 'type' = ANY($1)
                AND j.school_id IS NOT NULL
        ), marked AS (
            SELECT *, at - lag(at) OVER (PARTITION BY code ORDER BY at) > interval '20 minutes'
                AS is_new
            FROM failed
        ), numbered AS (
            SELECT *, count(*) FILTER (WHERE is_new) OVER (PARTITION BY code ORDER BY at) AS number
            FROM marked
        ), incident AS (
            SELECT code, min(at) AS "from", max(at) AS until, count(DISTINCT school_id) AS schools,
                count(DISTINCT id) FILTER (WHERE kind = 'sync-school') AS syncs,
                count(DISTINCT id) FILTER (WHERE kind = 'sync-school' AND state = 'retrying')
                    AS retrying
            FROM numbered GROUP BY code, number HAVING count(DISTINCT school_id) > 1
        )
        SELECT code AS "code!", "from" AS "from!", until AS "until!", schools AS "schools!",
            syncs AS "syncs!", retrying AS "retrying!", (
                SELECT coalesce(sum(logins), 0)::bigint FROM login_minute
                WHERE outcome = 'stale' AND minute >= date_trunc('minute', "from")
                    AND minute <= until
            ) AS "stale_logins!"
        FROM incident ORDER BY until DESC LIMIT $2
        "#,
        &shared,
        LIMIT,
    )
    .fetch_all(pool)
    .await?;
    Ok(incidents)
}
