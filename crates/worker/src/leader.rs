//! What only one worker does at a time. Every worker tries; the one that holds the lock is the
//! leader, and when it is gone another takes over within seconds.
//!
//! Two leaders for a moment, because one did not notice that it lost its lock, do no harm: Postgres
//! refuses everything that a leader does twice. The exception is a message, whose id shows its
//! receiver that it is a repeat.

use std::{convert::Infallible, time::Duration};

use futures::future;
use mis_sync_store::{Address, Error, callbacks, leader::Candidate};
use mis_sync_telemetry::metrics;
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;

use crate::{
    AlertOptions, Context, RetentionOptions, SchedulerOptions, alerts, bookkeeping,
    pace::{every, in_time},
    retention, scheduler, token_probes,
};

/// What the leader does, and how often.
#[derive(Debug, Clone)]
pub struct LeaderOptions {
    /// Where the lock is taken: a session that no pooler shares.
    pub database: Address,
    /// How schedules are served.
    pub scheduler: SchedulerOptions,
    pub alerts: AlertOptions,
    /// How long old rows are kept.
    pub retention: RetentionOptions,
    /// How long before a refused token is tried again.
    pub token_probe_after: Duration,
}

/// How often a worker asks for the lock, or checks that it still has it.
const EVERY: Duration = Duration::from_secs(2);
/// A database that does not answer for this long has given the lock to another worker, or will.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    context: Context,
    options: LeaderOptions,
    lease: Duration,
    stop: CancellationToken,
) {
    metrics::LEADER.set(metrics::NO_LABELS, 0.0);
    let mut tick = every(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = stand(&context, &options, lease) => ended,
        };
        match ended {
            Ok(never) => match never {},
            Err(error) => tracing::warn!(%error, "this worker cannot be the leader for now"),
        }
    }
}

/// Waits for the lock, then does the leader's work until the lock is lost.
async fn stand(
    context: &Context,
    options: &LeaderOptions,
    lease: Duration,
) -> Result<Infallible, Error> {
    let mut candidate = within(Candidate::connect(&options.database, lease)).await?;
    let mut tick = every(EVERY);
    while !within(candidate.leads()).await? {
        tick.tick().await;
    }
    tracing::info!("this worker leads");
    let _leads = metrics::LEADER.hold(metrics::NO_LABELS);
    let has_receiver = context.callbacks.installation.is_some();
    within(callbacks::note_installation(context.queue.pool(), has_receiver)).await?;
    let duties = future::join5(
        scheduler::run(context, &options.scheduler),
        alerts::watch(context, &options.alerts),
        bookkeeping::run(context),
        retention::run(context, &options.retention),
        token_probes::run(context, options.token_probe_after),
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
