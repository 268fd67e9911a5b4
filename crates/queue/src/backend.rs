//! Our apalis `Backend`: yields jobs that are already claimed in the ledger.
//!
//! apalis asks for a job only when a slot is free, and we claim one job for each question, so a
//! worker never holds a job that it does not run. The stream never ends with an error, because
//! apalis would then drop the running jobs midway. It ends when the worker should stop: a job that
//! was popped meanwhile is handed back at once, and only then is apalis told to shut down. apalis'
//! own way would leave a claim in flight alone until the running jobs are done.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
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
use rand::RngExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;

use crate::{
    Claimed, Intake, Queue,
    admission::{Admission, Admitted, Offer},
    redis::Popper,
};

/// The time between two reads of the ledger after a failed one.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest wait for an id. It is also the longest that a stopping worker waits for its last
/// pop.
const POP: Duration = Duration::from_secs(1);

/// A job that has waited longer than this, although nothing came from Redis, was not delivered.
const DELIVERED_WITHIN: Duration = Duration::from_millis(250);

/// After Redis failed, or did not deliver a job, the ledger is asked first for this long. The same
/// is true after an id was left because its job may not run beside the present ones, because the id
/// is nowhere else any more.
const DOUBT: Duration = Duration::from_secs(10);

/// Whether Redis delivers the jobs of a lane. Clones share it: what one slot of a worker finds out,
/// the others know too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doubt(Arc<Mutex<Option<Instant>>>);

impl Doubt {
    fn raise(&self) {
        *self.lock() = Some(Instant::now() + DOUBT);
    }

    fn is_there(&self) -> bool {
        self.lock().is_some_and(|end| Instant::now() < end)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().expect("no code panics while it is locked")
    }
}

/// The source of the jobs of one lane.
pub(crate) struct LaneBackend {
    jobs: BoxStream<'static, Admitted>,
    ended: CancellationToken,
}

/// What a lane needs of its worker.
pub(crate) struct LaneOptions {
    pub(crate) lane: Lane,
    /// The name in the ledger.
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    /// Shared by all slots of this lane.
    pub(crate) doubt: Doubt,
    /// Shared by all slots of this lane.
    pub(crate) admission: Admission,
    /// While it is closed, no job is taken.
    pub(crate) intake: Intake,
    /// After this no job is taken.
    pub(crate) stopping: CancellationToken,
    /// The lane cancels this once it holds no job that is not running.
    pub(crate) ended: CancellationToken,
}

struct Source {
    queue: Queue,
    options: LaneOptions,
    popper: Popper,
}

impl LaneBackend {
    pub(crate) fn open(queue: Queue, options: LaneOptions) -> Self {
        let popper = queue.redis().popper(options.lane);
        let ended = options.ended.clone();
        let source = Source { queue, options, popper };
        let jobs = stream::unfold(source, |mut source| async move {
            let admitted = source.next().await?;
            Some((admitted, source))
        });
        Self { jobs: jobs.fuse().boxed(), ended }
    }
}

impl Source {
    /// The next job of this lane; `None` once the worker should stop.
    async fn next(&mut self) -> Option<Admitted> {
        while self.takes_jobs().await {
            let in_doubt = self.options.doubt.is_there() || self.queue.redis().trouble().is_some();
            let admitted = if in_doubt {
                self.claim_from_ledger().await
            } else {
                self.claim_delivered().await
            };
            match admitted {
                Some(admitted) if self.is_stopping() => self.hand_back(&admitted.claimed).await,
                Some(admitted) => return Some(admitted),
                None => {}
            }
        }
        None
    }

    /// Waits until jobs are taken. Returns false once the worker should stop.
    async fn takes_jobs(&self) -> bool {
        let LaneOptions { intake, stopping, .. } = &self.options;
        stopping.run_until_cancelled(intake.opened()).await.is_some() && !self.is_stopping()
    }

