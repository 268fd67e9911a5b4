pub(crate) mod check;
pub(crate) mod connection;
mod patch;

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header::ETAG},
    response::{IntoResponse, Response},
};
use mis_sync_domain::{Job, School, SchoolId};
use mis_sync_store::schools::{self, OnlyIf};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    ApiError,
    body::JsonObject,
    etag,
    openapi::{BodyProblems, ChangeProblems},
    parameters::{CURSOR, Limit, Parameters, PathId, Query, wanted_limit},
    state::Access,
    views::{ProblemView, SchoolListView, SchoolPatch, SchoolRequest, SchoolView},
};

/// How often a patch is applied again because another request changed the school.
const MAX_LOOKS: usize = 5;

/// Which schools are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SchoolsQuery {
    /// `next_cursor` of the page before
    #[param(value_type = Option<String>)]
    cursor: Option<SchoolId>,
    /// Schools on a page, 50 if left out
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

impl Query for SchoolsQuery {
    fn wanted(parameter: &str) -> String {
        if parameter == "limit" { wanted_limit() } else { CURSOR.to_owned() }
    }
}

/// What follows a change.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyQuery {
    /// Check the school with Wonde too, for up to five seconds. If that is not enough, `links.check`
    /// is the job that does it.
    #[param(required = false)]
    verify: Option<bool>,
}

impl Query for VerifyQuery {
    fn wanted(_: &str) -> String {
        "true or false".to_owned()
    }
}

/// List schools in the order of their ids
#[utoipa::path(
    get,
    path = "/v1/schools",
    tag = "schools",
    params(SchoolsQuery),
    responses(
        (status = 200, description = "A page of schools", body = SchoolListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_schools(
    access: Access,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let SchoolsQuery { cursor: after, limit } = parameters.read()?;
    let limit = limit.unwrap_or_default();
    let found = match access.only_school() {
        // At most one, whose page the cursor may already have passed.
        Some(only) if after.as_ref().is_none_or(|after| after < only) => {
            schools::get(access.pool(), only).await?.into_iter().collect()
        }
        Some(_) => Vec::new(),
        None => schools::list(access.pool(), after.as_ref(), limit.with_one_more()).await?,
    };
    let (page, next_cursor) = limit.page(found, |school| school.id.to_string());
    let schools = page.into_iter().map(|school| access.view(school)).collect();
    Ok(Json(SchoolListView { schools, next_cursor }).into_response())
}

/// Read a school
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    responses(
        (status = 200, description = "The school", body = SchoolView, headers(
            ("ETag" = String, description = "For `If-Match`: it changes with the connection and the \
                settings, and stays when a sync ends"),
        )),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_school(
    access: Access,
    PathId(school_id): PathId,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    Ok(shown(&access, school, None))
}

/// Connect a school, or change its connection
///
/// The token is never returned. A school can be connected without a token if it approved the access
/// in Wonde while webhooks were accepted (`/v1/webhooks/wonde`). If left out, `token`, `mis`,
/// `callback_url`, `callback_secret` and `settings` stay unchanged. `settings` replaces all settings,
/// and those that it leaves out take their defaults; `PATCH` changes single ones. A request that
/// removes `wonde_base_url`, or moves it to another host, must also contain a `token`. With `verify`
/// the school is stored and then checked, and `last_check` of the answer is the result. A token that
/// Wonde refuses is stored too, as `token_state` says.
#[utoipa::path(
    put,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP",
            pattern = "^[A-Za-z0-9_-]{1,64}$"),
        VerifyQuery,
        ("If-Match" = Option<String>, Header, description = "`ETag` of the school as you read it"),
    ),
    request_body = SchoolRequest,
    responses(
        (status = 200, description = "The school existed and was changed", body = SchoolView, headers(
            ("ETag" = String, description = "For `If-Match`"),
        )),
        (status = 201, description = "The school is new", body = SchoolView, headers(
            ("Location" = String, description = "The school's address"),
            ("ETag" = String, description = "For `If-Match`"),
        )),
        BodyProblems,
        ChangeProblems,
    ),
)]
pub(crate) async fn connect_school(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let school_id = connection::read_id(&access, &school_id)?;
    let VerifyQuery { verify } = parameters.read()?;
    // Many clients write null for what they do not know. Only a patch means it.
    let mut fields = body.into_fields();
    fields.retain(|name, value| name != "mis" || !value.is_null());
    let school = write(&access, school_id, fields.into(), &etag::only_if(&headers)).await?;
    verified(&access, school, verify).await
}

