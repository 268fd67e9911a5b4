//! Sends to Redis again what should be running, in every worker process.

use std::time::Duration;

use mis_sync_queue::{Queue, Swept};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::pace::in_time;

/// This is also how late a retry may start after it became due.
const EVERY: Duration = Duration::from_secs(1);

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_secs(30);

pub(crate) async fn run(queue: Queue, stop: CancellationToken) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match in_time(LONGEST, queue.redeliver_due()).await {
            Ok(swept) if swept == Swept::default() => {}
            Ok(Swept { redelivered, undelivered, failed, discarded }) => {
                tracing::info!(redelivered, undelivered, failed, discarded, "swept");
            }
            Err(error) => tracing::warn!(%error, "the sweep did not go through"),
        }
    }
}
