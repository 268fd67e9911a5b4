//! Lanes and schools whose jobs no worker takes for now. Running jobs finish, presses are accepted
//! and wait, and deadlines stand still.

use std::fmt;

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, Lane, REQUESTED_BY_SCHEDULE, SchoolId};
use sqlx::{PgConnection, PgPool};

use crate::{
    Error,
    audit::{self, Actor, Entry},
};

/// What is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All jobs of a lane.
    Lane(Lane),
    /// All jobs of a school.
    School(SchoolId),
}

impl Scope {
    fn name(&self) -> &'static str {
        match self {
            Self::Lane(_) => "lane",
            Self::School(_) => "school",
        }
    }

    /// The lane or the school.
    pub fn target(&self) -> &str {
        match self {
            Self::Lane(lane) => lane.as_str(),
            Self::School(id) => id.as_str(),
        }
    }

    fn read(scope: &str, target: &str) -> Option<Self> {
        match scope {
            "lane" => target.parse().ok().map(Self::Lane),
            "school" => target.parse().ok().map(Self::School),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.target())
    }
}

/// A pause that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is paused.
    pub scope: Scope,
    /// When it began.
    pub paused_at: DateTime<Utc>,
    /// Name of the API key or command.
    pub actor: String,
    /// The reason that the person gave.
    pub reason: Option<String>,
    /// When it ends by itself; `None` if a person ends it.
    pub until: Option<DateTime<Utc>>,
    /// Number of waiting jobs.
    pub waiting: i64,
}

/// Pauses a lane or a school, until a person ends the pause. See [`pause_until`].
pub async fn pause(pool: &PgPool, scope: &Scope, actor: &Actor) -> Result<bool, Error> {
    pause_until(pool, scope, None, actor).await
}

/// Pauses a lane or a school, until this time if one is given. If it is already paused, the pause
/// only becomes longer. Returns false if there is no such school, or if the lane is the internal
/// one.
pub async fn pause_until(
    pool: &PgPool,
    scope: &Scope,
    until: Option<DateTime<Utc>>,
    actor: &Actor,
) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = begin_pause(&mut tx, scope, until, actor).await?;
    if done == Begun::Now {
        record(&mut tx, scope, actor, AuditAction::Pause).await?;
    }
    tx.commit().await?;
    Ok(done != Begun::Unknown)
}

/// The result of a request to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It begins, or becomes longer.
    Now,
    /// It was already paused for at least as long.
    Before,
    /// There is nothing of this name that can be paused.
    Unknown,
}

/// Begins a pause within a transaction, which has to [`record`] it as its last write.
pub(crate) async fn begin_pause(
    db: &mut PgConnection,
    scope: &Scope,
    until: Option<DateTime<Utc>>,
    actor: &Actor,
) -> Result<Begun, Error> {
    let done = sqlx::query!(
        r#"
        WITH known AS (
            SELECT WHERE $1 = 'lane' AND $2 <> 'internal' OR EXISTS (SELECT FROM school WHERE id = $2)
        ), paused AS (
            INSERT INTO pause AS p (scope, target, actor, reason, until)
            SELECT $1, $2, $3, $4, $5 FROM known
            ON CONFLICT (scope, target) DO UPDATE SET until = excluded.until
                WHERE p.until < coalesce(excluded.until, 'infinity')
            RETURNING scope
        )
        SELECT (SELECT count(*) FROM known) AS "known!", (SELECT count(*) FROM paused) AS "now!"
        "#,
        scope.name(),
        scope.target(),
        actor.requester.name,
        actor.reason,
        until,
    )
    .fetch_one(db)
    .await?;
    Ok(match (done.known, done.now) {
        (0, _) => Begun::Unknown,
        (_, 0) => Begun::Before,
        _ => Begun::Now,
    })
}

/// Ends the pauses whose time has come, like [`resume`]. Until this is called they go on, so that
/// no deadline passes unnoticed. Returns their number.
pub async fn end_due(pool: &PgPool) -> Result<u64, Error> {
    let mut ended = 0;
    while let Some(scope) = end_next(pool).await? {
        tracing::info!(%scope, "a pause ended at its time");
        ended += 1;
    }
    Ok(ended)
}

