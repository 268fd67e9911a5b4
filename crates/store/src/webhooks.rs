//! Webhooks from Wonde: an inbox that the API fills and workers empty.
//!
//! Each body is one event however often it comes, because Wonde repeats what it thinks was lost.
//! The token of an approval is encrypted at once, and leaves the table once it belongs to a school.

mod outcome;

use chrono::{DateTime, Utc};
use mis_sync_domain::{HandleWebhook, Job, Lease, WebhookEventId, WebhookKind, WebhookState};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::PgPool;

use crate::{
    Error, TokenCipher,
    jobs::{self, NewJob},
};

pub use outcome::{
    apply_approval, end_access, ignore, keep_approval, note_migration, note_wait, refuse,
};
pub(crate) use outcome::{forget_kept, take_kept};

/// A webhook from Wonde.
#[derive(Debug)]
pub struct NewWebhookEvent {
    /// Wonde's `payload_type`.
    pub kind: String,
    /// Wonde's id of the school, if it names one.
    pub wonde_school_id: Option<String>,
    /// Other details worth keeping; never a token.
    pub details: Value,
    /// The token of an approval.
    pub token: Option<SecretString>,
    /// SHA-256 of the body.
    pub body_hash: Vec<u8>,
}

/// An event as operators see it.
#[derive(Debug, Clone)]
pub struct WebhookEvent {
    pub id: WebhookEventId,
    /// Wonde's `payload_type`.
    pub kind: String,
    /// Wonde's id of the school.
    pub wonde_school_id: Option<String>,
    /// Other details that were kept.
    pub details: Value,
    /// Its state.
    pub state: WebhookState,
    /// The reason, as a stable code.
    pub reason: Option<String>,
    /// How often the same body came.
    pub times_received: i32,
    /// When it first came.
    pub received_at: DateTime<Utc>,
    /// When it was last handled to its end.
    pub handled_at: Option<DateTime<Utc>>,
}

/// An event that a job handles.
pub struct OpenEvent {
    pub id: WebhookEventId,
    /// The job's right to end it.
    pub lease: Lease,
    /// What happened; `None` for an unknown kind.
    pub kind: Option<WebhookKind>,
    /// Wonde's id of the school.
    pub wonde_school_id: Option<String>,
    /// The token of an approval; `None` if there is none, or none that decrypts.
    pub token: Option<SecretString>,
    /// Its other details.
    pub details: Value,
    /// Whether the same body was handled before.
    pub is_repeat: bool,
    /// When it last came.
    pub last_received_at: DateTime<Utc>,
    times_received: i32,
}

/// The name in `requested_by` of jobs that handle webhooks.
const REQUESTED_BY: &str = "wonde";

/// Puts an event in the inbox, with the job that handles it. A body that came before is the same
/// event: approvals and ends of access are handled again, because they may be true again; other
/// events stay as they are. `None` beside the id means that there is no new job to deliver.
pub async fn receive(
    pool: &PgPool,
    cipher: &TokenCipher,
    new: &NewWebhookEvent,
) -> Result<(WebhookEventId, Option<Job>), Error> {
    let mut tx = crate::begin(pool).await?;
    let owner = new.wonde_school_id.as_deref().unwrap_or_default();
    let sealed = new.token.as_ref().map(|token| cipher.seal(&seal_name(owner), token));
    let event = sqlx::query!(
        r#"
        INSERT INTO webhook_event AS e
            (id, kind, wonde_school_id, details, sealed_token, body_hash)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (body_hash) DO UPDATE SET
            times_received = e.times_received + 1,
            last_received_at = now(),
            sealed_token = CASE WHEN e.kind = ANY($7) THEN excluded.sealed_token END,
            state = CASE WHEN e.kind = ANY($7) THEN 'received' ELSE e.state END
        RETURNING id, state = 'received' AS "is_to_be_handled!"
        "#,
        WebhookEventId::new().0,
        new.kind,
        new.wonde_school_id,
        new.details,
        sealed,
        new.body_hash,
        &WebhookKind::REPEATABLE.map(|kind| kind.as_str().to_owned()),
    )
    .fetch_one(&mut *tx)
    .await?;
    let id = WebhookEventId(event.id);
    let job = if event.is_to_be_handled {
        let new = NewJob::of(&HandleWebhook { event_id: id }, REQUESTED_BY);
        jobs::insert_or_find(&mut tx, &new).await?.into_new()
    } else {
        None
    };
    tx.commit().await?;
    Ok((id, job))
}

/// The event that a job should handle; `None` if it has been handled or removed.
pub async fn open(
    pool: &PgPool,
    cipher: &TokenCipher,
    lease: Lease,
    id: WebhookEventId,
) -> Result<Option<OpenEvent>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT kind, wonde_school_id, details, sealed_token, last_received_at, times_received,
            handled_at IS NOT NULL AS "is_repeat!"
        FROM webhook_event WHERE id = $1 AND state = 'received'
        "#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| {
        let owner = row.wonde_school_id.as_deref().unwrap_or_default();
        let open = |sealed: Vec<u8>| cipher.open(&seal_name(owner), &sealed);
        OpenEvent {
            id,
            lease,
            kind: row.kind.parse().ok(),
            token: row.sealed_token.and_then(open),
            wonde_school_id: row.wonde_school_id,
            details: row.details,
            is_repeat: row.is_repeat,
            last_received_at: row.last_received_at,
            times_received: row.times_received,
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

/// The name with which a token in the inbox is encrypted. No school of iP has such an id, so the
/// token does not decrypt in a school's row.
pub(crate) fn seal_name(wonde_school_id: &str) -> String {
    format!("wonde:{wonde_school_id}")
}
