//! The people of a school, a page at a time.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SubsecRound, Utc};
use mis_sync_domain::{AuditAction, StaffId};
use mis_sync_store::{
    audit::Entry,
    staff::{self, StaffFilter},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError,
    body::{Body, JsonObject},
    openapi::BodyProblems,
    parameters::{CURSOR, Limit, Parameters, PathId, Query, text, wanted_limit},
    state::Access,
    views::{ListedStaffView, ProblemView, StaffListView},
};

/// List the people of a school
///
/// In the order of their ids, which does not change while you read page after page. Send the same
/// filters with each page. To follow changes, send `next_updated_since` of the last reading as
/// `updated_since`: no change is missed, and a recent one may come twice. Proxies log addresses: to
/// keep an email out of their logs, use `POST …/staff/search`. Reads by a person's key are written
/// to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/staff",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        StaffQuery,
    ),
    responses(
        (status = 200, description = "A page of people", body = StaffListView),
        (status = 400, description = "`invalid-parameter`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_staff(
    access: Access,
    PathId(school_id): PathId,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    answer(&access, &school_id, parameters.read()?).await
}

/// List the people of a school, with the filters in the body
///
/// The answer is the one of `GET /v1/schools/{school_id}/staff`. No proxy logs a body, so no email
/// gets into its logs.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/staff/search",
    tag = "staff",
    params(("school_id" = String, Path, description = "The id of the school in iP")),
    request_body(content = Option<StaffQuery>, description = "If left out: everyone"),
    responses(
        (status = 200, description = "A page of people", body = StaffListView),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
pub(crate) async fn search_staff(
    access: Access,
    PathId(school_id): PathId,
    body: JsonObject,
) -> Result<Response, ApiError> {
    answer(&access, &school_id, body.read()?).await
}

async fn answer(access: &Access, school_id: &str, query: StaffQuery) -> Result<Response, ApiError> {
    let school = access.school(school_id).await?;
    let StaffQuery { email, wonde_id, active, updated_since, cursor, limit } = query;
    let limit = limit.unwrap_or_default();
    let filter = StaffFilter { email, wonde_id, active, updated_since };
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: Some("staff list".to_owned()),
        ..Entry::new(AuditAction::Reveal)
    };
    access.read_personal_data(&access.actor(None), &entry).await?;
    // What is not settled when the first page is read, the next reading has to find.
    let next_updated_since = match cursor {
        Some(cursor) => cursor.next_updated_since,
        None => staff::settled_until(access.pool()).await?.trunc_subsecs(3),
    };
    let after = cursor.map(|cursor| cursor.after);
    let found =
        staff::search(access.pool(), &school.id, &filter, after, limit.with_one_more()).await?;
    let (page, next_cursor) = limit
        .page(found, |person| StaffCursor { after: person.id, next_updated_since }.to_string());
    let staff = page.into_iter().map(|person| ListedStaffView::new(person, &school.id)).collect();
    Ok(Json(StaffListView::new(staff, next_cursor, next_updated_since)).into_response())
}

/// Which people are listed.
#[derive(Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(as = StaffSearch)]
pub(crate) struct StaffQuery {
    /// Only with this email, in any case. Inactive people keep theirs, so there can be several
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    /// Only with this Wonde id
    #[serde(default, deserialize_with = "text")]
    wonde_id: Option<String>,
    /// Only people who can log in (`true`), or only those who cannot (`false`)
    active: Option<bool>,
    /// Only people who were changed at this time (RFC 3339) or later, by a sync or by the app
    #[param(value_type = Option<String>, format = DateTime)]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_since: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    cursor: Option<StaffCursor>,
    /// People on a page, 50 if left out
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

impl Query for StaffQuery {
    fn wanted(parameter: &str) -> String {
        let wanted = match parameter {
            "active" => "true or false",
            "updated_since" => "a time like 2026-09-01T06:30:00Z (RFC 3339)",
            "limit" => return wanted_limit(),
            "cursor" => CURSOR,
            _ => "a text without control characters",
        };
        wanted.to_owned()
    }
}

impl Body for StaffQuery {
    fn wanted(field: &str) -> Option<String> {
        Some(format!("has to be {}", <Self as Query>::wanted(field)))
    }
}

/// Where the next page begins, and what the whole reading says of the next reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct StaffCursor {
    after: StaffId,
    next_updated_since: DateTime<Utc>,
}

impl std::fmt::Display for StaffCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.after, self.next_updated_since.timestamp_millis())
    }
}

impl TryFrom<String> for StaffCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let read = || {
            let (after, time) = text.split_once('.')?;
            Some(Self {
                after: after.parse().ok()?,
                next_updated_since: DateTime::from_timestamp_millis(time.parse().ok()?)?,
            })
        };
        read().ok_or("no cursor")
    }
}
