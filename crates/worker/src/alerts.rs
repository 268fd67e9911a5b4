//! Tells of schools that somebody has to look at: one alert for each condition, and one message
//! when it is over. The leader's work.

mod message;

use std::{convert::Infallible, sync::Arc, time::Duration};

use chrono::TimeDelta;
use mis_sync_store::{Error, alerts};

use crate::{
    Context,
    jobs::AlertReceiver,
    leader::{every, in_time},
};

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

/// Nothing takes so long but a connection that died without a word.
const LONGEST: Duration = Duration::from_mins(5);

/// Compares the schools with the open alerts, all the time.
pub(crate) async fn watch(context: &Context) -> Infallible {
    let mut tick = every(context.alerts.every);
    loop {
        tick.tick().await;
        match in_time(LONGEST, look(context)).await {
            Ok(alerts::Reconciled { raised: 0, cleared: 0, .. }) => {}
            Ok(alerts::Reconciled { raised, cleared, jobs }) => {
                tracing::info!(raised, cleared, "alerts changed");
                for job in &jobs {
                    context.queue.deliver_new(job).await;
                }
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
