//! The control API under `/_sim`, with which tests and demonstrations steer the simulator and query
//! it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::counters::RequestCounters;
use crate::error::Error;
use crate::faults::Fault;
use crate::scenarios::{Outcome, Scenario};
use crate::simulator::{SchoolSummary, Simulator};
use crate::truth::Truth;

/// The routes of the control API.
pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/_sim", get(get_overview))
        .route("/_sim/schools", get(list_schools))
        .route("/_sim/schools/{id}/truth", get(get_truth))
        .route("/_sim/schools/{id}/scenario", post(apply_scenario))
        .route("/_sim/requests", get(get_requests).delete(reset_requests))
        .route("/_sim/faults", post(add_fault).delete(clear_faults))
        .route("/_sim/latency", post(set_latency))
        .with_state(simulator)
}

/// The application-wide token, the clock and how many schools there are.
async fn get_overview(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({
        "application_token": simulator.application_token(),
        "schools": simulator.schools().len(),
        "now": simulator.now().to_rfc3339(),
        "latency_ms": u64::try_from(simulator.latency().as_millis()).unwrap_or(u64::MAX),
    }))
}

async fn list_schools(State(simulator): State<Simulator>) -> Json<Vec<SchoolSummary>> {
    Json(simulator.schools())
}

async fn get_truth(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
) -> Result<Json<Truth>, Refused> {
    simulator.truth(&id).map(Json).ok_or(Refused::from(Error::UnknownSchool(id)))
}

async fn apply_scenario(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Outcome>, Refused> {
    let scenario: Scenario = parse(&body)?;
    Ok(Json(simulator.apply_scenario(&id, scenario)?))
}

async fn get_requests(State(simulator): State<Simulator>) -> Json<RequestCounters> {
    Json(simulator.requests())
}

async fn reset_requests(State(simulator): State<Simulator>) -> StatusCode {
    simulator.reset_requests();
    StatusCode::NO_CONTENT
}

async fn add_fault(
    State(simulator): State<Simulator>,
    body: Bytes,
) -> Result<(StatusCode, Json<Fault>), Refused> {
    let fault: Fault = parse(&body)?;
    fault.check()?;
    if let Some(id) = fault.school.as_ref().filter(|id| simulator.world().school(id).is_none()) {
        return Err(Error::UnknownSchool(id.clone()).into());
    }
    simulator.add_fault(fault.clone());
    Ok((StatusCode::CREATED, Json(fault)))
}

async fn clear_faults(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_faults();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    ms: u64,
}

async fn set_latency(
    State(simulator): State<Simulator>,
    body: Bytes,
) -> Result<StatusCode, Refused> {
    let latency: Latency = parse(&body)?;
    simulator.set_latency(Duration::from_millis(latency.ms));
    Ok(StatusCode::NO_CONTENT)
}

/// A refused request: a status and the reason, with what would be allowed.
struct Refused(StatusCode, String);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::UnknownSchool(_)
            | Error::UnknownEmployee(_)
            | Error::UnknownClass(_)
            | Error::UnknownSubject(_) => StatusCode::NOT_FOUND,
            Error::NobodyFits(_) | Error::NothingFits(_) => StatusCode::CONFLICT,
            Error::UnknownMis(_)
            | Error::UnknownScenario(_)
            | Error::MissingSetting { .. }
            | Error::BadFault(_) => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"message": self.1}))).into_response()
    }
}

/// Reads a body whatever its content type is, so that a plain `curl -d` works.
fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| {
        Refused(StatusCode::BAD_REQUEST, format!("the body is not understood: {error}"))
    })
}
