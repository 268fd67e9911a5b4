pub(crate) mod connection;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_domain::{School, SchoolId};
use mis_sync_store::schools;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    ApiError,
    body::JsonObject,
    openapi::BodyProblems,
    parameters::{CURSOR, Limit, Parameters, PathId, Query, wanted_limit},
    state::Access,
    views::{ProblemView, SchoolListView, SchoolRequest, SchoolView},
};

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
        (status = 200, description = "The school", body = SchoolView),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_school(
    access: Access,
    PathId(school_id): PathId,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    Ok(Json(access.view(school)).into_response())
}

/// Connect a school, or change its connection
///
/// The token is never returned. A school can be connected without a token if it approved the access
/// in Wonde while webhooks were accepted (`/v1/webhooks/wonde`). If left out, `token`, `mis` and
/// `settings` stay unchanged. `settings` replaces all settings, and those that it leaves out take
/// their defaults. A request that removes `wonde_base_url`, or moves it to another host, must also
/// contain a `token`.
#[utoipa::path(
    put,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP",
        pattern = "^[A-Za-z0-9_-]{1,64}$")),
    request_body = SchoolRequest,
    responses(
        (status = 200, description = "The school existed and was changed", body = SchoolView),
        (status = 201, description = "The school is new", body = SchoolView, headers(
            ("Location" = String, description = "The school's address"),
        )),
        (status = 404, description = "`unknown-school`: the key is bound to another school",
            body = ProblemView, content_type = "application/problem+json"),
        (status = 409, description = "`wonde-school-taken`: another school has this Wonde id",
            body = ProblemView, content_type = "application/problem+json"),
        BodyProblems,
        (status = 422, description = "`invalid-school`, `token-missing`, `token-would-move`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `wonde-id-fixed`: a key that is bound to a school \
            can neither set nor change its Wonde id", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn connect_school(
    access: Access,
    PathId(school_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let school_id = connection::read_id(&access, &school_id)?;
    let (connect, token) = connection::read(school_id, body, access.wonde_hosts())?;
    let (pool, actor) = (access.pool(), access.actor(None));
    let by = access.connector(&actor);
    let school = match token {
        // A token that Wonde sent to us is not for a key that is bound to one school: it could
        // name any other's Wonde id.
        None if access.only_school().is_none() => {
            schools::connect_approved(pool, by, &connect).await?
        }
        token => schools::connect(pool, by, &connect, token.as_ref()).await?,
    };
    let school = school.ok_or(ApiError::TokenMissing)?;
    Ok(connected(&access, school))
}

fn connected(access: &Access, school: School) -> Response {
    let is_new = school.is_new();
    let view = access.view(school);
    if is_new {
        let location = [("location", view.links.this.clone())];
        (StatusCode::CREATED, location, Json(view)).into_response()
    } else {
        Json(view).into_response()
    }
}

/// Disconnect a school
///
/// Its token is deleted. Its people stay.
#[utoipa::path(
    delete,
    path = "/v1/schools/{school_id}",
    tag = "schools",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    responses(
        (status = 204, description = "The school no longer has a token"),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn disconnect_school(
    access: Access,
    PathId(school_id): PathId,
) -> Result<Response, ApiError> {
    let id = access.school_id(&school_id)?;
    if schools::disconnect(access.pool(), &id, &access.actor(None)).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(ApiError::UnknownSchool)
    }
}
