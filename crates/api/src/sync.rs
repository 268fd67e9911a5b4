use axum::{
    http::{HeaderMap, HeaderName, StatusCode},
    response::Response,
};
use mis_sync_control as control;
use mis_sync_domain::{AuditAction, School, SyncOptions};
use mis_sync_queue::{Enqueued, Idempotency};
use mis_sync_store::{
    api_keys::ApiKey,
    audit::{self, Entry},
};
use ring::digest::{SHA256, digest};

use crate::{
    ApiError,
    body::JsonObject,
    jobs::accepted,
    openapi::BodyProblems,
    parameters::PathId,
    state::Access,
    views::{JobView, ProblemView, SyncRequest},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Request a sync of a school
///
/// A second request is never an error: while a sync of the school is unfinished, the answer is that
/// sync, whatever its `photos` and `mode`. A dry run and a real sync do not block each other.
#[utoipa::path(
    post,
    path = "/v1/schools/{school_id}/sync",
    tag = "schools",
    params(
        ("school_id" = String, Path, description = "The id of the school in iP"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII \
            characters. The same request with the same key is answered with the same job, \
            whatever became of it."),
    ),
    request_body(content = Option<SyncRequest>, description = "May be left out"),
    responses(
        (status = 202, description = "A new job", body = JobView, headers(
            ("Location" = String, description = "The job's address"),
            ("Retry-After" = u32, description = "Seconds to wait before reading the job"),
        )),
        (status = 200, description = "The unfinished job that already exists", body = JobView, headers(
            ("Location" = String, description = "The job's address"),
        )),
        (status = 404, description = "`unknown-school`", body = ProblemView,
            content_type = "application/problem+json"),
        (status = 409, description = "`school-not-connected`",
            body = ProblemView, content_type = "application/problem+json"),
        BodyProblems,
        (status = 422, description = "`idempotency-key-reused`, `invalid-text`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn enqueue_sync_school(
    access: Access,
    PathId(school_id): PathId,
    headers: HeaderMap,
    body: JsonObject,
) -> Result<Response, ApiError> {
    let school = access.school(&school_id).await?;
    let options = body.read::<SyncRequest>()?.into();
    let idempotency = read_idempotency(&headers, access.key(), &school, options)?;
    let queue = access.queue();
    let enqueued =
        control::press(queue, &school, options, access.requester(), idempotency.as_ref()).await?;
    if access.names_person() {
        let entry = Entry::of_job(AuditAction::Sync, enqueued.job());
        audit::note(access.pool(), &access.actor(None), &entry).await?;
    }
    let status = match &enqueued {
        Enqueued::New(_) => StatusCode::ACCEPTED,
        Enqueued::Existing(_) => StatusCode::OK,
    };
    tracing::Span::current().record("job.id", tracing::field::display(enqueued.job().id));
    Ok(accepted(status, enqueued.job()))
}

fn read_idempotency(
    headers: &HeaderMap,
    api_key: &ApiKey,
    school: &School,
    options: SyncOptions,
) -> Result<Option<Idempotency>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.as_bytes();
    let is_valid = (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if !is_valid || values.next().is_some() {
        return Err(ApiError::InvalidIdempotencyKey);
    }
    let key = String::from_utf8_lossy(key).into_owned();
    Ok(Some(Idempotency { api_key_id: api_key.id, key, request_hash: hash(school, options) }))
}

/// SHA-256 of the request. Options that are left out count as their defaults.
fn hash(school: &School, options: SyncOptions) -> Vec<u8> {
    // Taken apart, so that an option that is added to the domain is not forgotten here.
    let SyncOptions { dry_run, photos, mode } = options;
    let request = format!(
        "POST /v1/schools/{}/sync dry_run={dry_run} photos={photos} mode={mode}",
        school.id
    );
    digest(&SHA256, request.as_bytes()).as_ref().to_vec()
}
