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
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::IntoParams;

use crate::{
    ApiError, follow,
    jobs::accepted,
    parameters::{Parameters, PathId, Query},
    refresh::{WaitMs, awaited, wanted_wait},
    state::Access,
    views::{JobView, ProblemView, SchoolCheckView},
};

/// The longest time that a request waits for the result.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long the caller waits.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CheckQuery {
    /// The longest time to wait for the result, five seconds if left out
    #[param(value_type = Option<u64>, minimum = 0, maximum = 5000)]
    wait_ms: Option<WaitMs>,
}

impl Query for CheckQuery {
    fn wanted(_: &str) -> String {
        wanted_wait()
    }
}

/// Check a school's token and what it grants
///
/// Asks Wonde, and changes nothing but `token_state`. `missing` says in words what will be missing in
/// iP. The school shows the result as `last_check`. If Wonde takes longer, the answer is the job
/// that asks; the result is then in `last_check` of the school.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/check",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP"), CheckQuery),
    responses(
        (status = 200, description = "What Wonde says", body = SchoolCheckView),
        (status = 202, description = "The check continues", body = JobView, headers(
            ("Location" = String, description = "The job's address"),
        )),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
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
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let CheckQuery { wait_ms } = parameters.read()?;
    let wait = wait_ms.map_or(LONGEST_WAIT, |wait| awaited(wait).unwrap_or_default());
    let (school, job) = run(&access, school, wait).await?;
    match (job.state, school.last_check) {
        (JobState::Succeeded, Some(check)) => {
            Ok(Json(SchoolCheckView::from(&check)).into_response())
        }
        (JobState::Failed, _) => Err(ApiError::NotChecked(job.error)),
        _ => Ok(accepted(StatusCode::ACCEPTED, &job)),
    }
}

/// Checks the school for up to `wait`; returns it as it is then, and the job that checks it.
pub(crate) async fn run(
    access: &Access,
    school: School,
    wait: Duration,
) -> Result<(School, Job), ApiError> {
    let new = control::check(&school, access.requester())?;
    let enqueued = access.queue().enqueue(&new, None).await?;
    let job = follow::wait_for_end(access.queue(), enqueued, Instant::now() + wait).await;
    let now = schools::get(access.pool(), &school.id).await?;
    Ok((now.unwrap_or(school), job))
}
