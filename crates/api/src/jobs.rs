mod actions;
mod answer;
mod download;
pub(crate) mod events;

use std::collections::HashMap;

use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, IssueCode, Job, JobId, JobKind, JobState, SchoolId};
use mis_sync_store::{
    audit::Entry,
    jobs::{self, JobFilter},
    logins,
};

pub(crate) use actions::*;
pub(crate) use answer::accepted;
use download::{List, download};

use crate::{
    ApiError,
    format::Format,
    openapi::ListProblems,
    parameters::{Limit, Parameters, PathId},
    state::{Access, PersonalData},
    views::{
        ChangeListView, ChangeView, IssueListView, IssueView, JobListView, JobView, ProblemView,
    },
};

/// What a time looks like.
const TIME: &str = "a time like 2026-09-01T06:30:00Z (RFC 3339)";

/// Positions of rows begin at 1.
const BEFORE_ALL: i64 = 0;

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
    params(
        ("school_id" = Option<String>, Query, description = "Only of this school"),
        ("staff_id" = Option<String>, Query, description = "Only for this person"),
        ("kind" = Option<JobKind>, Query, description = "Only of this kind"),
        ("state" = Option<JobState>, Query, description = "Only in this state"),
        ("error" = Option<String>, Query, description = "Only those whose last `error` has this \
            `type`"),
        ("since" = Option<String>, Query, description = "Only those asked for at this time \
            (RFC 3339) or later", format = DateTime),
        ("until" = Option<String>, Query, description = "Only those asked for before this time \
            (RFC 3339)", format = DateTime),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u16>, Query, description = "Jobs on a page, 50 if left out",
            minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = JobListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_jobs(
    access: Access,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
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
    let school: Option<SchoolId> =
        parameters.take("school_id", "1 to 64 letters, digits, `_` or `-`")?;
    let state: Option<JobState> = parameters.take("state", states)?;
    let filter = JobFilter {
        schools: school.into_iter().collect(),
        staff_id: parameters.take("staff_id", "iP's own key of a person, a UUID")?,
        kind: parameters.take("kind", kinds)?,
        states: state.into_iter().collect(),
        error_code: parameters.take_text("error", "the `type` of a job's `error`")?,
        since: parameters.take::<DateTime<Utc>>("since", TIME)?,
        until: parameters.take::<DateTime<Utc>>("until", TIME)?,
        before: parameters.take::<JobId>("cursor", "`next_cursor` of the page before")?,
        ..JobFilter::default()
    };
    parameters.finish(
        "`school_id`, `staff_id`, `kind`, `state`, `error`, `since`, `until`, `cursor` and `limit`",
    )?;
    Ok(filter)
}

/// Narrows a filter to what the caller may see; `None`: nothing of it.
fn restrict(filter: JobFilter, access: &Access) -> Option<JobFilter> {
    let only: Option<&SchoolId> = access.only_school();
    match (filter.schools.is_empty(), only) {
        (true, Some(only)) => Some(JobFilter { schools: vec![only.clone()], ..filter }),
        _ => filter.schools.iter().all(|asked| access.sees(asked)).then_some(filter),
    }
}

/// List what a job changed, field by field
///
/// Of a dry run: what it would change. With `Accept: text/csv` the whole list is one file, in
/// which a value that a spreadsheet would take for a formula begins with an apostrophe. A `viewer` is
/// shown a mask in place of personal data; what a person's key reads is noted in the audit log.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/changes",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before; not \
            with `text/csv`"),
        ("limit" = Option<u16>, Query, description = "Changes on a page, 50 if left out; not \
            with `text/csv`", minimum = 1, maximum = 200),
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
        return download(access.pool(), job.id, List::Changes(personal)).await;
    };
    let personal = note(&access, &job, AuditAction::Reveal, "changes").await?;
    let found = jobs::changes(access.pool(), job.id, after, limit.with_one_more()).await?;
    let (page, next_cursor) = limit.page(found, |(position, _)| position.to_string());
    let view = |(_, change)| personal.show(ChangeView::from(change));
    let changes = page.into_iter().map(view).collect();
    Ok(Json(ChangeListView { changes, next_cursor }).into_response())
}

/// List what a job could not take as it is, and why
///
/// With `Accept: text/csv` the whole list is one file. What a person's key reads is noted in the audit
/// log.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/issues",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before; not \
            with `text/csv`"),
        ("limit" = Option<u16>, Query, description = "Issues on a page, 50 if left out; not \
            with `text/csv`", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of issues, or all of them as CSV",
            content((IssueListView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "`unknown-job`", body = ProblemView,
            content_type = "application/problem+json"),
        ListProblems,
    ),
)]
pub(crate) async fn list_job_issues(
    access: Access,
    PathId(job_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let job = access.job(&job_id).await?;
    let Some((after, limit)) = wanted_page(&headers, parameters)? else {
        note(&access, &job, AuditAction::Export, "issues").await?;
        return download(access.pool(), job.id, List::Issues).await;
    };
    note(&access, &job, AuditAction::Reveal, "issues").await?;
    let found = jobs::issues(access.pool(), job.id, after, limit.with_one_more()).await?;
    let (page, next_cursor) = limit.page(found, |(position, _)| position.to_string());
    let ids: Vec<&str> = page
        .iter()
        .filter(|(_, issue)| issue.code == IssueCode::WorkEmailInUse)
        .filter_map(|(_, issue)| issue.wonde_id.as_deref())
        .collect();
    let elsewhere = match &job.school_id {
        Some(school_id) => logins::held_elsewhere(access.pool(), school_id, &ids).await?,
        None => HashMap::default(),
    };
    let view = |issue| IssueView::from(issue).with_other_schools(&elsewhere, &access);
    let issues = page.into_iter().map(|(_, issue)| view(issue)).collect();
    Ok(Json(IssueListView { issues, next_cursor }).into_response())
}

/// Notes in the audit log that a list of a job is read.
async fn note(
    access: &Access,
    job: &Job,
    action: AuditAction,
    list: &str,
) -> Result<PersonalData, ApiError> {
    let entry = Entry { subject: Some(list.to_owned()), ..Entry::of_job(action, job) };
    access.read_personal_data(&access.actor(None), &entry).await
}

/// After which position, and how many rows, the caller wants as JSON; `None`: all, as CSV.
fn wanted_page(
    headers: &HeaderMap,
    mut parameters: Parameters,
) -> Result<Option<(i64, Limit)>, ApiError> {
    match Format::of(headers)? {
        Format::Csv => {
            parameters.finish("an address without parameters: a file has every row")?;
            Ok(None)
        }
        Format::Json => {
            let limit = parameters.take_limit()?;
            let after = parameters.take("cursor", "`next_cursor` of the page before")?;
            parameters.finish("`cursor` and `limit`")?;
            Ok(Some((after.unwrap_or(BEFORE_ALL), limit)))
        }
    }
}
