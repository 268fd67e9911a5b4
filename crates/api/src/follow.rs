//! Requests that wait for the job that they put in the ledger.

use std::time::Duration;

use mis_sync_domain::{Job, JobState};
use mis_sync_queue::{Enqueued, NewJob, Queue};
use mis_sync_store::jobs;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use crate::ApiError;

/// The time for one last look after the deadline, because a wake-up can get lost.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(20);

/// Puts the job in the ledger, or finds the unfinished one. If `is_awaited`, waits for the end of
/// its attempt until `deadline`. `None` if not even the ledger answered in time.
pub(crate) async fn until(
    queue: &Queue,
    new: NewJob,
    deadline: Instant,
    is_awaited: bool,
) -> Result<Option<Job>, ApiError> {
    // A task of its own, so that a job which is in the ledger is delivered too, however short
    // the wait.
    let enqueueing = tokio::spawn({
        let queue = queue.clone();
        async move { queue.enqueue(&new, None).await }.in_current_span()
    });
    let enqueued = match timeout_at(deadline, enqueueing).await {
        Err(_) => return Ok(None),
        Ok(joined) => joined.map_err(|_| ApiError::Panicked)??,
    };
    tracing::Span::current().record("job.id", tracing::field::display(enqueued.job().id));
    Ok(Some(if is_awaited {
        wait_for_end(queue, enqueued, deadline).await
    } else {
        enqueued.job().clone()
    }))
}

/// Waits for the end of the job's attempt until `deadline`.
pub(crate) async fn wait_for_end(queue: &Queue, enqueued: Enqueued, deadline: Instant) -> Job {
    let mut ending = queue.ending(enqueued.job().id);
    let mut job = match &enqueued {
        Enqueued::New(job) => job.clone(),
        // It may have ended before this request listened.
        Enqueued::Existing(job) => look(queue, job.clone()).await,
    };
    while is_under_way(&job) {
        if timeout_at(deadline, ending.heard()).await.is_err() {
            let last = timeout_at(deadline + LAST_LOOK, look(queue, job.clone())).await;
            return last.unwrap_or(job);
        }
        job = look(queue, job).await;
    }
    job
}

/// The job as it is now. A ledger that fails here is no reason to refuse the request.
async fn look(queue: &Queue, job: Job) -> Job {
    match jobs::get(queue.pool(), job.id).await {
        Ok(Some(now)) => now,
        Ok(None) => job,
        Err(error) => {
            tracing::warn!(%error, "the end of a job could not be looked up");
            job
        }
    }
}

/// Whether an attempt is waited for or running.
pub(crate) fn is_under_way(job: &Job) -> bool {
    matches!(job.state, JobState::Queued | JobState::Running)
}
