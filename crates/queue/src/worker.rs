use std::{convert::Infallible, time::Duration};

use apalis::prelude::{Monitor, WorkerBuilder, WorkerBuilderExt};
use apalis_core::task::data::Data;
use mis_sync_domain::{JobKind, JobState, Lane};
use mis_sync_telemetry::metrics;
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Handler, Intake, Queue, RetryPolicy,
    admission::{Admission, Admitted, Suspects},
    attempt::{self, AttemptContext},
    backend::{Doubt, LaneBackend, LaneOptions},
    queue::REDELIVERY_REASONS,
};

/// How a worker process runs.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The name in the ledger. It must differ at every start of a process: an orphaned job is
    /// recognised by its lease, never by a name that came back.
    pub name: String,
    /// Syncs that run at the same time.
    pub concurrency: usize,
    /// Logins that run at the same time, in addition to the syncs.
    pub interactive_concurrency: usize,
    /// How long a claim lasts without a heartbeat.
    pub lease: Duration,
    /// After a request to stop, how long running jobs may take to finish.
    pub drain: Duration,
    /// How long failed jobs wait.
    pub retry: RetryPolicy,
    /// Whether jobs are taken. Others may close it and open it again.
    pub intake: Intake,
}

/// How the jobs of one lane run.
struct Slots {
    /// Each takes one job after the other; this many are claimed at the same time.
    backends: usize,
    /// Jobs of one backend that run at the same time.
    concurrency: usize,
    lease: Duration,
}

/// An abandoned login is worth taking up again within seconds or not at all.
const LONGEST_LOGIN_LEASE: Duration = Duration::from_secs(10);

/// Internal jobs that run at the same time.
const INTERNAL_CONCURRENCY: usize = 4;

/// Logins are claimed in parallel, because they arrive in parallel and a claim waits for the disk.
const LOGIN_BACKENDS: usize = 4;

impl WorkerOptions {
    /// How many jobs run at the same time in each lane that people use.
    pub fn slots_by_lane(&self) -> Vec<(Lane, usize)> {
        let slots = |lane: &Lane| {
            let Slots { backends, concurrency, .. } = self.slots(*lane);
            (*lane, backends * concurrency)
        };
        Lane::SHOWN.iter().map(slots).collect()
    }

    fn slots(&self, lane: Lane) -> Slots {
        match lane {
            Lane::Bulk => Slots { backends: 1, concurrency: self.concurrency, lease: self.lease },
            Lane::Internal => {
                Slots { backends: 1, concurrency: INTERNAL_CONCURRENCY, lease: self.lease }
            }
            Lane::Interactive => {
                let backends = LOGIN_BACKENDS.min(self.interactive_concurrency);
                Slots {
                    backends,
                    concurrency: self.interactive_concurrency.div_ceil(backends.max(1)),
                    lease: self.lease.min(LONGEST_LOGIN_LEASE),
                }
            }
        }
    }
}

/// Runs jobs until `stop` is cancelled. Then it takes no new work, gives running jobs until the
/// drain time is over, and hands the rest back without spending their attempt.
///
/// It returns early only with an error, if apalis ends a worker; a supervisor should then start the
/// process again.
pub async fn run_worker(
    queue: Queue,
    options: WorkerOptions,
    handler: Handler,
    stop: CancellationToken,
) -> Result<(), Error> {
    let hand_back = CancellationToken::new();
    let context = AttemptContext {
        queue: queue.clone(),
        handler,
        lease: options.lease,
        retry: options.retry,
        hand_back: hand_back.clone(),
    };
    show_zeros();
    let mut monitor = Monitor::new();
    let mut lanes_ended = Vec::new();
    let suspects = Suspects::default();
    for lane in Lane::ALL.iter().copied() {
        let slots = options.slots(lane);
        let doubt = Doubt::default();
        let all_slots = slots.backends * slots.concurrency;
        show_slots(lane, all_slots);
        let admission = Admission::new(suspects.clone(), lane, all_slots);
        for share in 0..slots.backends {
            let ended = CancellationToken::new();
            lanes_ended.push(ended.clone());
            let name = match share {
                0 => format!("{}-{lane}", options.name),
                more => format!("{}-{lane}-{more}", options.name),
            };
            let context = AttemptContext { lease: slots.lease, ..context.clone() };
            let lane = LaneOptions {
                lane,
                worker: name.clone(),
                lease: slots.lease,
                doubt: doubt.clone(),
                admission: admission.clone(),
                intake: options.intake.clone(),
                stopping: stop.clone(),
                ended,
            };
            let backend = LaneBackend::open(queue.clone(), lane);
            monitor = register(monitor, name, backend, slots.concurrency, context);
        }
    }
    let shutdown = monitor.context();
    let stopping = async {
        stop.cancelled().await;
        tracing::info!(drain_seconds = options.drain.as_secs(), "stopping: no new jobs are taken");
        let close = async {
            for ended in &lanes_ended {
                ended.cancelled().await;
            }
            if let Err(error) = shutdown.shutdown() {
                tracing::error!(%error, "the worker runtime could not be told to stop");
            }
        };
        let drain = async {
            #[expect(clippy::disallowed_methods, reason = "the drain time is a deadline")]
            tokio::time::sleep(options.drain).await;
            hand_back.cancel();
        };
        futures::future::join(close, drain).await;
        std::future::pending::<Infallible>().await
    };
    // `run` and not `run_with_signal`: the latter keeps waiting for its signal after every worker
    // has died, so the process looks alive.
    tokio::select! {
        ended = monitor.run() => ended.map_err(|error| Error::Runtime(error.to_string())),
        never = stopping => match never {},
    }
}

/// A counter that is there from the beginning shows its first increase.
fn show_zeros() {
    for kind in JobKind::KNOWN {
        for outcome in attempt::OUTCOMES {
            metrics::JOB_ATTEMPTS.add([kind.as_str(), outcome], 0);
        }
        for state in JobState::ALL.iter().filter(|state| state.is_finished()) {
            metrics::JOBS_ENDED.add([kind.as_str(), state.as_str()], 0);
        }
    }
    for reason in REDELIVERY_REASONS {
        metrics::JOBS_REDELIVERED.add([reason], 0);
    }
}

#[expect(clippy::cast_precision_loss, reason = "slots are few")]
fn show_slots(lane: Lane, slots: usize) {
    metrics::WORKER_SLOTS.set([lane.as_str()], slots as f64);
}

fn register(
    monitor: Monitor,
    name: String,
    backend: LaneBackend,
    concurrency: usize,
    context: AttemptContext,
) -> Monitor {
    // apalis asks for a factory in order to restart a worker that ended with an error. Ours cannot
    // end with one: the backend's error type has no value.
    let backend = std::sync::Mutex::new(Some(backend));
    monitor.register(move |_| {
        let backend = backend
            .lock()
            .expect("no code panics while it is locked")
            .take()
            .expect("a backend without errors is never restarted");
        WorkerBuilder::new(name.as_str())
            .backend(backend)
            .data(context.clone())
            .concurrency(concurrency)
            .build(run_attempt)
    })
}

async fn run_attempt(admitted: Admitted, context: Data<AttemptContext>) {
    attempt::run((*context).clone(), admitted.claimed.clone()).await;
}
