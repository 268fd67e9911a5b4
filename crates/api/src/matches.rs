//! After a change of MIS: which record means whom.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{AuditAction, StaffId};
use mis_sync_store::{audit::Entry, matches};

use crate::{
    ApiError,
    body::{JsonObject, malformed},
    openapi::BodyProblems,
    parameters::PathId,
    state::Access,
    views::{MatchListView, MatchRequest, MatchView, ProblemView},
};

/// List records that may mean a person in iP
///
/// The person's own id is gone, or their id, UPI or work email came back under other names
/// (`in_doubt`). The list is as the last syncs found it, the likeliest first. Until a person decides,
/// each record is left out (issue `possible_match`) and the account stays as it is. A `viewer` is shown
/// a mask in place of personal data; what a person's key reads is noted in the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/matches",
    tag = "schools",
    params(("school_id" = String, Path, description = "iP's own key of the school")),
    responses(
        (status = 200, description = "All of them", body = MatchListView),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_matches(
    access: Access,
    PathId(school_id): PathId,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let found = matches::list(access.pool(), &school.id).await?;
    let entry = Entry {
        school_id: Some(school.id),
        subject: Some("matches".to_owned()),
        ..Entry::new(AuditAction::Reveal)
    };
    let personal = access.read_personal_data(&access.actor(None), &entry).await?;
    let view = |candidate| personal.show(MatchView::from(candidate));
    let matches = found.into_iter().map(view).collect();
    Ok(Json(MatchListView { matches }).into_response())
}

/// Decide whom a record means
///
/// The next sync follows it: the account keeps login, password and history, or the record becomes
/// a new person. An account that was in doubt gets a new password when it passes on; where the record
/// becomes a new person, the account that had its id loses it and is treated as a leaver's. A
/// decision can be changed until then.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/matches",
    tag = "schools",
    params(("school_id" = String, Path, description = "iP's own key of the school")),
    request_body = MatchRequest,
    responses(
        (status = 204, description = "It is kept"),
        (status = 404, description = "`unknown-school`, `unknown-match`", body = ProblemView,
            content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn decide_match(
    access: Access,
    PathId(school_id): PathId,
    body: JsonObject,
) -> Result<StatusCode, ApiError> {
    let school = access.school(&school_id).await?;
    let (wonde_id, staff_id) = read(body)?;
    let actor = access.actor(None);
    let is_kept = matches::decide(access.pool(), &school.id, &wonde_id, staff_id, &actor).await?;
    if is_kept { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::UnknownMatch) }
}

fn read(body: JsonObject) -> Result<(String, Option<StaffId>), ApiError> {
    let MatchRequest { wonde_id, staff_id } = body.read()?;
    let wonde_id = wonde_id.filter(|id| !id.is_empty());
    let wonde_id = wonde_id.ok_or_else(|| malformed("wonde_id", MatchRequest::WONDE_ID))?;
    Ok((wonde_id, staff_id))
}
