//! How often a loop turns, and how long one turn may take.

use std::time::Duration;

use mis_sync_store::Error;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// Aborts what takes longer: a dead connection never answers, and its loop would stand still for
/// ever.
pub(crate) async fn in_time<T, E: From<Error>>(
    longest: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(longest, work).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Unavailable("it did not answer in time".into()).into()),
    }
}

/// An interval that does not catch up on missed ticks.
pub(crate) fn every(period: Duration) -> Interval {
    let mut tick = interval(period);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}
