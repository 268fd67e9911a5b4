//! What only one worker does at a time. Every worker tries; the one that holds the lock is the
//! leader, and when it is gone another takes over within seconds.
//!
//! Two leaders for a moment, because one did not notice that it lost its lock, do no harm: Postgres
//! refuses everything that a leader does twice. The exception is a message, whose id shows its
//! receiver that it is a repeat.

use std::{convert::Infallible, time::Duration};

use futures::future;
use mis_sync_store::{Error, leader::Candidate};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::{Context, alerts, bookkeeping, retention, scheduler, token_probes};

/// How often a worker asks for the lock, or checks that it still has it.
const EVERY: Duration = Duration::from_secs(2);
/// A database that does not answer for this long has given the lock to another worker, or will.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(context: Context, lease: Duration, stop: CancellationToken) {
    let mut tick = every(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = stand(&context, lease) => ended,
        };
        match ended {
            Ok(never) => match never {},
            Err(error) => tracing::warn!(%error, "this worker cannot be the leader for now"),
        }
    }
}

/// Waits for the lock, then does the leader's work until the lock is lost.
async fn stand(context: &Context, lease: Duration) -> Result<Infallible, Error> {
    let mut candidate = within(Candidate::connect(context.queue.pool(), lease)).await?;
    let mut tick = every(EVERY);
    while !within(candidate.leads()).await? {
        tick.tick().await;
    }
    tracing::info!("this worker leads");
    let duties = future::join5(
        scheduler::run(context),
        alerts::watch(context),
        bookkeeping::run(context),
        retention::run(context),
        token_probes::run(context),
    );
    tokio::select! {
        lost = hold(&mut candidate, tick) => lost,
        (never, ..) = duties => match never {},
    }
}

async fn hold(candidate: &mut Candidate, mut tick: Interval) -> Result<Infallible, Error> {
    loop {
        tick.tick().await;
        within(candidate.leads()).await?;
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    in_time(PATIENCE, answer).await
}

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
