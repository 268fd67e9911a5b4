//! Whether Wonde accepts a school's token, and what the school grants. A worker asks, because only
//! workers know Wonde.

use std::time::Duration;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_control as control;
use mis_sync_domain::{Job, JobState, School};
use mis_sync_store::schools;
use tokio::time::Instant;

use crate::{
    ApiError, follow,
    jobs::accepted,
    parameters::PathId,
    state::Access,
    views::{JobView, ProblemView, SchoolCheckView},
};

/// The longest time that a request waits for the result.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Check a school's token and what it grants
///
/// Asks Wonde, and changes nothing but `token_state`. `missing` says in words what will be missing in
/// iP. The school shows the result as `last_check`. If Wonde takes longer than five seconds, the
/// answer is the job that asks; the result is then in `last_check` of the school.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/check",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    responses(
        (status = 200, description = "What Wonde says", body = SchoolCheckView),
        (status = 202, description = "The check continues", body = JobView, headers(
            ("Location" = String, description = "The job's address"),
        )),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`school-not-connected`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 503, description = "`not-checked`: Wonde could not be asked. Also \
            `dependency-away`, `timed-out`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn check_school(
    access: Access,
    PathId(school_id): PathId,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let (school, job) = run(&access, school, LONGEST_WAIT).await?;
    let is_done = job.as_ref().is_some_and(|job| job.state == JobState::Succeeded);
    match (school.last_check, job) {
        (Some(check), _) if is_done => Ok(Json(SchoolCheckView::from(&check)).into_response()),
        (_, Some(job)) if job.state == JobState::Failed => Err(ApiError::NotChecked(job.error)),
        (_, Some(job)) => Ok(accepted(StatusCode::ACCEPTED, &job)),
        (_, None) => Err(ApiError::TimedOut),
    }
}

/// Checks the school for up to `wait`; returns it as it is then, and the job that checks it. No job
/// means that not even the ledger answered in time.
pub(super) async fn run(
    access: &Access,
    school: School,
    wait: Duration,
) -> Result<(School, Option<Job>), ApiError> {
    let deadline = Instant::now() + wait;
    let new = control::check(&school, access.requester())?;
    let job = follow::until(access.queue(), new, deadline, true).await?;
    let now = schools::get(access.pool(), &school.id).await?;
    Ok((now.unwrap_or(school), job))
}
