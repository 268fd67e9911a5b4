//! What Wonde posted: an inbox that the API fills and workers empty.
//!
//! Each body is one event however often it comes, because Wonde repeats what it thinks was lost.
//! A token that an approval brings is sealed at once and leaves the table once it is a school's.

mod outcome;

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{WebhookEventId, WebhookKind, WebhookState};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::PgPool;

use crate::{Error, TokenCipher, jobs::interval};

pub use outcome::{
    apply_approval, end_access, ignore, keep_approval, note_migration, refuse, retry,
};
pub(crate) use outcome::{forget_kept, take_kept};

/// What Wonde posted.
#[derive(Debug)]
pub struct NewWebhookEvent {
    /// Wonde's `payload_type`.
    pub kind: String,
    /// Wonde's id of the school, where it names one.
    pub wonde_school_id: Option<String>,
    /// What else is worth keeping; never a token.
    pub details: Value,
    /// The token of an approval.
    pub token: Option<SecretString>,
    /// SHA-256 of the body.
    pub body_hash: Vec<u8>,
}

/// An event as operators see it.
#[derive(Debug, Clone)]
pub struct WebhookEvent {
    /// Its id.
    pub id: WebhookEventId,
    /// Wonde's `payload_type`.
    pub kind: String,
    /// Wonde's id of the school.
    pub wonde_school_id: Option<String>,
    /// What else was kept.
    pub details: Value,
    /// Where it stands.
    pub state: WebhookState,
    /// Why, as a stable code.
    pub reason: Option<String>,
    /// How often the same body came.
    pub times_received: i32,
    /// When it first came.
    pub received_at: DateTime<Utc>,
    /// When it was last handled to an end.
    pub handled_at: Option<DateTime<Utc>>,
}

/// An event that a worker has taken to handle.
pub struct TakenEvent {
    /// Its id.
    pub id: WebhookEventId,
    /// What happened; `None`: a kind that is not known here.
    pub kind: Option<WebhookKind>,
    /// Wonde's id of the school.
    pub wonde_school_id: Option<String>,
    /// The token of an approval; `None` where there is none, or none that opens.
    pub token: Option<SecretString>,
    /// What else it says.
    pub details: Value,
    /// The same body was handled before.
    pub is_repeat: bool,
    /// How often it was tried, this time included.
    pub attempts: u16,
    /// When it last came.
    pub last_received_at: DateTime<Utc>,
}

/// Puts an event in the inbox. A body that came before is the same event: approvals and ends of
/// access are handled anew, because what they say may be true again; the rest stays as it is.
pub async fn receive(
    pool: &PgPool,
    cipher: &TokenCipher,
    new: &NewWebhookEvent,
) -> Result<WebhookEventId, Error> {
    let owner = new.wonde_school_id.as_deref().unwrap_or_default();
    let sealed = new.token.as_ref().map(|token| cipher.seal(&seal_name(owner), token));
    let id = sqlx::query_scalar!(
        r#"
        INSERT INTO webhook_event AS e
            (id, kind, wonde_school_id, details, sealed_token, body_hash)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (body_hash) DO UPDATE SET
            times_received = e.times_received + 1,
            last_received_at = now(),
            sealed_token = CASE WHEN e.kind = ANY($7) THEN excluded.sealed_token END,
            state = CASE WHEN e.kind = ANY($7) THEN 'received' ELSE e.state END,
            attempts = 0,
            next_attempt_at = now()
        RETURNING id
        "#,
        WebhookEventId::new().0,
        new.kind,
        new.wonde_school_id,
        new.details,
        sealed,
        new.body_hash,
        &WebhookKind::REPEATABLE.map(|kind| kind.as_str().to_owned()),
    )
    .fetch_one(pool)
    .await?;
    Ok(WebhookEventId(id))
}

/// Takes the event that is due longest. Nobody else takes it for `lease`; who dies leaves it to
/// the next one.
pub async fn take(
    pool: &PgPool,
    cipher: &TokenCipher,
    lease: Duration,
) -> Result<Option<TakenEvent>, Error> {
    let row = sqlx::query!(
        r#"
        UPDATE webhook_event SET attempts = attempts + 1, next_attempt_at = now() + $1
        WHERE id = (
            SELECT id FROM webhook_event WHERE state = 'received' AND next_attempt_at <= now()
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, kind, wonde_school_id, details, sealed_token, attempts, last_received_at,
            handled_at IS NOT NULL AS "is_repeat!"
        "#,
        interval(lease),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| {
        let owner = row.wonde_school_id.as_deref().unwrap_or_default();
        let open = |sealed: Vec<u8>| cipher.open(&seal_name(owner), &sealed);
        TakenEvent {
            id: WebhookEventId(row.id),
            kind: row.kind.parse().ok(),
            token: row.sealed_token.and_then(open),
            wonde_school_id: row.wonde_school_id,
            details: row.details,
            is_repeat: row.is_repeat,
            attempts: u16::try_from(row.attempts).unwrap_or(u16::MAX),
            last_received_at: row.last_received_at,
        }
    }))
}

/// Events, newest first.
pub async fn list(pool: &PgPool, limit: i64) -> Result<Vec<WebhookEvent>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, kind, wonde_school_id, details, state, reason, times_received, received_at,
            handled_at
        FROM webhook_event ORDER BY id DESC LIMIT $1
        "#,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let state = row.state.parse().map_err(|_| Error::Inconsistent {
                table: "webhook_event",
                column: "state",
                id: row.id.to_string(),
            })?;
            Ok(WebhookEvent {
                id: WebhookEventId(row.id),
                kind: row.kind,
                wonde_school_id: row.wonde_school_id,
                details: row.details,
                state,
                reason: row.reason,
                times_received: row.times_received,
                received_at: row.received_at,
                handled_at: row.handled_at,
            })
        })
        .collect()
}

/// What a token in the inbox is sealed for. No school of iP has such an id, so it does not open in
/// a school's row.
fn seal_name(wonde_school_id: &str) -> String {
    format!("wonde:{wonde_school_id}")
}
