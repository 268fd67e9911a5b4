//! Removes old rows, a few at a time. The leader does this.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use mis_sync_store::retention::{self, Removed, Retention};

use crate::{
    Context,
    pace::{every, in_time},
};

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_mins(5);

/// How long old rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct RetentionOptions {
    pub keep: Retention,
    /// How often to remove old rows.
    pub every: Duration,
}

pub(crate) async fn run(context: &Context, options: &RetentionOptions) -> Infallible {
    let mut tick = every(options.every);
    loop {
        tick.tick().await;
        let mut started = Instant::now();
        while sweep(context, &options.keep).await {
            rest(started.elapsed()).await;
            started = Instant::now();
        }
    }
}

/// Removes a few of each kind; returns whether there is more.
async fn sweep(context: &Context, keep: &Retention) -> bool {
    let sweep = retention::sweep(context.queue.pool(), context.clock.now(), keep);
    match in_time(LONGEST, sweep).await {
        Ok(removed) => {
            if removed != Removed::default() {
                tracing::info!(?removed, "what was old was removed");
            }
            removed.is_full()
        }
        Err(error) => {
            tracing::warn!(%error, "what is old could not be removed");
            false
        }
    }
}

/// As long as the work took, so that at most half of the time goes into it, however much is old.
#[expect(clippy::disallowed_methods, reason = "the database rests; there is nothing to wait for")]
async fn rest(took: Duration) {
    tokio::time::sleep(took).await;
}
