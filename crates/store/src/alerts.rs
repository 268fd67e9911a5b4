//! Alerts, and the jobs that send messages about them.

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    AlertId, AlertKind, Condition, Job, JobId, LastSync, SchoolHealth, SchoolId, SendAlert,
    SyncFailure,
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    Error,
    jobs::{self, NewJob},
};

/// The name in `requested_by` of jobs that send alerts.
const REQUESTED_BY: &str = "alerts";

/// An alert as people see it.
#[derive(Debug, Clone)]
pub struct Alert {
    pub id: AlertId,
    pub school_id: SchoolId,
    /// The name that people know.
    pub school_name: String,
    /// Its condition.
    pub kind: AlertKind,
    /// The job that is held or failed.
    pub job_id: Option<JobId>,
    /// Stable code.
    pub reason: String,
    /// One sentence.
    pub detail: String,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// When it ended; `None` while it is open.
    pub cleared_at: Option<DateTime<Utc>>,
}

/// What changed when the conditions were compared with the open alerts.
#[derive(Debug, Clone, Default)]
pub struct Reconciled {
    /// New alerts.
    pub raised: usize,
    /// Alerts that have ended.
    pub cleared: usize,
    /// The jobs that send messages about them, to be delivered.
    pub jobs: Vec<Job>,
}

/// Schools with a token that may need an alert: the token is refused, the last sync failed or is
/// held, or none was applied since `stale_before`. A schedule that cannot be read counts as the
/// default one; the scheduler reports that it cannot be read.
pub async fn unwell(
    pool: &PgPool,
    stale_before: DateTime<Utc>,
) -> Result<Vec<SchoolHealth>, Error> {
    let rows = sqlx::query!(
        r#"
        -- Few schools are looked at closely. One that was synced lately is not well only if a sync has
        -- failed since, or is held.
        WITH suspect AS MATERIALIZED (
            SELECT * FROM school WHERE wonde_token IS NOT NULL AND (
                token_rejected_at IS NOT NULL OR greatest(created_at, last_synced_at) < $1
                OR id IN (
                    SELECT school_id FROM job
                    WHERE state = 'failed' AND kind = 'sync-school' AND finished_at >= $1
                    UNION SELECT school_id FROM job WHERE state = 'held'))
        )
        SELECT s.id, s.settings -> 'schedule' AS schedule,
            s.token_rejected_at IS NOT NULL AS "token_rejected!",
            greatest(s.created_at, s.last_synced_at) AS "good_since!",
            j.id AS "job_id?", j.state AS "job_state?",
            coalesce(f.error ->> 'type', 'unknown') AS "code!",
            coalesce(f.error ->> 'title', 'no cause was recorded') AS "title!"
        FROM suspect s
        LEFT JOIN LATERAL (
            SELECT id, state FROM job
            WHERE school_id = s.id AND kind = 'sync-school'
                AND state IN ('succeeded', 'failed', 'held')
                AND NOT coalesce((options ->> 'dry_run')::boolean, false)
                AND unique_key NOT LIKE 'undo:%'
            ORDER BY id DESC LIMIT 1
        ) j ON true
        LEFT JOIN job f ON f.id = j.id AND j.state = 'failed'
        WHERE s.token_rejected_at IS NOT NULL OR j.state IN ('failed', 'held')
            OR greatest(s.created_at, s.last_synced_at) < $1
        ORDER BY s.id
        "#,
        stale_before,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken =
                |_| Error::Inconsistent { table: "school", column: "id", id: row.id.clone() };
            let schedule = row.schedule.map(serde_json::from_value).and_then(Result::ok);
            let is = |state| row.job_state.as_deref() == Some(state);
            let (is_held, has_failed) = (is("held"), is("failed"));
            Ok(SchoolHealth {
                id: row.id.parse().map_err(broken)?,
                schedule: schedule.unwrap_or_default(),
                token_rejected: row.token_rejected,
                good_since: row.good_since,
                last_sync: row.job_id.map(|id| LastSync {
                    job_id: JobId(id),
                    is_held,
                    failure: has_failed.then_some(SyncFailure { code: row.code, title: row.title }),
                }),
            })
        })
        .collect()
}

/// Raises an alert for each condition that has none, and clears those whose condition has ended.
/// Where there is a receiver, `message` says what it is sent: that an alert is on, once, even if it
/// was raised before there was a receiver, and that it has ended, if its beginning was sent.
pub async fn reconcile(
    pool: &PgPool,
    conditions: &[Condition],
    message: Option<&(dyn Fn(&Alert) -> String + Sync)>,
) -> Result<Reconciled, Error> {
    let mut tx = crate::begin(pool).await?;
    let raised = raise(&mut tx, conditions).await?;
    let cleared = clear(&mut tx, conditions).await?;
    let mut jobs = Vec::new();
    if let Some(message) = message {
        let begun = take_untold(&mut tx).await?;
        let ended = cleared.iter().filter(|(_, was_told)| *was_told).map(|(alert, _)| alert);
        for alert in begun.iter().chain(ended) {
            jobs.extend(send(&mut tx, alert, message(alert)).await?);
        }
    }
    tx.commit().await?;
    Ok(Reconciled { raised, cleared: cleared.len(), jobs })
}

