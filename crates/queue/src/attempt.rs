//! One attempt at a claimed job: run it, renew its lease, and record how it ended.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use mis_sync_domain::{Job, JobFailure, JobState, Lease};
use mis_sync_store::{Writing, jobs};
use mis_sync_telemetry::{metrics, traces};
use rand::RngExt;
use tokio::{
    task::{JoinError, JoinHandle},
    time::{Instant, MissedTickBehavior, interval, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Claimed, Queue, silence::Silence};

/// Runs a job of any kind. If it succeeds, it ends the job itself, in the transaction that does the
/// work. If it fails, it only says how.
pub type Handler = Arc<dyn Fn(Claimed) -> BoxFuture<'static, Result<Done, JobError>> + Send + Sync>;

/// How an attempt ended its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Succeeded,
    /// It waits until a person approves the change.
    Held,
}

/// How an attempt failed.
#[derive(Debug)]
pub enum JobError {
    /// Try again later; the attempt is spent.
    Retry(JobFailure),
    /// Wonde asked us to wait, or is away: try again after this long. No attempt is spent.
    Snooze(JobFailure, Duration),
    /// Another attempt would not help.
    Fail(JobFailure),
    /// Another run took over, and nothing of this one counts.
    LeaseLost,
}

/// How long a job waits before it is tried again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Longest wait after the first attempt. It doubles with each further one.
    pub base: Duration,
    /// The longest wait of all.
    pub max: Duration,
}

