//! What a person does to a job.

use axum::{http::StatusCode, response::Response};
use mis_sync_control::{self as control, Act, Acted, Approve};
use mis_sync_domain::{Clock, Job};
use mis_sync_queue::Actor;

use super::accepted;
use crate::{
    ApiError,
    body::{JsonObject, malformed},
    openapi::BodyProblems,
    parameters::PathId,
    state::Access,
    views::{self, ActionRequest, ApproveRequest, JobView, ProblemView, UndoRequest},
};

/// Longest reason, in characters.
pub(crate) const MAX_REASON: usize = 500;

/// The job to act on, and who acts.
struct Wish {
    access: Access,
    job: Job,
    actor: Actor,
}

impl Wish {
    /// The job is looked for first: a caller who may not see it learns nothing from a wrong body.
    async fn read(access: Access, job_id: &str, body: JsonObject) -> Result<Self, ApiError> {
        let job = access.job(job_id).await?;
        let ActionRequest { reason } = body.read()?;
        Self::new(access, job, reason)
    }

    fn new(access: Access, job: Job, reason: Option<String>) -> Result<Self, ApiError> {
        let actor = access.actor(read_reason(reason)?);
        tracing::Span::current().record("job.id", tracing::field::display(job.id));
        Ok(Self { access, job, actor })
    }

    async fn act(&self, act: Act<'_>) -> Result<Acted, ApiError> {
        Ok(control::act(self.access.queue(), self.job.id, act, &self.actor).await?)
    }

    /// Acts; answers with the job as it is now.
    async fn answer(&self, act: Act<'_>) -> Result<Response, ApiError> {
        Ok(accepted(StatusCode::OK, &self.act(act).await?.job))
    }
}

fn read_reason(reason: Option<String>) -> Result<Option<String>, ApiError> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|text| !text.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON) {
        return Err(malformed("reason", format!("has to be at most {MAX_REASON} characters")));
    }
    Ok(reason)
}

/// Cancel a job
///
/// This works in every unfinished state. A running job stops within seconds and applies nothing.
#[utoipa::path(
    post,
    path = "/v1/jobs/{job_id}/cancel",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The job's id")),
    request_body(content = Option<ActionRequest>, description = "May be left out"),
    responses(
        (status = 200, description = "The cancelled job", body = JobView),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`wrong-job-state`", body = ProblemView,
            content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn cancel_job(
    access: Access,
    PathId(job_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let wish = Wish::read(access, &job_id, body).await?;
    wish.answer(Act::Cancel).await
}

/// Retry a job
///
/// A failed or cancelled job is repeated as a new job, and its `links.retry_of` is the old one. A
/// job that waits for its next attempt starts it at once.
#[utoipa::path(
    post,
    path = "/v1/jobs/{job_id}/retry",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The job's id")),
    request_body(content = Option<ActionRequest>, description = "May be left out"),
    responses(
        (status = 202, description = "A new job", body = JobView, headers(
            ("Location" = String, description = "The job's address"),
        )),
        (status = 200, description = "The job itself, or an unfinished job that does the same",
            body = JobView),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`wrong-job-state`, `school-not-connected`",
            body = ProblemView, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn retry_job(
    access: Access,
    PathId(job_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let wish = Wish::read(access, &job_id, body).await?;
    let Acted { job, is_new } = wish.act(Act::Retry).await?;
    Ok(accepted(if is_new { StatusCode::ACCEPTED } else { StatusCode::OK }, &job))
}

/// Approve the changes of a held job
///
/// The job runs and applies up to the numbers in `report.guard`. If the change is larger by then,
/// the job is held again. With `categories`, only these categories are applied. For the others iP
/// keeps its values (`approval.left_out`, issues that end in `_not_approved`), and the rest of the
/// sync continues. People in `leave_people` stay as they are in iP (issue `person_not_approved`).
/// `report.recounts` of the finished job says how its numbers differ from those that were shown.
#[utoipa::path(
    post,
    path = "/v1/jobs/{job_id}/approve",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The job's id")),
    request_body(content = Option<ApproveRequest>, description = "May be left out"),
    responses(
        (status = 200, description = "The job. It stays `held` for a moment, until a worker takes it",
            body = JobView),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`wrong-job-state`, `not-held-for`", body = ProblemView,
            content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn approve_job(
    access: Access,
    PathId(job_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    let ApproveRequest { categories, leave_people, reason } = body.read()?;
    if categories.as_ref().is_some_and(Vec::is_empty) {
        return Err(malformed("categories", views::at_least_one_category()));
    }
    let wish = Wish::new(access, job, reason)?;
    let approve = Approve { only: categories.as_deref(), leave_people: &leave_people };
    wish.answer(Act::Approve(approve)).await
}

/// Reject the changes of a held job
///
/// No person is changed, and the job is cancelled. The next sync compares again.
#[utoipa::path(
    post,
    path = "/v1/jobs/{job_id}/reject",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The job's id")),
    request_body(content = Option<ActionRequest>, description = "May be left out"),
    responses(
        (status = 200, description = "The cancelled job", body = JobView),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`wrong-job-state`", body = ProblemView,
            content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn reject_job(
    access: Access,
    PathId(job_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let wish = Wish::read(access, &job_id, body).await?;
    wish.answer(Act::Reject).await
}

/// Undo the changes of a job
///
/// All changes are reversed, or none: if later changes touched the same fields, `conflicts` lists
/// them. No person is deleted: people whom the job created can no longer log in. The answer is the
/// undo, a job that has succeeded, and its `links.undo_of` is the old job. An undo can be undone too.
/// The next full sync applies the data of the MIS again, so correct it there first; `pause_until`
/// pauses the school meanwhile.
#[utoipa::path(
    post,
    path = "/v1/jobs/{job_id}/undo",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The job's id")),
    request_body(content = Option<UndoRequest>, description = "May be left out"),
    responses(
        (status = 200, description = "The undo", body = JobView, headers(
            ("Location" = String, description = "Its address"),
        )),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`wrong-job-state`, `nothing-to-undo`, `undo-conflict`",
            body = ProblemView, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn undo_job(
    access: Access,
    PathId(job_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    let UndoRequest { pause_until, reason } = body.read()?;
    if pause_until.is_some_and(|until| until <= Clock::system().now()) {
        return Err(malformed("pause_until", views::a_time_to_come()));
    }
    let wish = Wish::new(access, job, reason)?;
    wish.answer(Act::Undo { pause_until }).await
}
