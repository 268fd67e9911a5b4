//! Our apalis `Backend`: yields jobs that are already claimed in the ledger.
//!
//! apalis asks for a job only when a slot is free, and we claim one job per question, so a
//! worker never holds a job that it does not run. The stream never ends with an error: apalis
//! would drop the running jobs midway. A claim in flight at shutdown is finished and handed
//! back, because dropping it could strand a job that was just popped.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::Task,
    worker::context::WorkerContext,
};
use futures::FutureExt;
use mis_sync_domain::Lane;
use mis_sync_store::jobs;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;

use crate::{Claimed, Error, Queue, redis::Popper};

/// Between two looks into the ledger while Redis or the ledger is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the jobs of one lane come from.
pub(crate) struct LaneBackend {
    source: Arc<tokio::sync::Mutex<Source>>,
    claiming: Option<Pin<Box<dyn Future<Output = Option<Claimed>> + Send>>>,
    handing_back: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

struct Source {
    queue: Queue,
    lane: Lane,
    worker: String,
    lease: Duration,
    popper: Popper,
    stopping: CancellationToken,
}

impl LaneBackend {
    pub(crate) fn open(
        queue: Queue,
        lane: Lane,
        worker: String,
        lease: Duration,
        stopping: CancellationToken,
    ) -> Result<Self, Error> {
        let popper = queue.redis().popper(lane)?;
        let source = Source { queue, lane, worker, lease, popper, stopping };
        Ok(Self {
            source: Arc::new(tokio::sync::Mutex::new(source)),
            claiming: None,
            handing_back: None,
        })
    }

    fn claim(&mut self) -> &mut Pin<Box<dyn Future<Output = Option<Claimed>> + Send>> {
        let source = &self.source;
        self.claiming.get_or_insert_with(|| {
            let source = Arc::clone(source);
            async move { source.lock().await.next().await }.boxed()
        })
    }
}

impl Source {
    /// The next job of this lane; `None` once the worker is to stop.
    async fn next(&mut self) -> Option<Claimed> {
        while !self.stopping.is_cancelled() {
            let claimed = match self.popper.pop().await {
                Ok(None) => Ok(None),
                Ok(Some(id)) => jobs::claim(self.queue.pool(), id, &self.worker, self.lease).await,
                Err(error) => {
                    tracing::warn!(%error, lane = %self.lane, "Redis is away, asking the ledger");
                    self.pause().await;
                    jobs::claim_next(self.queue.pool(), self.lane, &self.worker, self.lease).await
                }
            };
            match claimed {
                Ok(Some(claimed)) => return Some(claimed),
                Ok(None) => {}
                Err(error) => {
                    // The id is gone from Redis; the sweeper delivers it again.
                    tracing::error!(%error, lane = %self.lane, "no job could be claimed");
                    self.pause().await;
                }
            }
        }
        None
    }

    #[expect(clippy::disallowed_methods, reason = "a server that is away has no event to await")]
    async fn pause(&self) {
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }

    async fn hand_back(&self, claimed: &Claimed) {
        let released = jobs::release(self.queue.pool(), claimed.lease).await;
        if let Err(error) = released {
            tracing::warn!(job.id = %claimed.job.id, %error, "the job waits for its lease to end");
        } else if let Err(error) = self.queue.deliver(self.lane, claimed.job.id).await {
            tracing::warn!(job.id = %claimed.job.id, %error, "the job waits for the sweeper");
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
        let claimed = std::task::ready!(self.claim().poll_unpin(cx));
        self.claiming = None;
        Poll::Ready(claimed.map(|claimed| Ok(Task::new(claimed))))
    }

    fn poll_close(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        if let Some(claiming) = &mut self.claiming {
            let claimed = std::task::ready!(claiming.poll_unpin(cx));
            self.claiming = None;
            if let Some(claimed) = claimed {
                let source = Arc::clone(&self.source);
                let handing_back = async move { source.lock().await.hand_back(&claimed).await };
                self.handing_back = Some(handing_back.boxed());
            }
        }
        if let Some(handing_back) = &mut self.handing_back {
            std::task::ready!(handing_back.poll_unpin(cx));
            self.handing_back = None;
        }
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
