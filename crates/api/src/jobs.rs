mod actions;
mod answer;
pub(crate) mod events;
mod query;

use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{AuditAction, Job, SchoolId};
use mis_sync_store::{
    audit::Entry,
    jobs::{self, JobFilter},
};

pub(crate) use actions::*;
pub(crate) use answer::accepted;
use query::JobsQuery;

use crate::{
    ApiError,
    download::{List, download},
    openapi::ListProblems,
    parameters::{Parameters, PathId},
    rows::{RowsQuery, wanted_page},
    state::{Access, PersonalData},
    views::{ChangeListView, ChangeView, JobListView, JobView, ProblemView},
};

/// Read a job
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
        (status = 304, description = "The job has not changed"),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_job(
    access: Access,
    PathId(job_id): PathId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    Ok(answer::current(&job, &headers))
}

/// List jobs, newest first
#[utoipa::path(
    get,
    path = "/v1/jobs",
    tag = "jobs",
    params(JobsQuery),
    responses(
        (status = 200, description = "A page of jobs", body = JobListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_jobs(
    access: Access,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let query: JobsQuery = parameters.read()?;
    let limit = query.limit.unwrap_or_default();
    let filter = query.into();
    let jobs = match restrict(filter, &access) {
        Some(filter) => jobs::list(access.pool(), &filter, limit.with_one_more()).await?,
        None => Vec::new(),
    };
    let (page, next_cursor) = limit.page(jobs, |job| job.id.to_string());
    let jobs = page.iter().map(JobView::from).collect();
    Ok(Json(JobListView { jobs, next_cursor }).into_response())
}

/// Narrows a filter to what the caller may see; `None` if that is nothing.
fn restrict(filter: JobFilter, access: &Access) -> Option<JobFilter> {
    let only: Option<&SchoolId> = access.only_school();
    match (filter.schools.is_empty(), only) {
        (true, Some(only)) => Some(JobFilter { schools: vec![only.clone()], ..filter }),
        _ => filter.schools.iter().all(|asked| access.sees(asked)).then_some(filter),
    }
}

/// List what a job changed, field by field
///
/// For a dry run: what it would change. With `Accept: text/csv` the whole list is one file. In it, a
/// value that a spreadsheet would read as a formula begins with an apostrophe. A `viewer` gets a mask
/// in place of personal data, and reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/changes",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        RowsQuery,
    ),
    responses(
        (status = 200, description = "A page of changes, or all of them as CSV",
            content((ChangeListView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        ListProblems,
    ),
)]
pub(crate) async fn list_job_changes(
    access: Access,
    PathId(job_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    let Some((after, limit)) = wanted_page(&headers, parameters)? else {
        let personal = note(&access, &job, AuditAction::Export, "changes").await?;
        return download(access.pool(), List::Changes(job.id, personal)).await;
    };
    let personal = note(&access, &job, AuditAction::Reveal, "changes").await?;
    let found = jobs::changes(access.pool(), job.id, after, limit.with_one_more()).await?;
    let (page, next_cursor) = limit.page(found, |(position, _)| position.to_string());
    let view = |(_, change)| personal.show(ChangeView::from(change));
    let changes = page.into_iter().map(view).collect();
    Ok(Json(ChangeListView { changes, next_cursor }).into_response())
}

/// Notes in the audit log that a list of a job is read.
pub(crate) async fn note(
    access: &Access,
    job: &Job,
    action: AuditAction,
    list: &str,
) -> Result<PersonalData, ApiError> {
    let entry = Entry { subject: Some(list.to_owned()), ..Entry::of_job(action, job) };
    access.read_personal_data(&access.actor(None), &entry).await
}
