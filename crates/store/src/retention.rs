//! Removes old rows, a few at a time. The audit log is kept for ever.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::Error;

/// The most rows of a kind that one sweep removes.
const BATCH: i64 = 500;
/// The same for kinds whose rows take thousands of others with them: the history of a sync, the
/// results of an action on many jobs.
const LARGE: i64 = 20;

/// How long finished rows are kept; `None` for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Internal jobs, and refreshes of one person that changed nothing. Refreshes that changed
    /// something are kept as long as syncs, because they are part of the history.
    pub refreshes: Option<TimeDelta>,
    /// Syncs, with their changes and issues, and actions on many jobs, with their results.
    pub syncs: Option<TimeDelta>,
    pub webhook_events: Option<TimeDelta>,
    /// Alerts that have ended, with their messages.
    pub alerts: Option<TimeDelta>,
    pub idempotency_keys: Option<TimeDelta>,
    /// Approvals that Wonde confirmed but whose school was never connected: the token is destroyed,
    /// and the event is kept as a handled one.
    pub approvals: Option<TimeDelta>,
}

/// How many rows of each kind were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub refreshes: u64,
    pub syncs: u64,
    /// Actions on many jobs.
    pub bulks: u64,
    pub webhook_events: u64,
    pub alerts: u64,
    pub idempotency_keys: u64,
    /// Tokens of approvals.
    pub approvals: u64,
    /// Jobs of the service itself.
    pub internal_jobs: u64,
    /// Questions to the MIS about a person, whatever is kept otherwise.
    pub person_searches: u64,
    /// Tokens that were typed to connect a school and not used within an hour.
    pub drafts: u64,
}

impl Removed {
    /// Whether a statement removed as much as it may, so that there is probably more.
    pub fn is_full(&self) -> bool {
        let Self {
            refreshes,
            syncs,
            bulks,
            webhook_events,
            alerts,
            idempotency_keys,
            approvals,
            internal_jobs,
            person_searches,
            drafts,
        } = *self;
        let most = [
            refreshes,
            webhook_events,
            alerts,
            idempotency_keys,
            approvals,
            internal_jobs,
            person_searches,
            drafts,
        ];
        most.into_iter().any(|removed| removed >= BATCH.unsigned_abs())
            || [syncs, bulks].into_iter().any(|removed| removed >= LARGE.unsigned_abs())
    }
}

/// Removes some of the rows that are old at `now`. Each statement is its own transaction. Rows that
/// another session uses are left for the next time.
pub async fn sweep(pool: &PgPool, now: DateTime<Utc>, keep: &Retention) -> Result<Removed, Error> {
    let before = |age: Option<TimeDelta>| age.and_then(|age| now.checked_sub_signed(age));
    let mut removed = Removed {
        person_searches: remove_person_searches(pool).await?,
        drafts: remove_drafts(pool, now).await?,
        ..Removed::default()
    };
    if let Some(before) = before(keep.idempotency_keys) {
        removed.idempotency_keys = remove_idempotency_keys(pool, before).await?;
    }
    if let Some(before) = before(keep.approvals) {
        removed.approvals = destroy_tokens(pool, before).await?;
    }
    if let Some(before) = before(keep.webhook_events) {
        removed.webhook_events = remove_webhook_events(pool, before).await?;
    }
    if let Some(before) = before(keep.alerts) {
        removed.alerts = remove_alerts(pool, before).await?;
    }
    if let Some(before) = before(keep.refreshes) {
        removed.internal_jobs = remove_internal_jobs(pool, before).await?;
        removed.refreshes = remove_refreshes(pool, before, false).await?;
    }
    if let Some(before) = before(keep.syncs) {
        removed.refreshes += remove_refreshes(pool, before, true).await?;
        removed.syncs = remove_syncs(pool, before).await?;
        removed.bulks = remove_bulks(pool, before).await?;
    }
    Ok(removed)
}

async fn remove_person_searches(pool: &PgPool) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM person_search WHERE id IN (
            SELECT id FROM person_search WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)
        "#,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn remove_drafts(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!("DELETE FROM connection_draft WHERE expires_at <= $1", now);
    Ok(done.execute(pool).await?.rows_affected())
}

