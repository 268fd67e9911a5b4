//! `GET /metrics`: figures in Prometheus' text format. There are only numbers: no school, no
//! person, and no label that a caller could invent.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::State,
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use mis_sync_store::figures::LedgerFigures;
use tokio::time::timeout;

use crate::ApiState;

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A ledger that takes longer than this counts as away; the other figures are still shown.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(2);
/// Upper ends of the buckets of request durations, in seconds.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Figures for Prometheus
///
/// From this process: how long requests took. From the ledger, and the same in every process: jobs,
/// attempts and waiting times. No key is needed, as for `/healthz`, because there are only numbers.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    security(()),
    responses((status = 200, description = "Prometheus' text format", body = String,
        content_type = "text/plain")),
)]
pub(crate) async fn get_metrics(State(state): State<ApiState>) -> Response {
    let mut page = Page::default();
    state.http_figures().write(&mut page);
    let ledger = match timeout(LEDGER_TIMEOUT, state.ledger_figures()).await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the ledger's figures are left out");
            None
        }
        Err(_) => {
            tracing::warn!("the ledger did not answer in time; its figures are left out");
            None
        }
    };
    let up = if ledger.is_some() { 1.0 } else { 0.0 };
    page.describe("mis_sync_ledger_up", "gauge", "Whether Postgres gave the ledger's figures.");
    page.sample("mis_sync_ledger_up", &[], up);
    if let Some(figures) = &ledger {
        write_ledger(&mut page, figures);
    }
    ([(CONTENT_TYPE, TEXT_FORMAT)], page.text).into_response()
}

fn write_ledger(page: &mut Page, figures: &LedgerFigures) {
    let name = "mis_sync_jobs";
    page.describe(name, "gauge", "Unfinished jobs.");
    for (kind, state, value) in &figures.unfinished {
        page.sample(name, &[("kind", kind.as_str()), ("state", state.as_str())], *value);
    }
    let name = "mis_sync_jobs_ended_last_hour";
    page.describe(name, "gauge", "Jobs asked for in the last hour that have ended.");
    for (kind, state, value) in &figures.ended {
        page.sample(name, &[("kind", kind.as_str()), ("state", state.as_str())], *value);
    }
    let name = "mis_sync_attempts_last_hour";
    let help = "Attempts at jobs asked for in the last hour, by how they ended.";
    page.describe(name, "gauge", help);
    for (outcome, value) in &figures.attempts {
        page.sample(name, &[("outcome", outcome)], *value);
    }
    let name = "mis_sync_oldest_queued_seconds";
    let help = "For how long the oldest queued job has waited; 0 if none does.";
    page.describe(name, "gauge", help);
    for (lane, value) in &figures.oldest_queued {
        page.sample(name, &[("lane", lane.as_str())], *value);
    }
    let name = "mis_sync_busy_workers";
    page.describe(name, "gauge", "Workers that hold a job.");
    page.sample(name, &[], figures.busy_workers);
}

/// Durations of the requests that this process answered.
#[derive(Debug, Default)]
pub(crate) struct HttpFigures(Mutex<BTreeMap<Series, Durations>>);

/// Requests that are counted together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Default)]
struct Durations {
    /// How many are in each of [`BUCKETS`] but not in the one before.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl HttpFigures {
    /// Counts a request; `route` is its pattern, never its path.
    pub(crate) fn count(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        elapsed: Duration,
    ) {
        let series =
            Series { route: route.to_owned(), method: known(method), status: status.as_u16() };
        let seconds = elapsed.as_secs_f64();
        // Nothing is half done if a holder of this lock panics.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let durations = all.entry(series).or_default();
        durations.count += 1;
        durations.seconds += seconds;
        let bucket = BUCKETS.iter().zip(&mut durations.buckets).find(|(end, _)| seconds <= **end);
        if let Some((_, count)) = bucket {
            *count += 1;
        }
    }

    fn write(&self, page: &mut Page) {
        let name = "mis_sync_http_request_duration_seconds";
        page.describe(name, "histogram", "How long requests took, by the pattern of their path.");
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (Series { route, method, status }, durations) in &*all {
            let status = status.to_string();
            let labels = [("method", *method), ("route", route), ("status", &status)];
            let mut below = 0;
            for (end, count) in BUCKETS.iter().zip(durations.buckets) {
                below += count;
                page.bucket(name, &labels, &end.to_string(), below);
            }
            page.bucket(name, &labels, "+Inf", durations.count);
            page.sample(&format!("{name}_sum"), &labels, durations.seconds);
            page.sample(&format!("{name}_count"), &labels, durations.count);
        }
    }
}

/// Callers may invent methods; each would be a separate series.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// The text that is being written. All labels are ours and need no escaping.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn describe(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn bucket(&mut self, name: &str, labels: &[(&str, &str)], end: &str, count: u64) {
        let labels = [labels, &[("le", end)]].concat();
        self.sample(&format!("{name}_bucket"), &labels, count);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.text.push_str(name);
        if !labels.is_empty() {
            let labels: Vec<_> =
                labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
            let _ = write!(self.text, "{{{}}}", labels.join(","));
        }
        let _ = writeln!(self.text, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_invented_methods_are_one_series() {
        let figures = HttpFigures::default();
        let count = |method: &Method, milliseconds| {
            let elapsed = Duration::from_millis(milliseconds);
            figures.count(method, "/v1/jobs/{job_id}", StatusCode::OK, elapsed);
        };
        for milliseconds in [1, 5, 30, 60_000] {
            count(&Method::GET, milliseconds);
        }
        for name in ["BREW", "STEEP"] {
            count(&Method::from_bytes(name.as_bytes()).unwrap(), 1);
        }
        let mut page = Page::default();
        figures.write(&mut page);
        let labels = r#"method="GET",route="/v1/jobs/{job_id}",status="200""#;
        let name = "mis_sync_http_request_duration_seconds";
        for line in [
            format!("{name}_bucket{{{labels},le=\"0.005\"}} 2"),
            format!("{name}_bucket{{{labels},le=\"0.05\"}} 3"),
            format!("{name}_bucket{{{labels},le=\"10\"}} 3"),
            format!("{name}_bucket{{{labels},le=\"+Inf\"}} 4"),
            format!("{name}_count{{{labels}}} 4"),
            format!("{name}_sum{{{labels}}} 60.036"),
        ] {
            assert!(page.text.contains(&line), "{line} is missing in {}", page.text);
        }
        assert_eq!(page.text.matches("_count{").count(), 2);
    }
}
