use axum::{
    Json,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use mis_sync_domain::Job;
use ring::digest::{SHA256, digest};

use crate::{etag::Etag, views::JobView};

/// While a job is unfinished, it is worth asking again after this many seconds.
const POLL_SECONDS: u16 = 1;

/// The answer to a request for work: the job, and where to follow it.
pub(crate) fn accepted(status: StatusCode, job: &Job) -> Response {
    let view = JobView::from(job);
    let location = [(LOCATION, view.location().to_owned())];
    let mut response = (status, location, Json(view)).into_response();
    say_when_to_poll(&mut response, job);
    response
}

/// The job as it is now, or 304 if the caller has seen it like that.
pub(crate) fn current(job: &Job, request: &HeaderMap) -> Response {
    let body = serde_json::to_vec(&JobView::from(job)).expect("a job is plain JSON");
    let etag = Etag::of_hash(&half_hash(&body));
    let mut response = if etag.is_known_to(request) {
        etag.not_modified()
    } else {
        etag.mark(([(CONTENT_TYPE, "application/json")], body))
    };
    say_when_to_poll(&mut response, job);
    response
}

fn say_when_to_poll(response: &mut Response, job: &Job) {
    if !job.state.is_finished() {
        response.headers_mut().insert(RETRY_AFTER, POLL_SECONDS.into());
    }
}

/// Half of the body's SHA-256: equal hashes, equal bytes.
fn half_hash(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    let (half, _) = hash.as_ref().split_first_chunk().expect("SHA-256 has 32 bytes");
    format!("{:032x}", u128::from_be_bytes(*half))
}