/// The open alerts whose beginning was not sent; from now on it counts as sent.
async fn take_untold(db: &mut PgConnection) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query_as!(
        AlertRow,
        r#"
        UPDATE alert a SET told = true FROM school s
        WHERE a.cleared_at IS NULL AND NOT a.told AND s.id = a.school_id
        RETURNING a.id, a.school_id, s.name AS school_name, a.kind, a.job_id, a.reason, a.detail,
            a.raised_at, a.cleared_at
        "#,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Alert::try_from).collect()
}

/// Adds the job that sends a message about an alert.
async fn send(db: &mut PgConnection, alert: &Alert, body: String) -> Result<Option<Job>, Error> {
    let job = SendAlert {
        alert_id: alert.id,
        school_id: alert.school_id.clone(),
        is_over: alert.cleared_at.is_some(),
        message_id: Uuid::now_v7(),
        body,
    };
    Ok(jobs::insert_or_find(db, &NewJob::of(&job, REQUESTED_BY)).await?.into_new())
}

/// Whether an earlier message about the same alert has not been sent yet: the end of an alert must
/// not arrive before its beginning.
pub async fn waits_for_another(pool: &PgPool, job: &SendAlert) -> Result<bool, Error> {
    if !job.is_over {
        return Ok(false);
    }
    let waits = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM job WHERE unique_key = $1
                AND state IN ('queued', 'running', 'retrying', 'held')) AS "waits!"
        "#,
        SendAlert::key(job.alert_id, false),
    )
    .fetch_one(pool)
    .await?;
    Ok(waits)
}

/// Returns how many alerts are new.
async fn raise(db: &mut PgConnection, conditions: &[Condition]) -> Result<usize, Error> {
    let mut raised = 0;
    for condition in conditions {
        let done = sqlx::query!(
            r#"
            INSERT INTO alert (id, school_id, kind, job_id, reason, detail)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (school_id, kind) WHERE cleared_at IS NULL DO NOTHING
            "#,
            AlertId::new().0,
            condition.school_id.as_str(),
            condition.kind.as_str(),
            condition.job_id.map(|id| id.0),
            condition.reason,
            condition.detail,
        )
        .execute(&mut *db)
        .await?;
        raised += usize::from(done.rows_affected() == 1);
    }
    Ok(raised)
}

/// The alerts that have ended, each with whether its beginning was sent.
async fn clear(
    db: &mut PgConnection,
    conditions: &[Condition],
) -> Result<Vec<(Alert, bool)>, Error> {
    let (schools, kinds): (Vec<String>, Vec<String>) =
        conditions.iter().map(|on| (on.school_id.to_string(), on.kind.as_str().to_owned())).unzip();
    let rows = sqlx::query!(
        r#"
        UPDATE alert a SET cleared_at = now() FROM school s
        WHERE a.cleared_at IS NULL AND s.id = a.school_id
            AND NOT EXISTS (
                SELECT FROM unnest($1::text[], $2::text[]) AS still (school_id, kind)
                WHERE still.school_id = a.school_id AND still.kind = a.kind
            )
        RETURNING a.id, a.school_id, s.name AS school_name, a.kind, a.job_id, a.reason, a.detail,
            a.raised_at, a.cleared_at, a.told
        "#,
        &schools,
        &kinds,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let alert = AlertRow {
                id: row.id,
                school_id: row.school_id,
                school_name: row.school_name,
                kind: row.kind,
                job_id: row.job_id,
                reason: row.reason,
                detail: row.detail,
                raised_at: row.raised_at,
                cleared_at: row.cleared_at,
            };
            Ok((alert.try_into()?, row.told))
        })
        .collect()
}

/// Alerts, newest first; only the open ones unless `all`.
pub async fn list(pool: &PgPool, all: bool, limit: i64) -> Result<Vec<Alert>, Error> {
    let rows = sqlx::query_as!(
        AlertRow,
        r#"
        SELECT a.id, a.school_id, s.name AS school_name, a.kind, a.job_id, a.reason, a.detail,
            a.raised_at, a.cleared_at
        FROM alert a JOIN school s ON s.id = a.school_id
        WHERE $1 OR a.cleared_at IS NULL
        ORDER BY a.id DESC LIMIT $2
        "#,
        all,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Alert::try_from).collect()
}

struct AlertRow {
    id: uuid::Uuid,
    school_id: String,
    school_name: String,
    kind: String,
    job_id: Option<uuid::Uuid>,
    reason: String,
    detail: String,
    raised_at: DateTime<Utc>,
    cleared_at: Option<DateTime<Utc>>,
}

impl TryFrom<AlertRow> for Alert {
    type Error = Error;

    fn try_from(row: AlertRow) -> Result<Self, Error> {
        let broken =
            |column| Error::Inconsistent { table: "alert", column, id: row.id.to_string() };
        Ok(Self {
            id: AlertId(row.id),
            school_id: row.school_id.parse().map_err(|_| broken("school_id"))?,
            school_name: row.school_name,
            kind: row.kind.parse().map_err(|_| broken("kind"))?,
            job_id: row.job_id.map(JobId),
            reason: row.reason,
            detail: row.detail,
            raised_at: row.raised_at,
            cleared_at: row.cleared_at,
        })
    }
}
