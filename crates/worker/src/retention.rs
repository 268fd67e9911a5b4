//! Removes what is old and needed no more, a little at a time. The leader's work.

use std::{convert::Infallible, time::Duration};

use mis_sync_store::retention::{self, Removed, Retention};

use crate::{
    Context,
    leader::{every, in_time},
};

/// Nothing takes so long but a connection that died without a word.
const LONGEST: Duration = Duration::from_mins(5);

/// How long what is over is kept.
#[derive(Debug, Clone, Copy)]
pub struct RetentionOptions {
    /// By kind.
    pub keep: Retention,
    /// How often some of what is old is removed.
    pub every: Duration,
}

pub(crate) async fn run(context: &Context) -> Infallible {
    let RetentionOptions { keep, every: period } = context.retention;
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
