use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use mis_sync_domain::Job;
use ring::digest::{SHA256, digest};

use crate::views::JobView;

/// While a job is unfinished it is worth asking again after this many seconds.
const POLL_SECONDS: u16 = 1;

/// The answer to a request for work: the job, and where it can be followed.
pub(crate) fn accepted(status: StatusCode, job: &Job) -> Response {
    let view = JobView::from(job);
    let location = [(LOCATION, view.location().to_owned())];
    let mut response = (status, location, Json(view)).into_response();
    say_when_to_poll(&mut response, job);
    response
}

/// The job as it is now, or 304 when the caller has seen it like that.
pub(crate) fn current(job: &Job, request: &HeaderMap) -> Response {
    let body = serde_json::to_vec(&JobView::from(job)).expect("a job is plain JSON");
    let etag = etag(&body);
    let mut response = if matches_etag(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&etag).expect("hexadecimal digits are ASCII"));
    // Keep it, but ask each time.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    say_when_to_poll(&mut response, job);
    response
}

fn say_when_to_poll(response: &mut Response, job: &Job) {
    if !job.state.is_finished() {
        response.headers_mut().insert(RETRY_AFTER, POLL_SECONDS.into());
    }
}

/// Half of the body's SHA-256: equal tags, equal bytes.
fn etag(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    let (half, _) = hash.as_ref().split_first_chunk().expect("SHA-256 has 32 bytes");
    format!("\"{:032x}\"", u128::from_be_bytes(*half))
}

fn matches_etag(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_found_in_a_list() {
        let etag = etag(b"a");
        let of = |value: &str| {
            HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())])
        };
        for good in [etag.clone(), format!("\"x\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
            assert!(matches_etag(&of(&good), &etag), "{good}");
        }
        for bad in ["\"x\"", "x", ""] {
            assert!(!matches_etag(&of(bad), &etag), "{bad}");
        }
        assert!(!matches_etag(&HeaderMap::new(), &etag));
        assert_eq!(etag.len(), 34);
    }
}
