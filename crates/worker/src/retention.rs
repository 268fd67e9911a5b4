//! Removes old rows, a few at a time. The leader does this.

use std::{convert::Infallible, time::Duration};

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
    let RetentionOptions { keep, every: period } = *options;
    let mut tick = every(period);
    loop {
        tick.tick().await;
        match in_time(LONGEST, retention::sweep(context.queue.pool(), context.clock.now(), &keep))
            .await
        {
            Ok(removed) if removed == Removed::default() => {}
            Ok(removed) => tracing::info!(?removed, "what was old was removed"),
            Err(error) => tracing::warn!(%error, "what is old could not be removed"),
        }
    }
}
