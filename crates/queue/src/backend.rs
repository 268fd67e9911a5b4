//! Our apalis `Backend`: yields jobs that are already claimed in the ledger.
//!
//! apalis asks for a job only when a slot is free, and we claim one job per question, so a
//! worker never holds a job that it does not run. The stream never ends with an error: apalis
//! would drop the running jobs midway. It ends by itself when the worker is to stop: a job
//! that was popped meanwhile is handed back at once, and only then apalis is told to shut
//! down. apalis' own way would leave a claim in flight alone until the running jobs are done.

use std::{
    convert::Infallible,
    task::{Context, Poll, ready},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::Task,
    worker::context::WorkerContext,
};
use futures::{StreamExt, stream, stream::BoxStream};
use mis_sync_domain::{JobId, Lane};
use mis_sync_store::jobs;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;

use crate::{Claimed, Error, Intake, Queue, redis::Popper};

/// Between two looks into the ledger while Redis or the ledger is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the jobs of one lane come from.
pub(crate) struct LaneBackend {
    jobs: BoxStream<'static, Claimed>,
    ended: CancellationToken,
}

/// What a lane needs of its worker.
pub(crate) struct LaneOptions {
    pub(crate) lane: Lane,
    /// Name in the ledger.
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    /// While it is closed no job is taken.
    pub(crate) intake: Intake,
    /// From then on no job is taken.
    pub(crate) stopping: CancellationToken,
    /// Cancelled by the lane once it has no job in hand that does not run.
    pub(crate) ended: CancellationToken,
}

struct Source {
    queue: Queue,
    options: LaneOptions,
    popper: Popper,
}

impl LaneBackend {
    pub(crate) fn open(queue: Queue, options: LaneOptions) -> Result<Self, Error> {
        let popper = queue.redis().popper(options.lane)?;
        let ended = options.ended.clone();
        let source = Source { queue, options, popper };
        let jobs = stream::unfold(source, |mut source| async move {
            let claimed = source.next().await?;
            Some((claimed, source))
        });
        Ok(Self { jobs: jobs.fuse().boxed(), ended })
    }
}

impl Source {
    /// The next job of this lane; `None` once the worker is to stop.
    async fn next(&mut self) -> Option<Claimed> {
        while self.takes_jobs().await {
            let claimed = match self.popper.pop().await {
                Ok(None) => None,
                Ok(Some(id)) => self.claim(id).await,
                Err(error) => {
                    let lane = self.options.lane;
                    tracing::warn!(%error, %lane, "Redis is away, asking the ledger");
                    self.claim_without_redis().await
                }
            };
            match claimed {
                Some(claimed) if self.is_stopping() => self.hand_back(&claimed).await,
                Some(claimed) => return Some(claimed),
                None => {}
            }
        }
        None
    }

    /// Waits until jobs are taken; `false` once the worker is to stop.
    async fn takes_jobs(&self) -> bool {
        let LaneOptions { intake, stopping, .. } = &self.options;
        stopping.run_until_cancelled(intake.opened()).await.is_some() && !self.is_stopping()
    }

    /// Claims the job of a popped id; `None`: it is not due any more. The id is nowhere but
    /// here, so while the ledger is away it is kept, and put back if the worker is to take no more.
    async fn claim(&self, id: JobId) -> Option<Claimed> {
        let LaneOptions { lane, worker, lease, intake, .. } = &self.options;
        while !self.is_stopping() && intake.is_open() {
            match jobs::claim(self.queue.pool(), id, worker, *lease).await {
                Ok(claimed) => return claimed,
                Err(error) => {
                    tracing::error!(job.id = %id, %error, %lane, "the job could not be claimed");
                    self.pause().await;
                }
            }
        }
        self.deliver(id).await;
        None
    }

    async fn claim_without_redis(&self) -> Option<Claimed> {
        let LaneOptions { lane, worker, lease, .. } = &self.options;
        let claimed =
            jobs::claim_next(self.queue.pool(), *lane, worker, *lease, Duration::ZERO).await;
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::error!(%error, %lane, "no job could be claimed");
            None
        });
        if claimed.is_none() {
            self.pause().await;
        }
        claimed
    }

    fn is_stopping(&self) -> bool {
        self.options.stopping.is_cancelled()
    }

    #[expect(clippy::disallowed_methods, reason = "a server that is away has no event to await")]
    async fn pause(&self) {
        tokio::select! {
            () = self.options.stopping.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }

    async fn hand_back(&self, claimed: &Claimed) {
        match jobs::release(self.queue.pool(), claimed.lease).await {
            Ok(()) => self.deliver(claimed.job.id).await,
            Err(error) => {
                let job_id = claimed.job.id;
                tracing::warn!(job.id = %job_id, %error, "the job waits for its lease to end");
            }
        }
    }

    async fn deliver(&self, id: JobId) {
        if let Err(error) = self.queue.deliver(self.options.lane, id).await {
            tracing::warn!(job.id = %id, %error, "the job waits for the sweeper");
        }
    }
}

impl Backend for LaneBackend {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Claimed>, Infallible>>> {
        let claimed = ready!(self.jobs.poll_next_unpin(cx));
        if claimed.is_none() {
            self.ended.cancel();
        }
        Poll::Ready(claimed.map(|claimed| Ok(Task::new(claimed))))
    }

    /// The stream has ended before, so nothing is left to close.
    fn poll_close(
        &mut self,
        _: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for LaneBackend {
    type Args = Claimed;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
