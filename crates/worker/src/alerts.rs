//! Tells of schools that somebody has to look at: one alert for each condition, and one message
//! when it is over. The leader's work.

mod message;
mod send;

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use chrono::TimeDelta;
use mis_sync_queue::RetryPolicy;
use mis_sync_store::{Error, alerts};
use url::Url;

use crate::{
    Context,
    leader::{every, in_time},
};
pub use send::{AlertSecret, InvalidAlertSecret};

/// How often it is looked whether a message is due.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// What is alerted to, and whom.
#[derive(Debug, Clone)]
pub struct AlertOptions {
    /// So long no sync may have been applied.
    pub stale_after: TimeDelta,
    /// How often schools are looked at.
    pub every: Duration,
    /// Whom to tell; `None`: alerts are noted only.
    pub receiver: Option<Arc<AlertReceiver>>,
}

/// Who is told of alerts.
#[derive(Debug)]
pub struct AlertReceiver {
    /// Where messages are posted.
    pub url: Url,
    /// What signs them.
    pub secret: AlertSecret,
}

/// Nothing takes so long but a connection that died without a word.
const LONGEST: Duration = Duration::from_mins(5);

/// Compares the schools with the open alerts, all the time.
pub(crate) async fn watch(context: &Context) -> Infallible {
    let mut tick = every(context.alerts.every);
    loop {
        tick.tick().await;
        match in_time(LONGEST, look(context)).await {
            Ok(changed) if changed == alerts::Reconciled::default() => {}
            Ok(alerts::Reconciled { raised, cleared }) => {
                tracing::info!(raised, cleared, "alerts changed");
            }
            Err(error) => tracing::warn!(%error, "schools could not be looked at"),
        }
    }
}

async fn look(context: &Context) -> Result<alerts::Reconciled, Error> {
    let (pool, now, options) = (context.queue.pool(), context.clock.now(), &context.alerts);
    let mut conditions = Vec::new();
    for school in alerts::unwell(pool, now - options.stale_after).await? {
        conditions.extend(school.conditions(now, options.stale_after));
    }
    let is_told = options.receiver.is_some();
    alerts::reconcile(pool, &conditions, |alert| is_told.then(|| message::body(alert))).await
}

/// Sends the messages that are due, all the time.
pub(crate) async fn send(context: &Context, retry: RetryPolicy) -> Infallible {
    let Some(receiver) = &context.alerts.receiver else { return pending().await };
    let sender = match send::Sender::new(receiver) {
        Ok(sender) => sender,
        Err(error) => {
            tracing::error!(%error, "alerts cannot be sent");
            return pending().await;
        }
    };
    let mut tick = every(SEND_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = in_time(LONGEST, sender.send_due(context, retry)).await {
            tracing::warn!(%error, "alerts could not be sent");
        }
    }
}
