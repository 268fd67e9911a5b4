//! Writes down the figures of periods that are over, and forgets workers that are long gone. The
//! leader's work.

use std::{convert::Infallible, time::Duration};

use mis_sync_store::{Error, figures, workers};

use crate::{
    Context,
    leader::{every, in_time},
};

/// Nothing takes so long but a connection that died without a word.
const LONGEST: Duration = Duration::from_mins(5);

const EVERY: Duration = Duration::from_secs(20);

pub(crate) async fn run(context: &Context) -> Infallible {
    let mut tick = every(EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = in_time(LONGEST, keep(context)).await {
            tracing::warn!(%error, "the books could not be kept");
        }
    }
}

async fn keep(context: &Context) -> Result<(), Error> {
    let pool = context.queue.pool();
    // Some at a time, so that a long history does not hold up anything else for long.
    while figures::fill_periods(pool).await? > 0 {}
    workers::forget_old(pool).await.map(drop)
}