    /// Claims what Redis delivers. If there is nothing, the ledger is asked whether a job is
    /// waiting that was not delivered, for whatever reason.
    async fn claim_delivered(&mut self) -> Option<Admitted> {
        // Not all at the same time, so that one of them comes round soon.
        let wait = POP.mul_f64(rand::rng().random_range(0.5..=1.0));
        match self.popper.pop(wait).await {
            Ok(Some(id)) => return self.claim(id).await,
            Ok(None) => {}
            Err(error) => {
                let lane = self.options.lane;
                tracing::debug!(%error, %lane, "nothing could be taken from Redis");
                self.options.doubt.raise();
                return None;
            }
        }
        match self.claim_next(DELIVERED_WITHIN).await {
            Ok(None) => None,
            Ok(claimed) => {
                self.options.doubt.raise();
                claimed
            }
            Err(()) => self.pause(PAUSE).await,
        }
    }

    /// Claims from the ledger as fast as jobs come. Between two reads, ids are taken from Redis if
    /// possible, so that none accumulate there.
    async fn claim_from_ledger(&mut self) -> Option<Admitted> {
        match self.claim_next(Duration::ZERO).await {
            Ok(None) => {}
            Ok(claimed) => return claimed,
            Err(()) => return self.pause(PAUSE).await,
        }
        let wait = self.wait_for_ledger();
        if !self.queue.redis().lets_pop() {
            return self.pause(wait).await;
        }
        match self.popper.pop(wait).await {
            Ok(Some(id)) => self.claim(id).await,
            Ok(None) => None,
            Err(_) => self.pause(wait).await,
        }
    }

    /// The time between two reads of the ledger while Redis does not deliver. A person is waiting
    /// for a login.
    fn wait_for_ledger(&self) -> Duration {
        match self.options.lane {
            Lane::Interactive => Duration::from_millis(75),
            Lane::Bulk | Lane::Internal => Duration::from_millis(250),
        }
    }

    /// Claims the job of a popped id; `None` if it is no longer due. The id is nowhere else, so
    /// while the ledger is away it is kept, and put back if the worker should take no more.
    async fn claim(&self, id: JobId) -> Option<Admitted> {
        let LaneOptions { lane, worker, lease, intake, admission, doubt, .. } = &self.options;
        while !self.is_stopping() && intake.is_open() {
            let offer = admission.offer();
            match jobs::claim(self.queue.pool(), id, worker, *lease, offer.leaves()).await {
                Ok(Some(claimed)) => return self.admit(offer, claimed).await,
                Ok(None) => {
                    if offer.leaves_some() {
                        doubt.raise();
                    }
                    return None;
                }
                Err(error) => {
                    tracing::error!(job.id = %id, %error, %lane, "the job could not be claimed");
                    self.pause(PAUSE).await;
                }
            }
        }
        self.deliver(id).await;
        None
    }

    async fn claim_next(&self, patience: Duration) -> Result<Option<Admitted>, ()> {
        let LaneOptions { lane, worker, lease, admission, .. } = &self.options;
        let (pool, offer) = (self.queue.pool(), admission.offer());
        let claimed = jobs::claim_next(pool, *lane, worker, *lease, patience, offer.leaves()).await;
        match claimed {
            Ok(Some(claimed)) => Ok(self.admit(offer, claimed).await),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::error!(%error, %lane, "no job could be claimed");
                Err(())
            }
        }
    }

    async fn admit(&self, offer: Offer, claimed: Claimed) -> Option<Admitted> {
        match self.options.admission.admit(offer, claimed) {
            Ok(admitted) => Some(admitted),
            Err(claimed) => {
                self.options.doubt.raise();
                self.hand_back(&claimed).await;
                None
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.options.stopping.is_cancelled()
    }

    /// Waits, unless the worker should stop. It claims nothing.
    #[expect(clippy::disallowed_methods, reason = "a server that is away has no event to await")]
    async fn pause(&self, length: Duration) -> Option<Admitted> {
        let _stopped = self.options.stopping.run_until_cancelled(tokio::time::sleep(length)).await;
        None
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
            tracing::debug!(job.id = %id, %error, "a worker finds the job in the ledger");
        }
    }
}

impl Backend for LaneBackend {
    type Task = Task<Admitted>;
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
    ) -> Poll<Option<Result<Task<Admitted>, Infallible>>> {
        let admitted = ready!(self.jobs.poll_next_unpin(cx));
        if admitted.is_none() {
            self.ended.cancel();
        }
        Poll::Ready(admitted.map(|admitted| Ok(Task::new(admitted))))
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
    type Args = Admitted;
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
