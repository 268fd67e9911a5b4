//! Stores the figures of past periods, and deletes workers that are long gone. The leader does
//! this.

use std::{convert::Infallible, time::Duration};

use mis_sync_store::{Error, figures, workers};

use crate::{
    Context,
    pace::{every, in_time},
};

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_mins(5);

const EVERY: Duration = Duration::from_secs(20);

pub(crate) async fn run(context: &Context) -> Infallible {
    let mut tick = every(EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = in_time(LONGEST, keep(context)).await {
            tracing::warn!(%error, "the figures could not be stored");
        }
    }
}

async fn keep(context: &Context) -> Result<(), Error> {
    let pool = context.queue.pool();
    // A few at a time, so that a long history does not hold up other work.
    while figures::fill_periods(pool).await? > 0 {}
    workers::forget_old(pool).await.map(drop)
}
