//! Opens an alert for each condition of a school that needs attention, and sends one message when
//! it ends. The leader does this.

mod message;

use std::{convert::Infallible, time::Duration};

use chrono::TimeDelta;
use mis_sync_store::{Error, alerts};

use crate::{
    Context,
    pace::{every, in_time},
};

/// Which conditions raise alerts.
#[derive(Debug, Clone, Copy)]
pub struct AlertOptions {
    /// The longest time without a sync that was applied.
    pub stale_after: TimeDelta,
    pub every: Duration,
}

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_mins(5);

/// Compares the schools with the open alerts, again and again.
pub(crate) async fn watch(context: &Context, options: &AlertOptions) -> Infallible {
    let mut tick = every(options.every);
    loop {
        tick.tick().await;
        match in_time(LONGEST, look(context, options)).await {
            Ok(alerts::Reconciled { raised, cleared, jobs }) => {
                if raised + cleared > 0 {
                    tracing::info!(raised, cleared, "alerts changed");
                }
                for job in &jobs {
                    context.queue.deliver_new(job).await;
                }
            }
            Err(error) => tracing::warn!(%error, "schools could not be checked"),
        }
    }
}

async fn look(context: &Context, options: &AlertOptions) -> Result<alerts::Reconciled, Error> {
    let (pool, now) = (context.queue.pool(), context.clock.now());
    let mut conditions = Vec::new();
    for school in alerts::unwell(pool, now - options.stale_after).await? {
        conditions.extend(school.conditions(now, options.stale_after));
    }
    let message = context.alert_receiver.as_ref().map(|_| &message::body as _);
    alerts::reconcile(pool, &conditions, message).await
}
