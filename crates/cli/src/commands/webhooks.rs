use mis_sync_store::webhooks::{self, WebhookEvent};
use serde_json::{Value, json};

use crate::{arguments::Webhooks, commands::print, config::Config, exit::Failure, wiring};

pub(super) async fn run(config: &Config, webhooks: Webhooks) -> Result<(), Failure> {
    let Webhooks::List { limit, json } = webhooks;
    let pool = wiring::database(config).await?;
    let events = webhooks::list(&pool, limit.into()).await?;
    if json {
        return print(&events.iter().map(describe).collect::<Value>().to_string());
    }
    if events.is_empty() {
        return print("Wonde has not posted anything yet.");
    }
    print(&format!(
        "{:36}  {:16}  {:16}  {:14}  {:8}  {:5}  {}",
        "ID", "RECEIVED", "KIND", "WONDE SCHOOL", "STATE", "TIMES", "REASON"
    ))?;
    for event in events {
        print(&format!(
            "{:36}  {:16}  {:16}  {:14}  {:8}  {:5}  {}",
            event.id.to_string(),
            event.received_at.format("%Y-%m-%d %H:%M").to_string(),
            event.kind,
            event.wonde_school_id.as_deref().unwrap_or("-"),
            event.state,
            event.times_received,
            event.reason.as_deref().unwrap_or("-"),
        ))?;
    }
    Ok(())
}

fn describe(event: &WebhookEvent) -> Value {
    json!({
        "id": event.id,
        "kind": event.kind,
        "wonde_school_id": event.wonde_school_id,
        "details": event.details,
        "state": event.state,
        "reason": event.reason,
        "times_received": event.times_received,
        "received_at": event.received_at,
        "handled_at": event.handled_at,
    })
}
