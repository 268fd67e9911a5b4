//! After a change of MIS: which record belongs to which person.

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

/// List records that may belong to a person in iP
///
/// Either the id of the account no longer exists in Wonde, or an id, UPI or work email came back
/// under another name (`in_doubt`). The list is from the last syncs, and the most likely match comes
/// first. Until a decision is made, each record is left out (issue `possible_match`) and the account
/// stays unchanged. A `viewer` gets a mask in place of personal data, and reads by a person's key are
/// written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/matches",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
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

/// Decide which person a record belongs to
///
/// The next sync follows the decision: either the record is linked to the account, which keeps its
/// login, password and history, or the record becomes a new person. If the match was in doubt, a
/// linked account gets a new password. If the record becomes a new person, the account that had its
/// id loses it and is treated as a leaver's. A decision can be changed until the next sync.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/matches",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    request_body = MatchRequest,
    responses(
        (status = 204, description = "The decision is stored"),
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
