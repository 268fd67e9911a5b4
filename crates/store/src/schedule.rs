//! Which schedules are due, and what was served.

use chrono::{DateTime, Utc};
use mis_sync_domain::{DueSync, REQUESTED_BY_SCHEDULE, Schedule, SchoolId, Served, SyncMode};
use sqlx::PgPool;

use crate::Error;

/// A school that can be synced, and its schedule.
#[derive(Debug, Clone)]
pub struct ScheduledSchool {
    pub id: SchoolId,
    /// When it is synced automatically.
    pub schedule: Schedule,
    /// What has already been served.
    pub served: Served,
}

/// Every school that is not paused and has a token that Wonde has not refused. If a school's row
/// cannot be read, it is a separate error, so that it does not stop the others.
///
/// A slot counts as served if a sync that was applied began after it, even if a person requested it. Slots
/// before the school was connected do not count as missed.
pub async fn schools(pool: &PgPool) -> Result<Vec<Result<ScheduledSchool, Error>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT s.id, s.settings -> 'schedule' AS schedule,
            greatest(s.created_at, s.last_full_sync_at, p.full_until) AS "full_until!",
            greatest(s.created_at, s.changes_seen_until, p.delta_until) AS "delta_until!"
        FROM school s LEFT JOIN school_schedule p ON p.school_id = s.id
        WHERE s.wonde_token IS NOT NULL AND s.token_rejected_at IS NULL
            AND s.id NOT IN (SELECT target FROM pause WHERE scope = 'school')
        ORDER BY s.id
        "#,
    )
    .fetch_all(pool)
    .await?;
    let schools = rows.into_iter().map(|row| {
        let id = row.id.clone();
        let broken = |column| Error::Inconsistent { table: "school", column, id: id.clone() };
        let schedule = row.schedule.map(serde_json::from_value).transpose();
        Ok(ScheduledSchool {
            id: row.id.parse().map_err(|_| broken("id"))?,
            schedule: schedule.map_err(|_| broken("settings"))?.unwrap_or_default(),
            served: Served { full: row.full_until, delta: row.delta_until },
        })
    });
    Ok(schools.collect())
}

/// How many scheduled syncs are unfinished, without those that are held or paused.
pub async fn unfinished(pool: &PgPool) -> Result<usize, Error> {
    let count = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM job
        WHERE requested_by = $1 AND state IN ('queued', 'running', 'retrying')
            AND school_id NOT IN (SELECT target FROM pause WHERE scope = 'school')
        "#,
        REQUESTED_BY_SCHEDULE,
    )
    .fetch_one(pool)
    .await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Records that a sync was requested. A full one serves the hour as well.
pub async fn note_served(pool: &PgPool, id: &SchoolId, due: DueSync) -> Result<(), Error> {
    let full: Option<DateTime<Utc>> = (due.mode == SyncMode::Full).then_some(due.slot);
    sqlx::query!(
        r#"
        INSERT INTO school_schedule AS p (school_id, full_until, delta_until) VALUES ($1, $2, $3)
        ON CONFLICT (school_id) DO UPDATE SET
            full_until = greatest(p.full_until, excluded.full_until),
            delta_until = greatest(p.delta_until, excluded.delta_until)
        "#,
        id.as_str(),
        full,
        due.slot,
    )
    .execute(pool)
    .await?;
    Ok(())
}