impl RetryPolicy {
    /// A random wait between half and the whole of the doubled base, so that many jobs that failed
    /// together do not come back together, and none comes back at once.
    pub fn wait(&self, attempt: u16) -> Duration {
        let doubled = self.base.saturating_mul(1 << u32::from(attempt.saturating_sub(1)).min(16));
        doubled.min(self.max).mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// Another connection is there already.
const AFTER_SILENCE: Duration = Duration::from_millis(100);

/// What every attempt of a worker shares.
#[derive(Clone)]
pub(crate) struct AttemptContext {
    pub(crate) queue: Queue,
    pub(crate) handler: Handler,
    pub(crate) lease: Duration,
    pub(crate) retry: RetryPolicy,
    /// The time to finish is over: hand running jobs back.
    pub(crate) hand_back: CancellationToken,
}

enum Outcome {
    Ended(Result<Result<Done, JobError>, JoinError>),
    LeaseLost,
    /// The connection in which the work writes is dead.
    Silent,
    HandBack,
}

/// Runs a claimed job to the end of this attempt.
///
/// The work is a separate task. So work that occupies its thread does not keep the lease from being
/// renewed, and a panic is an error like any other.
pub(crate) async fn run(context: AttemptContext, claimed: Claimed) {
    let job = &claimed.job;
    let span = tracing::info_span!(
        parent: None,
        "job.run",
        job.id = %job.id,
        job.kind = %job.kind,
        job.attempt = job.attempt,
        school.id = job.school_id.as_ref().map(tracing::field::display),
    );
    if let Some(traceparent) = &claimed.traceparent {
        traces::continue_from(&span, traceparent);
    }
    async {
        let started = Instant::now();
        let _running = begun(&claimed);
        let (handler, job) = (Arc::clone(&context.handler), claimed.clone());
        let writing = Writing::default();
        let watched = writing.clone();
        let work = async move { watched.watch(handler(job)).await };
        let mut work = tokio::spawn(work.in_current_span());
        let outcome = watch(&context, &claimed, &mut work, writing).await;
        work.abort();
        // If this does not succeed, the lease expires and the job is taken up again.
        let ended = timeout(context.lease, settle(&context, &claimed, outcome)).await;
        let ended = ended.unwrap_or_default();
        metrics::JOB_RUN.record(of(&claimed.job), started.elapsed());
        context.queue.announce_end(claimed.job.id).await;
        tracing::info!(
            job.outcome = ended.unwrap_or("unsettled"),
            elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "attempt ended"
        );
    }
    .instrument(span)
    .await;
}

fn of(job: &Job) -> [&'static str; 2] {
    [job.kind.as_str(), job.lane.as_str()]
}

fn begun(claimed: &Claimed) -> metrics::InProgress {
    if let Some(waited) = claimed.waited {
        metrics::JOB_QUEUE_WAIT.record(of(&claimed.job), waited);
    }
    metrics::RUNNING_JOBS.hold([claimed.job.lane.as_str()])
}

/// Waits for the end of the work and renews the lease meanwhile. If no renewal succeeds for a whole
/// lease, another worker may have the job by now, so the work is stopped.
async fn watch(
    context: &AttemptContext,
    claimed: &Claimed,
    work: &mut JoinHandle<Result<Done, JobError>>,
    writing: Writing,
) -> Outcome {
    let mut renewed = Instant::now();
    let mut silence = Silence::new(writing, context.lease);
    let mut beat = interval(context.lease / 3);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.tick().await;
    loop {
        tokio::select! {
            ended = &mut *work => return Outcome::Ended(ended),
            () = context.hand_back.cancelled() => return Outcome::HandBack,
            _ = beat.tick() => {
                let before = Instant::now();
                let renewal = jobs::heartbeat(context.queue.pool(), claimed.lease, context.lease);
                // A frozen database gives no error, and neither does a dead connection: the next
                // beat uses another one.
                let end = (before + context.lease / 3).min(renewed + context.lease);
                match timeout_at(end, renewal).await {
                    Ok(Ok(())) => renewed = before,
                    Ok(Err(mis_sync_store::Error::LeaseLost)) if work.is_finished() => {}
                    Ok(Err(mis_sync_store::Error::LeaseLost)) => return Outcome::LeaseLost,
                    Ok(Err(error)) => tracing::warn!(%error, "the lease could not be renewed"),
                    Err(_) => tracing::warn!("the database did not answer in time"),
                }
                if renewed.elapsed() >= context.lease && !work.is_finished() {
                    return Outcome::LeaseLost;
                }
                if silence.is_heard(context.queue.pool(), claimed.lease).await {
                    return Outcome::Silent;
                }
            }
        }
    }
}

/// Records how the attempt ended, and returns that in one word. What cannot be written is healed by
/// the lease: it expires, and the job is taken up again.
async fn settle(
    context: &AttemptContext,
    claimed: &Claimed,
    outcome: Outcome,
) -> Option<&'static str> {
    let kind = claimed.job.kind.as_str();
    let (word, ended) = match write_end(context, claimed, outcome).await {
        Ok(end) => end,
        Err(mis_sync_store::Error::LeaseLost) => ("lost", None),
        Err(error) => {
            tracing::error!(%error, "the end of the attempt could not be written");
            return None;
        }
    };
    metrics::JOB_ATTEMPTS.add([kind, word], 1);
    if let Some(state) = ended {
        metrics::JOBS_ENDED.add([kind, state.as_str()], 1);
    }
    Some(word)
}

/// The words for how an attempt can end.
pub(crate) const OUTCOMES: [&str; 7] =
    ["succeeded", "held", "retry", "snoozed", "failed", "released", "lost"];

/// How an attempt ended in one word, and the last state of the job if it has ended too.
type End = (&'static str, Option<JobState>);

async fn write_end(
    context: &AttemptContext,
    claimed: &Claimed,
    outcome: Outcome,
) -> Result<End, mis_sync_store::Error> {
    let (pool, lease) = (context.queue.pool(), claimed.lease);
    let (failure, wait) = match outcome {
        Outcome::Ended(Ok(Ok(Done::Succeeded))) => {
            return Ok(("succeeded", Some(JobState::Succeeded)));
        }
        Outcome::Ended(Ok(Ok(Done::Held))) => return Ok(("held", None)),
        Outcome::Ended(Ok(Err(JobError::LeaseLost))) | Outcome::LeaseLost => {
            return Ok(("lost", None));
        }
        Outcome::HandBack => {
            hand_back(context, claimed, lease).await?;
            return Ok(("released", None));
        }
        Outcome::Ended(Ok(Err(JobError::Snooze(failure, wait)))) => {
            log_failure(&failure);
            return Ok(retried("snoozed", jobs::snooze(pool, lease, &failure, wait).await?));
        }
        Outcome::Ended(Ok(Err(JobError::Fail(failure)))) => {
            log_failure(&failure);
            jobs::fail(pool, lease, &failure).await?;
            return Ok(("failed", Some(JobState::Failed)));
        }
        Outcome::Ended(Ok(Err(JobError::Retry(failure)))) => {
            (failure, context.retry.wait(claimed.job.attempt))
        }
        Outcome::Silent => (silent(), AFTER_SILENCE),
        Outcome::Ended(Err(panic)) => {
            tracing::error!(error = %panic, "the job's code panicked");
            (panicked(), context.retry.wait(claimed.job.attempt))
        }
    };
    log_failure(&failure);
    Ok(retried("retry", jobs::retry(pool, lease, &failure, wait).await?))
}

/// The end of an attempt that asked for another one, which there may not be.
fn retried(word: &'static str, state: JobState) -> End {
    match state {
        JobState::Failed => ("failed", Some(state)),
        _ => (word, None),
    }
}

async fn hand_back(
    context: &AttemptContext,
    claimed: &Claimed,
    lease: Lease,
) -> Result<(), mis_sync_store::Error> {
    jobs::release(context.queue.pool(), lease).await?;
    if let Err(error) = context.queue.deliver(claimed.job.lane, claimed.job.id).await {
        tracing::debug!(%error, "handed back; a worker finds it in the ledger");
    }
    Ok(())
}

fn log_failure(failure: &JobFailure) {
    tracing::warn!(error.type = failure.code, error.detail = failure.detail, "{}", failure.title);
}

fn silent() -> JobFailure {
    JobFailure {
        code: "database".into(),
        title: "The database failed".into(),
        detail: "The connection died without a word in the middle of a write.".into(),
    }
}

fn panicked() -> JobFailure {
    JobFailure {
        code: "internal".into(),
        title: "A fault in mis-sync".into(),
        detail: "The job's code panicked; the log of this attempt has the place.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_stays_under_the_cap_and_is_never_nothing() {
        let policy = RetryPolicy { base: Duration::from_secs(10), max: Duration::from_mins(1) };
        for (attempt, longest) in [(0, 10), (1, 10), (2, 20), (3, 40), (4, 60), (99, 60)] {
            for _ in 0..50 {
                let wait = policy.wait(attempt).as_secs_f64();
                let longest = f64::from(longest);
                assert!((longest / 2.0..=longest).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
    }
}
