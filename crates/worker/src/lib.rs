#![doc = include_str!("../README.md")]

mod error;
mod jobs;
pub mod mapping;
mod rate_limit;
mod sweeper;

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use mis_sync_domain::{Clock, JobKind, MisTable};
use mis_sync_queue::{Claimed, Handler, Queue, WorkerOptions, run_worker};
use mis_sync_store::TokenCipher;
use mis_sync_wonde::WondeClient;
use tokio_util::sync::CancellationToken;

pub use error::SyncError;
pub use rate_limit::SharedRateLimit;

/// What every job may use.
#[derive(Debug, Clone)]
pub struct Context {
    /// The ledger and its delivery.
    pub queue: Queue,
    /// Wonde.
    pub wonde: WondeClient,
    /// Opens the schools' tokens.
    pub cipher: Arc<TokenCipher>,
    /// The known MIS.
    pub mis: Arc<MisTable>,
    /// Says what day it is.
    pub clock: Clock,
    /// How old the pages of an interrupted fetch may be for a later attempt to go on from them.
    pub staged_pages_max_age: Duration,
    /// How far a delta looks back beyond the last fetch: what changed in a MIS reaches Wonde late.
    pub delta_overlap: Duration,
}

/// Runs jobs and the sweeper until `stop` is cancelled and the running jobs are done or
/// handed back.
pub async fn run(
    context: Context,
    options: WorkerOptions,
    stop: CancellationToken,
) -> Result<(), mis_sync_queue::Error> {
    let sweeping = stop.child_token();
    let sweeper = tokio::spawn(sweeper::run(context.queue.clone(), sweeping.clone()));
    let ended = run_worker(context.queue.clone(), options, handler(context), stop).await;
    sweeping.cancel();
    if let Err(error) = sweeper.await {
        tracing::error!(%error, "the sweeper died");
    }
    ended
}

/// Runs a claimed job by its kind.
pub fn handler(context: Context) -> Handler {
    let context = Arc::new(context);
    Arc::new(move |claimed: Claimed| {
        let context = Arc::clone(&context);
        async move {
            let ended = match claimed.job.kind {
                JobKind::SyncSchool => jobs::sync_school::run(&context, &claimed).await,
            };
            ended.map_err(Into::into)
        }
        .boxed()
    })
}