async fn end_next(pool: &PgPool) -> Result<Option<Scope>, Error> {
    let mut tx = crate::begin(pool).await?;
    let due = sqlx::query!(
        r#"
        DELETE FROM pause
        WHERE (scope, target) = (SELECT scope, target FROM pause WHERE until <= now()
            ORDER BY until LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING scope, target, paused_at
        "#,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = due else { return Ok(None) };
    let scope = read(&row.scope, &row.target)?;
    release(&mut tx, &scope, row.paused_at).await?;
    let actor = Actor::command(REQUESTED_BY_SCHEDULE, None);
    record(&mut tx, &scope, &actor, AuditAction::Resume).await?;
    tx.commit().await?;
    Ok(Some(scope))
}

fn read(scope: &str, target: &str) -> Result<Scope, Error> {
    let broken = || Error::Inconsistent { table: "pause", column: "target", id: target.to_owned() };
    Scope::read(scope, target).ok_or_else(broken)
}

/// Ends a pause. Waiting jobs are due at once, with as much time until their deadline as before.
/// Returns false if there was no such pause.
pub async fn resume(pool: &PgPool, scope: &Scope, actor: &Actor) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let paused_at = sqlx::query_scalar!(
        "DELETE FROM pause WHERE scope = $1 AND target = $2 RETURNING paused_at",
        scope.name(),
        scope.target(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(paused_at) = paused_at else { return Ok(false) };
    release(&mut tx, scope, paused_at).await?;
    record(&mut tx, scope, actor, AuditAction::Resume).await?;
    tx.commit().await?;
    Ok(true)
}

/// Moves the deadlines of waiting jobs, and lets the next sweep deliver them.
///
/// If another pause of a job continues, that pause counts its own time when it ends. Here only the
/// time before it counts.
async fn release(
    db: &mut PgConnection,
    scope: &Scope,
    paused_at: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH waiting AS (
            SELECT j.id, greatest(interval '0',
                least(now(), (SELECT min(p.paused_at) FROM pause p
                    WHERE (p.scope = 'lane' AND p.target = j.lane)
                        OR (p.scope = 'school' AND p.target = j.school_id)))
                - greatest($3, j.created_at, j.approved_at)) AS length
            FROM job j
            WHERE j.state IN ('queued', 'running', 'retrying', 'held')
                AND lane <> 'internal' AND CASE $1 WHEN 'lane' THEN j.lane = $2 ELSE j.school_id = $2 END
            ORDER BY j.id FOR UPDATE
        )
        UPDATE job SET deadline_at = deadline_at + length, delivered_at = to_timestamp(0)
        FROM waiting WHERE job.id = waiting.id
        "#,
        scope.name(),
        scope.target(),
        paused_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes the line of the audit log.
pub(crate) async fn record(
    db: &mut PgConnection,
    scope: &Scope,
    actor: &Actor,
    action: AuditAction,
) -> Result<(), Error> {
    let entry = match scope {
        Scope::Lane(lane) => Entry { subject: Some(lane.to_string()), ..Entry::new(action) },
        Scope::School(id) => Entry { school_id: Some(id.clone()), ..Entry::new(action) },
    };
    audit::record(db, actor, &entry).await
}

/// All pauses, lanes first, each with its number of waiting jobs.
pub async fn list(pool: &PgPool) -> Result<Vec<Pause>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH waiting AS (
            SELECT lane, school_id, count(*) AS jobs FROM job
            WHERE state IN ('queued', 'retrying') AND lane <> 'internal' GROUP BY lane, school_id
        ), of_scopes AS (
            SELECT 'lane' AS scope, lane AS target, sum(jobs) AS jobs FROM waiting GROUP BY lane
            UNION ALL
            SELECT 'school', school_id, sum(jobs) FROM waiting GROUP BY school_id
        )
        SELECT scope, target, p.paused_at, p.actor, p.reason, p.until,
            coalesce(s.jobs, 0)::bigint AS "waiting!"
        FROM pause p LEFT JOIN of_scopes s USING (scope, target)
        ORDER BY scope, target
        "#,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let scope = read(&row.scope, &row.target)?;
            let (paused_at, actor, reason) = (row.paused_at, row.actor, row.reason);
            Ok(Pause { scope, paused_at, actor, reason, until: row.until, waiting: row.waiting })
        })
        .collect()
}
