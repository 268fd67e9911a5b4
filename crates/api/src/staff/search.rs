//! The people of a school, a page at a time.

use axum::{
    Json,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, SubsecRound, Utc};
use mis_sync_domain::{AuditAction, School, StaffId};
use mis_sync_store::{
    audit::Entry,
    staff::{self, StaffFilter},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    ApiError,
    body::{Body, JsonObject},
    download::{List, download},
    format::Format,
    openapi::{BodyProblems, ListProblems},
    parameters::{CURSOR, Limit, Parameters, PathId, Query, text, wanted_limit},
    state::Access,
    views::{ListedStaffView, ProblemView, StaffListView},
};

/// List the people of a school
///
/// In the order of their ids, which does not change while you read page after page. Send the same
/// filters with each page. To follow changes, send `next_updated_since` of the last reading as
/// `updated_since`: no change is missed, and a recent one may come twice. Proxies log addresses: to
/// keep an email out of their logs, use `POST …/staff/search`. With `Accept: text/csv` everyone who
/// matches is in one file for a spreadsheet. Reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/staff",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        StaffQuery,
    ),
    responses(
        (status = 200, description = "A page of people, or all of them as CSV",
            content((StaffListView = "application/json"), (String = "text/csv"))),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        ListProblems,
    ),
)]
pub(crate) async fn list_staff(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    if Format::of(&headers)? == Format::Json {
        return page(&access, &school, parameters.read()?).await;
    }
    parameters.refuse(&["cursor", "limit"], "no such parameter: a file has everyone")?;
    let filter = parameters.read::<StaffQuery>()?.filter();
    audit(&access, &school, AuditAction::Export).await?;
    download(access.pool(), List::Staff(school.id, filter)).await
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
    let school = access.school(&school_id).await?;
    page(&access, &school, body.read()?).await
}

async fn page(access: &Access, school: &School, query: StaffQuery) -> Result<Response, ApiError> {
    let (cursor, limit) = (query.cursor, query.limit.unwrap_or_default());
    let filter = query.filter();
    audit(access, school, AuditAction::Reveal).await?;
    // What is not settled when the first page is read, the next reading has to find.
    let next_updated_since = match cursor {
        Some(cursor) => cursor.next_updated_since,
        None => staff::settled_until(access.pool()).await?.trunc_subsecs(3),
    };
    let after = cursor.map(|cursor| cursor.after);
    let found =
        staff::search(access.pool(), &school.id, &filter, after, limit.with_one_more()).await?;
    let (people, next_cursor) = limit.page(found, |person| {
        StaffCursor { after: person.member.id, next_updated_since }.to_string()
    });
    let staff = people.into_iter().map(|person| ListedStaffView::new(person, &school.id)).collect();
    Ok(Json(StaffListView::new(staff, next_cursor, next_updated_since)).into_response())
}

/// Notes who reads the list.
async fn audit(access: &Access, school: &School, action: AuditAction) -> Result<(), ApiError> {
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: Some("staff list".to_owned()),
        ..Entry::new(action)
    };
    access.read_personal_data(&access.actor(None), &entry).await.map(drop)
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
    /// `next_cursor` of the page before; not with `text/csv`
    #[param(value_type = Option<String>)]
    #[schema(value_type = Option<String>)]
    cursor: Option<StaffCursor>,
    /// People on a page, 50 if left out; not with `text/csv`
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

impl StaffQuery {
    fn filter(self) -> StaffFilter {
        let Self { email, wonde_id, active, updated_since, .. } = self;
        StaffFilter { email, wonde_id, active, updated_since }
    }
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
