//! What could not be imported as it is: of one job, and of a school.

use std::collections::HashMap;

use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{AuditAction, IssueCode, SchoolId};
use mis_sync_store::{
    audit::Entry,
    issues::{self, NamedIssue},
    logins,
};

use crate::{
    ApiError,
    download::{List, download},
    jobs::note,
    openapi::ListProblems,
    parameters::{Limit, Parameters, PathId},
    rows::{RowsQuery, wanted_page},
    state::{Access, PersonalData},
    views::{IssueListView, IssueView, ProblemView},
};

/// List what a job could not import as it is, and why
///
/// Each issue names the person, class or subject, as far as iP knows them. With `Accept: text/csv`
/// the whole list is one file for the clerk who corrects the MIS. A `viewer` gets a mask in place of
/// personal data, and reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}/issues",
    tag = "jobs",
    params(
        ("job_id" = String, Path, description = "The job's id"),
        RowsQuery,
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
        let personal = note(&access, &job, AuditAction::Export, "issues").await?;
        return download(access.pool(), List::JobIssues(job.id, personal)).await;
    };
    let personal = note(&access, &job, AuditAction::Reveal, "issues").await?;
    let found = issues::of_job(access.pool(), job.id, after, limit.with_one_more()).await?;
    page(&access, job.school_id.as_ref(), found, limit, personal).await
}

/// List what keeps records of a school's MIS out of iP
///
/// What the last run that read the whole MIS found, and the deltas since. Each issue names the
/// person, class or subject, as far as iP knows them. With `Accept: text/csv` the whole list is one
/// file for the clerk who corrects the MIS. A `viewer` gets a mask in place of personal data, and
/// reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/issues",
    tag = "schools",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        RowsQuery,
    ),
    responses(
        (status = 200, description = "A page of issues, or all of them as CSV",
            content((IssueListView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        ListProblems,
    ),
)]
pub(crate) async fn list_school_issues(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let entry = |action| Entry {
        school_id: Some(school.id.clone()),
        subject: Some("issues".to_owned()),
        ..Entry::new(action)
    };
    let actor = access.actor(None);
    let Some((after, limit)) = wanted_page(&headers, parameters)? else {
        let personal = access.read_personal_data(&actor, &entry(AuditAction::Export)).await?;
        return download(access.pool(), List::SchoolIssues(school.id, personal)).await;
    };
    let personal = access.read_personal_data(&actor, &entry(AuditAction::Reveal)).await?;
    let found = issues::of_school(access.pool(), &school.id, after, limit.with_one_more()).await?;
    page(&access, Some(&school.id), found, limit, personal).await
}

/// One page, with the schools where a login is in use.
async fn page(
    access: &Access,
    school_id: Option<&SchoolId>,
    found: Vec<NamedIssue>,
    limit: Limit,
    personal: PersonalData,
) -> Result<Response, ApiError> {
    let (page, next_cursor) = limit.page(found, |issue| issue.position.to_string());
    let ids: Vec<&str> = page
        .iter()
        .filter(|named| named.issue.code == IssueCode::WorkEmailInUse)
        .filter_map(|named| named.issue.wonde_id.as_deref())
        .collect();
    let elsewhere = match school_id {
        Some(school_id) => logins::held_elsewhere(access.pool(), school_id, &ids).await?,
        None => HashMap::default(),
    };
    let view = |issue| personal.show(IssueView::from(issue)).with_other_schools(&elsewhere, access);
    let issues = page.into_iter().map(view).collect();
    Ok(Json(IssueListView { issues, next_cursor }).into_response())
}