/// Change a school
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, in `settings` too, and null brings back the
/// default. Null for `mis` lets the next sync ask Wonde. Everything else is as with `PUT`.
#[utoipa::path(
    patch,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        VerifyQuery,
        ("If-Match" = Option<String>, Header, description = "`ETag` of the school as you read it"),
    ),
    request_body(content((SchoolPatch = "application/merge-patch+json"))),
    responses(
        (status = 200, description = "The changed school", body = SchoolView, headers(
            ("ETag" = String, description = "For `If-Match`"),
        )),
        BodyProblems,
        ChangeProblems,
    ),
)]
pub(crate) async fn change_school(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let VerifyQuery { verify } = parameters.read()?;
    let only_if = etag::only_if(&headers);
    for _ in 0..MAX_LOOKS {
        let school = access.school(&school_id).await?;
        if !only_if.holds(Some(school.version())) {
            return Err(ApiError::ChangedMeanwhile);
        }
        let seen = OnlyIf::IsOneOf(vec![school.version()]);
        let merged = patch::apply(&school, body.clone())?;
        match write(&access, school.id, merged, &seen).await {
            // The patch is of what another request has just changed.
            Err(ApiError::ChangedMeanwhile) => {}
            written => return verified(&access, written?, verify).await,
        }
    }
    Err(ApiError::ChangedMeanwhile)
}

/// Stores a connection that was read completely.
async fn write(
    access: &Access,
    school_id: SchoolId,
    body: JsonObject,
    only_if: &OnlyIf,
) -> Result<School, ApiError> {
    let (connect, secrets) = connection::read(school_id, body, access.address_rules())?;
    let (pool, actor) = (access.pool(), access.actor(None));
    let by = access.connector(&actor, only_if);
    // A token that Wonde sent to us is not for a key that is bound to one school: it could name any
    // other's Wonde id.
    let school = if secrets.token.is_none() && access.only_school().is_none() {
        schools::connect_approved(pool, by, &connect, secrets.callback).await?
    } else {
        schools::connect(pool, by, &connect, secrets).await?
    };
    school.ok_or(ApiError::TokenMissing)
}

/// The school as it was written, checked if the caller wants it.
async fn verified(
    access: &Access,
    school: School,
    verify: Option<bool>,
) -> Result<Response, ApiError> {
    let is_new = school.is_new();
    let (school, job) = match verify {
        Some(true) => {
            let (school, job) = check::run(access, school, check::LONGEST_WAIT).await?;
            (school, Some(job))
        }
        _ => (school, None),
    };
    let location = format!("/v1/schools/{}", school.id);
    let response = shown(access, school, job.as_ref());
    if is_new {
        return Ok((StatusCode::CREATED, [("location", location)], response).into_response());
    }
    Ok(response)
}

fn shown(access: &Access, school: School, check: Option<&Job>) -> Response {
    let tag = etag::of_school(&school);
    let mut view = access.view(school);
    view.links.check = check.map(|job| format!("/v1/jobs/{}", job.id));
    ([(ETAG, tag)], Json(view)).into_response()
}

/// Disconnect a school
///
/// Its token is deleted. Its people stay.
#[utoipa::path(
    delete,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        ("If-Match" = Option<String>, Header, description = "`ETag` of the school as you read it"),
    ),
    responses(
        (status = 204, description = "The school no longer has a token"),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 412, description = "`changed-meanwhile`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn disconnect_school(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (id, only_if) = (access.school_id(&school_id)?, etag::only_if(&headers));
    if schools::disconnect(access.pool(), &id, &only_if, &access.actor(None)).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(ApiError::UnknownSchool)
    }
}
