//! The Wonde API under `/v1.0`: counts, faults, the token, then the route.
//!
//! The paths are matched here and not by the router, because each exists with and without a
//! trailing slash.

mod auth;
mod filters;
mod lists;
mod path;
mod schools;

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use url::form_urlencoded;

use self::auth::Caller;
use self::path::Path;
use crate::counters::Arrival;
use crate::faults::Fault;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::render::Look;
use crate::simulator::Simulator;

/// The routes of the Wonde API.
pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/v1.0", any(answer))
        .route("/v1.0/{*path}", any(answer))
        .with_state(simulator)
}

/// A request as the routes see it.
struct Call<'a> {
    simulator: &'a Simulator,
    caller: Caller,
    query: Query,
    /// The absolute address without its query.
    url: String,
    host: String,
}

impl Call<'_> {
    fn look(&self) -> Look {
        let options = self.simulator.options();
        Look { unsupported: options.unsupported, hierarchy: options.hierarchy }
    }
}

async fn answer(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let path = Path::parse(parts.uri.path());
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let caller = auth::caller(&simulator.world(), simulator.application_token(), &parts.headers);
    simulator.ledger().arrived(&Arrival {
        school: path.school(),
        path: path.template(),
        token: &caller.name(),
        includes: query.list("include").collect(),
        at: Instant::now(),
    });
    let fault = take_fault(&simulator, &path, &parts);
    wait(
        simulator.latency()
            + Duration::from_millis(fault.as_ref().and_then(|fault| fault.hang_ms).unwrap_or(0)),
    )
    .await;
    let response = match fault.as_ref().and_then(Fault::refusal) {
        Some(response) => response,
        None => finish(fault.as_ref(), respond(&simulator, caller, query, &path, &parts)),
    };
    let happens = fault.and_then(|fault| fault.then).zip(path.school());
    let response = match happens.map(|(then, school)| simulator.apply_scenario(school, then)) {
        None | Some(Ok(_)) => response,
        Some(Err(error)) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Refusal::new(status, "scenario_failed", &error.to_string()).into_response()
        }
    };
    simulator.ledger().answered(response.status().as_u16());
    response
}

fn take_fault(simulator: &Simulator, path: &Path<'_>, parts: &Parts) -> Option<Fault> {
    let sent = parts.uri.path_and_query().map_or("", |all| all.as_str());
    let decoded: String = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    simulator.faults().take(path.school(), sent, &format!("{}?{decoded}", parts.uri.path()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "slowness is what is simulated here; there is no condition to wait for"
)]
async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// The bytes of the answer, broken if a fault says so.
fn finish(fault: Option<&Fault>, answer: Result<Vec<u8>, Refusal>) -> Response {
    match (answer, fault.and_then(|fault| fault.truncate)) {
        (Err(refusal), _) => refusal.into_response(),
        (Ok(body), Some(truncate)) => truncate.break_body(&Bytes::from(body)),
        (Ok(body), None) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], Body::from(body))
                .into_response()
        }
    }
}

fn respond(
    simulator: &Simulator,
    caller: Caller,
    query: Query,
    path: &Path<'_>,
    parts: &Parts,
) -> Result<Vec<u8>, Refusal> {
    let host = host(parts);
    let scheme = parts
        .headers
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("http");
    let call = Call {
        simulator,
        query,
        url: format!("{scheme}://{host}{}", parts.uri.path()),
        host,
        caller,
    };
    if matches!(call.caller, Caller::Unknown) {
        return Err(Refusal::unauthenticated());
    }
    path::dispatch(&call, path, &parts.method)
}

/// The host that the client called, with its port.
fn host(parts: &Parts) -> String {
    let header = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = parts.uri.authority().map(axum::http::uri::Authority::as_str);
    header.or(authority).unwrap_or("localhost").to_owned()
}
