//! What every request passes on its way in and out: request id, one wide log line, time limit,
//! a net under panics, and the body of every problem.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use mis_sync_telemetry::traces;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, field::Empty};
use uuid::Uuid;

use crate::{ApiError, body::MAX_BODY_BYTES, metrics, rate_limit::Told, views::ProblemView};

/// No request takes longer; then its caller is told to try again.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The route of a request for which there is none.
const UNMATCHED: &str = "unmatched";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Puts the edge around all routes of `router`, its fallbacks included.
pub(crate) fn surround(router: Router) -> Router {
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        // The panic's message has gone to standard error by the panic hook; it may quote
        // anything, so it goes nowhere else.
        .layer(CatchPanicLayer::custom(|_| ApiError::Panicked.into_response()))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn(observe))
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

async fn observe(mut request: Request, next: Next) -> Response {
    let told = Told::default();
    request.extensions_mut().insert(told.clone());
    let started = Instant::now();
    let method = request.method().clone();
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    // The pattern, not the path: few values, and nothing that a caller made up.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!(
        "http.request",
        http.method = %request.method(),
        http.route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str),
        request.id = %id,
        api_key.id = Empty,
        job.id = Empty,
    );
    let traceparent = request.headers().get(traces::TRACEPARENT);
    if let Some(traceparent) = traceparent.and_then(|value| value.to_str().ok()) {
        traces::continue_from(&span, traceparent);
    }
    async {
        let response = next.run(request).await;
        let error = response.extensions().get::<Arc<ApiError>>().cloned();
        let elapsed = started.elapsed();
        let pattern = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        metrics::record(&method, pattern, response.status(), elapsed);
        log(&response, error.as_deref(), route.as_ref(), elapsed);
        let mut response = match error {
            // The dashboard has written a page for people already.
            Some(error) if !is_page(&response) => write_problem(response, &error, &path),
            _ => response,
        };
        let id = HeaderValue::from_str(&id).expect("a request id is letters, digits, -, _ and .");
        response.headers_mut().insert(REQUEST_ID, id);
        told.write(response.headers_mut());
        // Who may see an answer depends on the key, so no cache keeps one unless it is told to.
        response.headers_mut().entry(CACHE_CONTROL).or_insert(NO_STORE);
        response
    }
    .instrument(span)
    .await
}

/// The caller's request id, so that it can be followed through several services, if it is
/// harmless in a log; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(harmless)
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The one line of a request. Its level says whether a person has to act.
fn log(
    response: &Response,
    error: Option<&ApiError>,
    route: Option<&MatchedPath>,
    elapsed: Duration,
) {
    let http_status = response.status().as_u16();
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let problem = error.map(|error| error.problem_type().as_str());
    let cause = error.and_then(Error::source).map(tracing::field::display);
    let is_probe = route.is_some_and(|route| traces::PROBES.contains(&route.as_str()));
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(http.status = http_status, elapsed_ms, problem, cause, "request")
        };
    }
    match http_status {
        500 => line!(error),
        501.. => line!(warn),
        _ if is_probe => line!(debug),
        _ => line!(info),
    }
}

fn is_page(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

fn write_problem(response: Response, error: &ApiError, path: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    // Of the empty body that it had so far.
    parts.headers.remove(CONTENT_LENGTH);
    let body = Json(ProblemView::new(error, path)).into_response().into_body();
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::StatusCode, routing::get};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: Router, request: Request) -> (Response, Value) {
        let (parts, body) = surround(router).oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap();
        (Response::from_parts(parts, Body::empty()), json)
    }

    fn request() -> Request {
        Request::get("/here").body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_does_not_quote_it() {
        async fn panics() {
            panic!("a secret");
        }
        let (response, json) = ask(Router::new().route("/here", get(panics)), request()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(json["type"], "/problems/internal");
        assert_eq!(json["instance"], "/here");
        assert!(!json.to_string().contains("secret"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_given_up() {
        let hangs = Router::new().route("/here", get(std::future::pending::<()>));
        let (response, json) = ask(hangs, request()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(json["type"], "/problems/timed-out");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_outlives_the_time_that_an_answer_may_take_to_begin() {
        async fn streams() -> Body {
            Body::from_stream(futures::stream::once(async {
                #[expect(clippy::disallowed_methods, reason = "a stream that takes its time")]
                tokio::time::sleep(REQUEST_TIMEOUT * 2).await;
                Ok::<_, std::convert::Infallible>("\"late\"")
            }))
        }
        let (response, json) = ask(Router::new().route("/here", get(streams)), request()).await;
        assert_eq!((response.status(), json), (StatusCode::OK, "late".into()));
    }

    #[test]
    fn only_a_harmless_request_id_is_taken_over() {
        let of = |id: &str| {
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            request_id(&HeaderMap::from_iter([(REQUEST_ID, value)]))
        };
        assert_eq!(of("trace-1_a.b"), "trace-1_a.b");
        for bad in ["", "a b", "a\"b", "é", &"x".repeat(65)] {
            assert!(of(bad).parse::<Uuid>().is_ok(), "{bad}");
        }
        assert!(request_id(&HeaderMap::new()).parse::<Uuid>().is_ok());
    }
}
