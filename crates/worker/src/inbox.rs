//! Looks at what Wonde posted. An event is a hint and Wonde is the truth: a token is trusted once
//! Wonde takes it, and what was said before is asked about before it counts again.

use std::time::Duration;

use chrono::TimeDelta;
use mis_sync_domain::WebhookKind;
use mis_sync_queue::RetryPolicy;
use mis_sync_store::{
    Error as StoreError, schools,
    webhooks::{self, TakenEvent},
};
use mis_sync_wonde::{Error as WondeError, School as WondeSchool, WondeId};
use secrecy::SecretString;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    Context,
    leader::{every, in_time},
};

/// Also how late an event may be looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Longer than every try to reach Wonde takes.
const LEASE: Duration = Duration::from_mins(5);
/// For so long Wonde may be away before an event is given up.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(24);

pub(crate) async fn run(context: Context, retry: RetryPolicy, stop: CancellationToken) {
    let mut tick = every(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let emptied = tokio::select! {
            () = stop.cancelled() => return,
            emptied = in_time(LEASE, handle_all(&context, retry)) => emptied,
        };
        if let Err(error) = emptied {
            tracing::warn!(%error, "the inbox of webhooks could not be emptied");
        }
    }
}

async fn handle_all(context: &Context, retry: RetryPolicy) -> Result<(), StoreError> {
    let pool = context.queue.pool();
    while let Some(event) = webhooks::take(pool, &context.cipher, LEASE).await? {
        match event.kind {
            Some(WebhookKind::SchoolApproved) => approve(context, &event, retry).await?,
            Some(WebhookKind::AccessRevoked | WebhookKind::AccessDeclined) => {
                end_access(context, &event, retry).await?;
            }
            Some(WebhookKind::SchoolMigration) => note_migration(context, &event).await?,
            None => webhooks::ignore(pool, &event, "unknown_kind").await?,
        }
        let kind = event.kind.map_or("unknown", WebhookKind::as_str);
        tracing::info!(webhook.id = %event.id, webhook.kind = kind, "webhook looked at");
    }
    Ok(())
}

async fn approve(
    context: &Context,
    event: &TakenEvent,
    retry: RetryPolicy,
) -> Result<(), StoreError> {
    let pool = context.queue.pool();
    let Some(token) = &event.token else {
        return webhooks::refuse(pool, event, "token_unreadable").await;
    };
    match ask_wonde(context, event, token).await {
        Answer::Takes(school) => {
            let mis = school.mis.as_deref();
            if webhooks::apply_approval(pool, &context.cipher, event, token, mis).await? {
                Ok(())
            } else {
                webhooks::keep_approval(pool, event).await
            }
        }
        Answer::Refuses(reason) => webhooks::refuse(pool, event, reason).await,
        Answer::Later(after) => ask_later(context, event, after, retry).await,
    }
}

/// The first word counts at once. The same words again may be a repeat that came late, after the
/// school let us in again: then Wonde is asked, if it is the configured one that the school is read
/// from.
async fn end_access(
    context: &Context,
    event: &TakenEvent,
    retry: RetryPolicy,
) -> Result<(), StoreError> {
    let pool = context.queue.pool();
    let wonde_school_id = event.wonde_school_id.as_deref().unwrap_or_default();
    if event.is_repeat
        && let Some(token) =
            schools::token_of_wonde_school(pool, &context.cipher, wonde_school_id).await?
    {
        match ask_wonde(context, event, &token).await {
            Answer::Takes(_) => return webhooks::ignore(pool, event, "still_granted").await,
            Answer::Refuses(_) => {}
            Answer::Later(after) => return ask_later(context, event, after, retry).await,
        }
    }
    webhooks::end_access(pool, event).await
}

async fn note_migration(context: &Context, event: &TakenEvent) -> Result<(), StoreError> {
    let text = |name| event.details.get(name).and_then(Value::as_str);
    let (from, to) = (text("migrate_from"), text("migrate_to"));
    let is_completed = text("completed_at").is_some();
    webhooks::note_migration(context.queue.pool(), event, from, to, is_completed).await
}

/// What Wonde says to a token.
enum Answer {
    Takes(Box<WondeSchool>),
    Refuses(&'static str),
    /// It cannot say now; it may have said when to ask again.
    Later(Option<Duration>),
}

async fn ask_wonde(context: &Context, event: &TakenEvent, token: &SecretString) -> Answer {
    let wonde_school_id = event.wonde_school_id.clone().unwrap_or_default();
    let Ok(id) = WondeId::try_from(wonde_school_id) else {
        return Answer::Refuses("bad_school_id");
    };
    // Only the configured Wonde can say whose a token is.
    let asked = match context.wonde.school(&id, token, None) {
        Ok(client) => client.school().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(school) if school.id == id => Answer::Takes(Box::new(school)),
        Ok(_) => Answer::Refuses("another_school"),
        Err(WondeError::Unauthorized) => Answer::Refuses("wonde_unauthorized"),
        Err(WondeError::Forbidden { .. }) => Answer::Refuses("wonde_forbidden"),
        Err(WondeError::NotFound) => Answer::Refuses("wonde_school_unknown"),
        Err(error) if error.is_transient() => Answer::Later(error.retry_after()),
        Err(_) => Answer::Refuses("wonde_protocol"),
    }
}

async fn ask_later(
    context: &Context,
    event: &TakenEvent,
    after: Option<Duration>,
    retry: RetryPolicy,
) -> Result<(), StoreError> {
    let pool = context.queue.pool();
    if context.clock.now() - event.last_received_at > GIVE_UP_AFTER {
        return webhooks::refuse(pool, event, "wonde_unavailable").await;
    }
    let after = after.unwrap_or_else(|| retry.wait(event.attempts));
    webhooks::retry(pool, event, after, "wonde_unavailable").await
}