async fn remove_idempotency_keys(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM idempotency_key k USING (
            SELECT api_key_id, key FROM idempotency_key WHERE created_at < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED
        ) old WHERE k.api_key_id = old.api_key_id AND k.key = old.key
        "#,
        before,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn destroy_tokens(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE webhook_event SET state = 'ignored', sealed_token = NULL, handled_at = now(),
            reason = CASE state WHEN 'kept' THEN 'never_connected' ELSE 'never_handled' END
        WHERE id IN (
            SELECT id FROM webhook_event WHERE state = 'kept' AND handled_at < $1
                OR state = 'received' AND last_received_at < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        "#,
        before,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn remove_webhook_events(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM webhook_event WHERE id IN (
            SELECT id FROM webhook_event
            WHERE state NOT IN ('received', 'kept') AND handled_at < $1 AND last_received_at < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        "#,
        before,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn remove_alerts(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM alert WHERE id IN (
            SELECT id FROM alert WHERE cleared_at < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        "#,
        before,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

async fn remove_internal_jobs(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM job WHERE id IN (
            SELECT id FROM job
            WHERE (lane = 'internal' OR kind IN ('check-school', 'find-person')) AND finished_at < $1
            LIMIT $2 FOR UPDATE SKIP LOCKED)
        "#,
        before,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Refreshes that changed something, or those that did not. As with syncs, an undo is removed after
/// the job that it reversed, which could otherwise be undone again.
async fn remove_refreshes(
    pool: &PgPool,
    before: DateTime<Utc>,
    changed_something: bool,
) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM job WHERE id IN (
            SELECT id FROM job j
            WHERE kind = 'refresh-user' AND finished_at < $1 AND undo_of IS NULL
                AND state IN ('succeeded', 'failed', 'cancelled')
                AND EXISTS (SELECT FROM job_change c WHERE c.job_id = j.id) = $2
            LIMIT $3 FOR UPDATE SKIP LOCKED)
        "#,
        before,
        changed_something,
        BATCH,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Never removes a school's last sync, its last good one and its last good full one, or the one
/// that `explain` uses.
async fn remove_syncs(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM job WHERE id IN (
            SELECT j.id FROM job j
            WHERE j.kind = 'sync-school' AND j.finished_at < $1 AND j.undo_of IS NULL
                AND j.state IN ('succeeded', 'failed', 'cancelled')
                AND EXISTS (SELECT FROM job l
                    WHERE l.school_id = j.school_id AND l.kind = 'sync-school' AND l.id > j.id
                        AND l.state IN ('succeeded', 'failed'))
                -- A good one only after another good one, a full one only after a full one.
                AND (j.state <> 'succeeded' OR j.options ->> 'dry_run' = 'true'
                    OR j.unique_key LIKE 'undo:%'
                    OR EXISTS (SELECT FROM job l
                        WHERE l.school_id = j.school_id AND l.kind = 'sync-school' AND l.id > j.id
                            AND l.state = 'succeeded' AND l.unique_key NOT LIKE 'undo:%'
                            AND l.options ->> 'dry_run' IS DISTINCT FROM 'true'
                            AND (j.report ->> 'mode' = 'delta'
                                OR l.report ->> 'mode' IS DISTINCT FROM 'delta')))
                AND NOT EXISTS (SELECT FROM mis_reading r
                    WHERE r.school_id = j.school_id AND j.id IN (r.job_id, r.full_job_id))
            LIMIT $2 FOR UPDATE OF j SKIP LOCKED)
        "#,
        before,
        LARGE,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// One that never ended, because its job failed, is as old as its request.
async fn remove_bulks(pool: &PgPool, before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        DELETE FROM bulk WHERE id IN (
            SELECT b.id FROM bulk b
            WHERE coalesce(b.finished_at, b.started_at) < $1
                AND NOT EXISTS (SELECT FROM job j
                    WHERE j.unique_key = 'act-on-jobs:' || b.id
                        AND j.state IN ('queued', 'running', 'retrying', 'held'))
            LIMIT $2 FOR UPDATE OF b SKIP LOCKED)
        "#,
        before,
        LARGE,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
