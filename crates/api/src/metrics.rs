//! `GET /metrics`: figures in Prometheus' text format.

use std::{collections::HashMap, io, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use mis_sync_domain::AlertKind;
use mis_sync_queue::Queue;
use mis_sync_store::figures::LedgerFigures;
use mis_sync_telemetry::metrics::{self, NO_LABELS};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{ApiState, health, server::serve_router};

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A ledger that takes longer than this counts as away; the other figures are still shown.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(2);
/// Only Prometheus and people who look for a fault ask a worker.
const MAX_CONNECTIONS: usize = 16;

/// What the ledger says, and how many schools are in each condition now.
pub(crate) struct Ledger {
    pub(crate) figures: LedgerFigures,
    pub(crate) schools: HashMap<AlertKind, u32>,
}

/// Figures for Prometheus
///
/// Of this process: requests, connections, and the jobs if it runs any. From the ledger, and the same
/// in every process: jobs, workers, alerts and schools. `docs/metrics.md` lists all of them. No key is
/// needed, as for `/healthz`, because there are only numbers: no school, no person, and no text that a
/// caller could invent.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    security(()),
    responses((status = 200, description = "Prometheus' text format", body = String,
        content_type = "text/plain")),
)]
pub(crate) async fn get_metrics(State(state): State<ApiState>) -> Response {
    let ledger = match timeout(LEDGER_TIMEOUT, state.ledger()).await {
        Ok(Ok(ledger)) => Some(ledger),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the ledger's figures are left out");
            None
        }
        Err(_) => {
            tracing::warn!("the ledger did not answer in time; its figures are left out");
            None
        }
    };
    page(|| {
        state.observe_connections();
        metrics::LEDGER_UP.set(NO_LABELS, flag(ledger.is_some()));
        if let Some(ledger) = &ledger {
            show(ledger);
        }
    })
}

/// Serves `/metrics` of a worker, and `/healthz`, on `listener` until `stop`. It shows this process
/// only, and nothing of the ledger.
pub async fn serve_metrics(
    listener: TcpListener,
    queue: Queue,
    stop: CancellationToken,
) -> io::Result<()> {
    let metrics = async |State(queue): State<Queue>| page(|| queue.observe());
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health::get_liveness))
        .with_state(queue);
    serve_router(listener, router, MAX_CONNECTIONS, stop).await
}

fn page(read_now: impl FnOnce()) -> Response {
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics::page(read_now)).into_response()
}

fn show(ledger: &Ledger) {
    let figures = &ledger.figures;
    for (kind, state, jobs) in &figures.unfinished {
        metrics::JOBS.set([kind.as_str(), state.as_str()], *jobs);
    }
    for (lane, seconds) in &figures.oldest_queued {
        metrics::OLDEST_QUEUED.set([lane.as_str()], *seconds);
    }
    for (lane, is_paused) in &figures.paused {
        metrics::LANE_PAUSED.set([lane.as_str()], flag(*is_paused));
    }
    metrics::WORKERS.set(NO_LABELS, figures.workers);
    metrics::BUSY_WORKERS.set(NO_LABELS, figures.busy_workers);
    for (kind, alerts) in &figures.open_alerts {
        metrics::OPEN_ALERTS.set([kind.as_str()], *alerts);
    }
    metrics::SCHOOLS_CONNECTED.set(NO_LABELS, figures.connected_schools);
    for (gauge, condition) in [
        (&metrics::SCHOOLS_STALE, AlertKind::SyncStale),
        (&metrics::SCHOOLS_HELD, AlertKind::SyncHeld),
        (&metrics::SCHOOLS_FAILED, AlertKind::SyncFailed),
        (&metrics::SCHOOLS_TOKEN_REFUSED, AlertKind::TokenRejected),
    ] {
        let schools = ledger.schools.get(&condition).copied().unwrap_or_default();
        gauge.set(NO_LABELS, schools.into());
    }
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// Records a request; `route` is its pattern, never its path.
pub(crate) fn record(method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
    let labels = [known(method).to_owned(), route.to_owned(), status.as_str().to_owned()];
    metrics::HTTP_REQUEST_DURATION.record(labels, elapsed);
}

/// Callers may invent methods; each would be a separate series.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
