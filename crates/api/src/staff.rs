mod search;

use axum::{
    Json,
    body::Body,
    http::{
        HeaderMap,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use mis_sync_domain::{AuditAction, SchoolId, StaffId};
use mis_sync_store::{
    audit::Entry,
    photos::{self, HeldPhoto},
    staff,
};

use crate::{
    ApiError,
    etag::Etag,
    parameters::PathId,
    state::Access,
    views::{PhotoView, ProblemView, StaffView},
};

pub(crate) use search::*;

/// Read a person, and where each field comes from
///
/// The answer says who set a field, and why it is not what a person typed. A `viewer` gets a mask in
/// place of personal data, and reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/staff/{staff_id}",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        ("staff_id" = String, Path, description = "The id of the person in iP"),
    ),
    responses(
        (status = 200, description = "The person", body = StaffView),
        (status = 404, description = "`unknown-school`, `unknown-staff`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_staff(
    access: Access,
    PathId((school_id, staff_id)): PathId<(String, String)>,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let person = staff::get(access.pool(), &school.id, read_id(&staff_id)?)
        .await?
        .ok_or(ApiError::UnknownStaff)?;
    let entry = reading(&school.id, person.id, "staff");
    let personal = access.read_personal_data(&access.actor(None), &entry).await?;
    let view = StaffView::new(person, &school, access.mis_of(&school));
    Ok(Json(personal.show(view)).into_response())
}

/// The picture of a person
///
/// A `viewer` may not read it. Reads by a person's key are written to the audit log.
#[utoipa::path(
    get,
    path = "/v1/schools/{school_id}/staff/{staff_id}/photo",
    tag = "staff",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        ("staff_id" = String, Path, description = "The id of the person in iP"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The picture", headers(
            ("ETag" = String, description = "SHA-256 of the picture: changes whenever it does"),
        ), content(
            (PhotoView = "image/jpeg"), (PhotoView = "image/png"), (PhotoView = "image/webp"),
        )),
        (status = 304, description = "The picture has not changed"),
        (status = 404, description = "`unknown-school`, `unknown-staff`, `no-photo`",
            body = ProblemView, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_staff_photo(
    access: Access,
    PathId((school_id, staff_id)): PathId<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let staff_id = read_id(&staff_id)?;
    let held = photos::of_person(access.pool(), &school.id, staff_id).await?;
    let (hash, kind) = match held {
        HeldPhoto::NoSuchPerson => return Err(ApiError::UnknownStaff),
        HeldPhoto::Without => return Err(ApiError::NoPhoto),
        HeldPhoto::Image { hash, kind } => (hash, kind),
    };
    let etag = Etag::of_hash(&hash);
    if etag.is_known_to(&headers) {
        return Ok(etag.not_modified());
    }
    let entry = reading(&school.id, staff_id, "photo");
    access.read_personal_data(&access.actor(None), &entry).await?;
    let content = photos::content(access.pool(), &hash).await?.ok_or(ApiError::NoPhoto)?;
    let headers = [
        (CONTENT_TYPE, kind.as_str()),
        (CONTENT_DISPOSITION, "inline"),
        // It came from a MIS, so a browser must not take it for anything but an image.
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok(etag.mark((headers, Body::from(content))))
}

/// The audit entry of a read of personal data.
fn reading(school_id: &SchoolId, staff_id: StaffId, what: &str) -> Entry {
    Entry {
        school_id: Some(school_id.clone()),
        staff_id: Some(staff_id),
        subject: Some(what.to_owned()),
        ..Entry::new(AuditAction::Reveal)
    }
}

pub(crate) fn read_id(text: &str) -> Result<StaffId, ApiError> {
    text.parse().map_err(|_| ApiError::UnknownStaff)
}
