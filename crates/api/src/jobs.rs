mod answer;

use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mis_sync_domain::{Action, JobId, JobKind, JobState, SchoolId};
use mis_sync_store::jobs::{self, JobFilter};

pub(crate) use answer::accepted;

use crate::{
    ApiError,
    openapi::CommonProblems,
    parameters::{Parameters, PathId},
    state::{Access, Caller},
    views::{IssueListView, IssueView, JobListView, JobView, ProblemView},
};

/// Follow a job
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The job", body = JobView, headers(
            ("ETag" = String, description = "Changes whenever the answer does"),
            ("Retry-After" = u32, description = "While the job is unfinished: seconds until it \
                is worth asking again"),
        )),
        (status = 304, description = "The job is as it was"),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_job(
    caller: Caller,
    PathId(job_id): PathId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = caller.may(Action::Read)?.job(&job_id).await?;
    Ok(answer::current(&job, &headers))
}

/// List jobs, newest first
#[utoipa::path(
    get,
    path = "/v1/jobs",
    tag = "jobs",
    params(
        ("school_id" = Option<String>, Query, description = "Only of this school"),
        ("kind" = Option<crate::views::JobKindView>, Query, description = "Only of this kind"),
        ("state" = Option<crate::views::JobStateView>, Query, description = "Only in this state"),
        ("since" = Option<String>, Query, description = "Only those asked for at this time \
            (RFC 3339) or later", format = DateTime),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u16>, Query, description = "Jobs on a page, 50 if left out",
            minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = JobListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_jobs(
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let access = caller.may(Action::Read)?;
    let limit = parameters.take_limit()?;
    let filter = read_filter(parameters)?;
    let jobs = match restrict(filter, &access) {
        Some(filter) => jobs::list(access.pool(), &filter, limit.with_one_more()).await?,
        None => Vec::new(),
    };
    let (page, next_cursor) = limit.page(jobs, |job| job.id.to_string());
    let jobs = page.iter().map(JobView::from).collect();
    Ok(Json(JobListView { jobs, next_cursor }).into_response())
}

fn read_filter(mut parameters: Parameters) -> Result<JobFilter, ApiError> {
    let one_of = |names: Vec<&str>| format!("one of {}", names.join(", "));
    let kinds = one_of(JobKind::ALL.iter().map(|kind| kind.as_str()).collect());
    let states = one_of(JobState::ALL.iter().map(|state| state.as_str()).collect());
    let filter = JobFilter {
        school_id: parameters.take("school_id", "1 to 64 letters, digits, `_` or `-`")?,
        kind: parameters.take("kind", kinds)?,
        state: parameters.take("state", states)?,
        since: parameters
            .take::<DateTime<Utc>>("since", "a time like 2026-09-01T06:30:00Z (RFC 3339)")?,
        before: parameters.take::<JobId>("cursor", "`next_cursor` of the page before")?,
    };
    parameters.finish("`school_id`, `kind`, `state`, `since`, `cursor` and `limit`")?;
    Ok(filter)
}

/// Narrows a filter to what the caller may see; `None`: nothing of it.
fn restrict(filter: JobFilter, access: &Access) -> Option<JobFilter> {
    let only: Option<&SchoolId> = access.only_school();
    match (&filter.school_id, only) {
        (Some(asked), _) if !access.sees(asked) => None,
        (None, Some(only)) => Some(JobFilter { school_id: Some(only.clone()), ..filter }),
        _ => Some(filter),
    }
}

/// List the records that a job left out, and why
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/issues",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u16>, Query, description = "Issues on a page, 50 if left out",
            minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of issues", body = IssueListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_job_issues(
    caller: Caller,
    PathId(job_id): PathId,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let access = caller.may(Action::Read)?;
    let job = access.job(&job_id).await?;
    let limit = parameters.take_limit()?;
    let after: Option<i64> = parameters.take("cursor", "`next_cursor` of the page before")?;
    parameters.finish("`cursor` and `limit`")?;
    let before_all = 0;
    let found =
        jobs::issues(access.pool(), job.id, after.unwrap_or(before_all), limit.with_one_more())
            .await?;
    let (page, next_cursor) = limit.page(found, |(position, _)| position.to_string());
    let issues = page.into_iter().map(|(_, issue)| IssueView::from(issue)).collect();
    Ok(Json(IssueListView { issues, next_cursor }).into_response())
}
