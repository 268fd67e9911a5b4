use axum::{
    Json,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{AuditAction, StaffId, explain::explain};
use mis_sync_store::{
    audit::Entry,
    explain::{Who, gather},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError,
    body::{Body, JsonObject},
    openapi::BodyProblems,
    parameters::{Parameters, PathId, Query, text},
    state::Access,
    views::{ExplanationView, ProblemView},
};

/// Explain why a person is in iP, missing, or different
///
/// The explanation is based on what the last run (or dry run) read from the MIS, and on the current
/// data in iP. Send exactly one of the parameters. A `viewer` gets a mask in place of personal data,
/// and reads by a person's key are written to the audit log. Proxies log addresses: to keep an email
/// out of their logs, use `POST` with a body.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/explain",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        WhoRequest,
    ),
    responses(
        (status = 200, description = "The explanation", body = ExplanationView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "`unknown-school`; `unknown-staff`: the school has no \
            person with this `staff_id`", body = ProblemView, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn explain_person(
    access: Access,
    PathId(school_id): PathId,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let who =
        parameters.read::<WhoRequest>()?.only().map_err(|count| ApiError::InvalidParameter {
            parameter: "email, wonde_id, staff_id".to_owned(),
            found: format!("{count} of them"),
            wanted: ONE.to_owned(),
        })?;
    answer(&access, &school_id, &who).await
}

/// Explain the same about a person who is named in the body
///
/// The answer is the one of `GET`. No proxy logs a body, so no email gets into its logs.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/explain",
    tag = "staff",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    request_body = WhoRequest,
    responses(
        (status = 200, description = "The explanation", body = ExplanationView),
        (status = 404, description = "`unknown-school`; `unknown-staff`: the school has no \
            person with this `staff_id`", body = ProblemView, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn explain_person_in_body(
    access: Access,
    PathId(school_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let who = body.read::<WhoRequest>()?.only();
    let who = who.map_err(|count| {
        ApiError::MalformedBody(format!("it has to hold {ONE}, and holds {count} of them"))
    })?;
    answer(&access, &school_id, &who).await
}

async fn answer(access: &Access, school_id: &str, who: &Who) -> Result<Response, ApiError> {
    let school = access.school(school_id).await?;
    let mut known = gather(access.pool(), &school.id, who).await?.ok_or(ApiError::UnknownStaff)?;
    known.login_used_at = known.login_used_at.filter(|other| access.sees(other));
    let entry = Entry {
        school_id: Some(school.id.clone()),
        staff_id: known.person.as_ref().map(|person| person.id),
        subject: Some("explain".to_owned()),
        ..Entry::new(AuditAction::Reveal)
    };
    let personal = access.read_personal_data(&access.actor(None), &entry).await?;
    let mis = access.mis_of(&school);
    let explanation = explain(&known.evidence, &school.settings, mis);
    let view = ExplanationView::new(known, explanation, &school, mis);
    Ok(Json(personal.show(view)).into_response())
}

/// Which person is meant: exactly one of the fields.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(as = ExplainRequest)]
pub(crate) struct WhoRequest {
    /// Work email in the MIS, or login in iP
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    /// Wonde's id of the person
    #[serde(default, deserialize_with = "text")]
    wonde_id: Option<String>,
    /// The id of the person in iP
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>, format = "uuid")]
    staff_id: Option<StaffId>,
}

/// What a caller has to send.
const ONE: &str = "exactly one of `email`, `wonde_id` and `staff_id`";

impl Query for WhoRequest {
    fn wanted(parameter: &str) -> String {
        let wanted = match parameter {
            "staff_id" => "the id of a person in iP",
            _ => "a text without control characters",
        };
        wanted.to_owned()
    }
}

impl Body for WhoRequest {
    fn wanted(field: &str) -> Option<String> {
        Some(format!("has to be {}", <Self as Query>::wanted(field)))
    }
}

impl WhoRequest {
    /// The only person who is named; otherwise how many are.
    fn only(self) -> Result<Who, usize> {
        let Self { email, wonde_id, staff_id } = self;
        let given = [email.map(Who::Email), wonde_id.map(Who::WondeId), staff_id.map(Who::Staff)];
        let mut given: Vec<Who> = given.into_iter().flatten().collect();
        let count = given.len();
        given.pop().filter(|_| count == 1).ok_or(count)
    }
}
