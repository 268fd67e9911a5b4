#![doc = include_str!("../README.md")]

mod addresses;
mod alerts;
mod bookkeeping;
mod error;
mod jobs;
mod leader;
pub mod mapping;
mod pace;
mod rate_limit;
mod receiver;
mod registry;
mod retention;
mod scheduler;
mod sweeper;
mod token_probes;
mod turns;

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use mis_sync_domain::{Clock, MisTable, WondeHosts};
use mis_sync_queue::{Claimed, Handler, Queue, WorkerOptions, run_worker};
use mis_sync_store::{TokenCipher, workers};
use mis_sync_wonde::WondeClient;
use tokio_util::sync::CancellationToken;

pub use addresses::AllowedAddresses;
pub use alerts::AlertOptions;
pub use error::SyncError;
pub use leader::LeaderOptions;
pub use rate_limit::SharedRateLimit;
pub use receiver::{Callbacks, Receiver};
pub use retention::RetentionOptions;
pub use scheduler::SchedulerOptions;
pub use turns::Turns;

/// What every job may use.
#[derive(Debug, Clone)]
pub struct Context {
    pub queue: Queue,
    /// Wonde, for syncs.
    pub wonde: WondeClient,
    /// Wonde for logins: a share of the rate is reserved for them, and it gives up soon.
    pub wonde_at_login: WondeClient,
    /// The hosts that may be Wonde.
    pub wonde_hosts: Arc<WondeHosts>,
    pub cipher: Arc<TokenCipher>,
    pub mis: Arc<MisTable>,
    /// Today's date and the time of day.
    pub clock: Clock,
    pub syncs: SyncLimits,
    pub logins: LoginLimits,
    /// Where alerts are sent; `None` if they are only recorded.
    pub alert_receiver: Option<Arc<Receiver>>,
    /// Where messages about jobs are sent.
    pub callbacks: Arc<Callbacks>,
}

/// What bounds the syncs of schools.
#[derive(Debug, Clone, Copy)]
pub struct SyncLimits {
    /// How old the pages of an interrupted fetch may be for a later attempt to use them.
    pub pages_max_age: Duration,
    /// How far a delta looks back beyond the last fetch, because a change in the MIS reaches Wonde
    /// late.
    pub delta_overlap: Duration,
}

/// What bounds the refreshes of people who log in.
#[derive(Debug, Clone)]
pub struct LoginLimits {
    /// How long the fetch of one person may take.
    pub timeout: Duration,
    /// Which logins may write.
    pub turns: Turns,
    /// How long logins do not ask a Wonde that failed one of them.
    pub probe_after: Duration,
}

/// Runs jobs, the sweeper and, while this worker is the leader, the leader's work, until `stop` is
/// cancelled and the running jobs are done or handed back.
pub async fn run(
    context: Context,
    leader: LeaderOptions,
    options: WorkerOptions,
    stop: CancellationToken,
) -> Result<(), mis_sync_queue::Error> {
    let beside = stop.child_token();
    let worker = options.name.clone();
    let (beat, intake) = (registry::heartbeat(&options), options.intake.clone());
    let registry = registry::run(context.queue.clone(), beat, intake, beside.clone());
    let leader = leader::run(context.clone(), leader, options.lease, beside.clone());
    let queue = context.queue.clone();
    let tasks = [
        ("registry", tokio::spawn(registry)),
        ("sweeper", tokio::spawn(sweeper::run(context.queue.clone(), beside.clone()))),
        ("leader", tokio::spawn(leader)),
    ];
    let ended = run_worker(context.queue.clone(), options, handler(context), stop).await;
    beside.cancel();
    for (name, task) in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "the {name} died");
        }
    }
    if ended.is_ok()
        && let Err(error) = workers::stopped(queue.pool(), &worker).await
    {
        tracing::warn!(%error, "this worker could not report that it stopped");
    }
    ended
}

/// Reports this worker for the first time, so that it is known to be there before it is used.
pub async fn register(queue: &Queue, options: &WorkerOptions) -> Result<(), mis_sync_store::Error> {
    workers::beat(queue.pool(), &registry::heartbeat(options), false).await.map(drop)
}

/// Runs claimed jobs.
pub fn handler(context: Context) -> Handler {
    let context = Arc::new(context);
    Arc::new(move |claimed: Claimed| {
        let context = Arc::clone(&context);
        async move { jobs::run(&context, &claimed).await }.boxed()
    })
}
