//! What a job waits for, in the same words on every page.

use mis_sync_domain::{Job, JobState, Lane};
use mis_sync_store::{
    Error, Pool,
    pauses::{self, Pause, Scope},
    workers::{self, WorkerState},
};

use super::job::is_to_review;

/// What an unfinished job that does not run waits for now, as the end of a sentence: `because syncs are
/// paused`.
pub(super) async fn waits_for(pool: &Pool, job: &Job) -> Result<Option<&'static str>, Error> {
    if job.state.is_finished() || job.state == JobState::Running {
        return Ok(None);
    }
    if is_to_review(job) {
        return Ok(Some("for approval"));
    }
    if let Some(why) = paused(job, &pauses::list(pool).await?) {
        return Ok(Some(why));
    }
    let workers = workers::list(pool).await?;
    let is_any = |states: &[WorkerState]| workers.iter().any(|one| states.contains(&one.state));
    Ok(Some(if is_any(&[WorkerState::Alive]) {
        if job.state == JobState::Retrying { "for the next attempt" } else { "for a worker" }
    } else if is_any(&[WorkerState::Draining, WorkerState::Drained]) {
        "for a worker; all are being drained"
    } else {
        "for a worker; none is running"
    }))
}

/// The pause that holds the job back.
fn paused(job: &Job, pauses: &[Pause]) -> Option<&'static str> {
    let is_paused = |scope: Scope| pauses.iter().any(|pause| pause.scope == scope);
    let of_lane = match job.lane {
        Lane::Bulk => "because syncs are paused",
        Lane::Interactive => "because logins are paused",
        // The service's own jobs are never paused.
        Lane::Internal => return None,
    };
    let school = job.school_id.clone().map(Scope::School);
    if is_paused(Scope::Lane(job.lane)) {
        Some(of_lane)
    } else {
        school.filter(|school| is_paused(school.clone())).map(|_| "because the school is paused")
    }
}
