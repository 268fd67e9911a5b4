//! Handles a webhook from Wonde. An event is a hint and Wonde is the truth: a token is trusted once
//! Wonde accepts it, and a repeated event is checked with Wonde before it counts again.

use chrono::TimeDelta;
use mis_sync_domain::{HandleWebhook, WebhookKind};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{
    Error as StoreError, jobs, schools,
    webhooks::{self, OpenEvent},
};
use mis_sync_wonde::{Error as WondeError, School as WondeSchool, WondeId};
use secrecy::SecretString;
use serde_json::Value;

use super::Run;
use crate::{Context, SyncError};

/// How long Wonde may be away before an event is abandoned.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(24);

impl Run for HandleWebhook {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        loop {
            match handle(context, claimed, &self).await {
                // The same body came again while it was being handled.
                Err(SyncError::Store(StoreError::Moved)) => {}
                ended => return Ok(ended.map(|()| Done::Succeeded)?),
            }
        }
    }
}

async fn handle(
    context: &Context,
    claimed: &Claimed,
    job: &HandleWebhook,
) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let opened = webhooks::open(pool, &context.cipher, claimed.lease, job.event_id).await?;
    let Some(event) = opened else { return Ok(jobs::finish(pool, claimed.lease).await?) };
    match event.kind {
        Some(WebhookKind::SchoolApproved) => approve(context, &event).await?,
        Some(WebhookKind::AccessRevoked | WebhookKind::AccessDeclined) => {
            end_access(context, &event).await?;
        }
        Some(WebhookKind::SchoolMigration) => note_migration(context, &event).await?,
        None => webhooks::ignore(pool, &event, "unknown_kind").await?,
    }
    let kind = event.kind.map_or("unknown", WebhookKind::as_str);
    tracing::info!(webhook.id = %event.id, webhook.kind = kind, "webhook handled");
    Ok(())
}

async fn approve(context: &Context, event: &OpenEvent) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let Some(token) = &event.token else {
        return Ok(webhooks::refuse(pool, event, "token_unreadable").await?);
    };
    match ask_wonde(context, event, token).await? {
        Answer::Takes(school) => {
            let mis = school.mis.as_deref();
            if webhooks::apply_approval(pool, &context.cipher, event, token, mis).await? {
                Ok(())
            } else {
                Ok(webhooks::keep_approval(pool, event).await?)
            }
        }
        Answer::Refuses(reason) => Ok(webhooks::refuse(pool, event, reason).await?),
    }
}

/// The first event counts at once. The same event again may be a late repeat, from before the
/// school approved again. Then Wonde is asked, if the school is read from the configured Wonde.
async fn end_access(context: &Context, event: &OpenEvent) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let wonde_school_id = event.wonde_school_id.as_deref().unwrap_or_default();
    if event.is_repeat
        && let Some(token) =
            schools::token_of_wonde_school(pool, &context.cipher, wonde_school_id).await?
    {
        match ask_wonde(context, event, &token).await? {
            Answer::Takes(_) => return Ok(webhooks::ignore(pool, event, "still_granted").await?),
            Answer::Refuses(_) => {}
        }
    }
    Ok(webhooks::end_access(pool, event).await?)
}

async fn note_migration(context: &Context, event: &OpenEvent) -> Result<(), SyncError> {
    let text = |name| event.details.get(name).and_then(Value::as_str);
    let (from, to) = (text("migrate_from"), text("migrate_to"));
    let is_completed = text("completed_at").is_some();
    Ok(webhooks::note_migration(context.queue.pool(), event, from, to, is_completed).await?)
}

/// Wonde's answer to a token.
enum Answer {
    Takes(Box<WondeSchool>),
    Refuses(&'static str),
}

/// An error means that Wonde cannot say now, and is asked again later.
async fn ask_wonde(
    context: &Context,
    event: &OpenEvent,
    token: &SecretString,
) -> Result<Answer, SyncError> {
    let wonde_school_id = event.wonde_school_id.clone().unwrap_or_default();
    let Ok(id) = WondeId::try_from(wonde_school_id) else {
        return Ok(Answer::Refuses("bad_school_id"));
    };
    // Only the configured Wonde can say whose token it is.
    let asked = match context.wonde.school(&id, token, None) {
        Ok(client) => client.school().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(school) if school.id == id => Ok(Answer::Takes(Box::new(school))),
        Ok(_) => Ok(Answer::Refuses("another_school")),
        Err(WondeError::Unauthorized) => Ok(Answer::Refuses("wonde_unauthorized")),
        Err(WondeError::Forbidden { .. }) => Ok(Answer::Refuses("wonde_forbidden")),
        Err(WondeError::NotFound) => Ok(Answer::Refuses("wonde_school_unknown")),
        Err(error) if error.is_transient() => {
            if context.clock.now() - event.last_received_at > GIVE_UP_AFTER {
                return Ok(Answer::Refuses("wonde_unavailable"));
            }
            webhooks::note_wait(context.queue.pool(), event, "wonde_unavailable").await?;
            Err(error.into())
        }
        Err(_) => Ok(Answer::Refuses("wonde_protocol")),
    }
}
