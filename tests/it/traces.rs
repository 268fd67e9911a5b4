//! Traces, as a collector receives them over OTLP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use mis_sync_domain::SchoolId;
use mis_sync_testing::{Process, TestApp, TestAppOptions, eventually, http_client};
use mis_sync_wonde_sim::SimulatorOptions;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Attribute,
    trace::v1::Span,
};
use prost::Message;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use crate::{
    process::{MIS_SYNC, free_address},
    rows::texts,
};

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// What a collector has received.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Listens; returns its address for spans.
    async fn listen(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        endpoint
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().clone()
    }
}

async fn receive(State(collector): State<Collector>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|resource| {
        let attributes = resource.resource.unwrap().attributes;
        assert!(attributes.iter().any(|attribute| attribute.key == "service.name"));
        resource.scope_spans
    });
    collector.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
}

async fn app() -> (TestApp, SchoolId) {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 40, ..SimulatorOptions::default() },
        worker: false,
        ..TestAppOptions::default()
    })
    .await;
    let school = app.connect_school(0).await;
    (app, school)
}

fn start(app: &TestApp, listen: &str, endpoint: &str) -> Process {
    let traced = [("MIS_SYNC__API__LISTEN", listen), ("MIS_SYNC__TRACES__ENDPOINT", endpoint)];
    MIS_SYNC.start(app, &["serve", "--with-worker"], &traced)
}

/// Presses *Sync Data* with a `traceparent`, and waits for the end of the job.
async fn press(app: &TestApp, listen: &str, school: &SchoolId, traceparent: &str) {
    let url = format!("http://{listen}/v1/schools/{school}/sync");
    let job: serde_json::Value = eventually("the API answers", async || {
        let press = http_client().post(&url).bearer_auth(app.admin_key.expose_secret());
        press.header("traceparent", traceparent).send().await.ok()?.json().await.ok()
    })
    .await;
    let ended = app.wait_until_finished(job["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

#[tokio::test]
async fn one_trace_leads_from_the_press_to_each_page_and_statement() {
    let (app, school) = app().await;
    let (collector, listen) = (Collector::default(), free_address());
    let endpoint = collector.listen().await;
    let _process = start(&app, &listen, &endpoint);
    let probe = format!("http://{listen}/readyz");
    eventually("it is ready", async || http_client().get(&probe).send().await.ok()).await;
    press(&app, &listen, &school, &format!("00-{TRACE_ID}-b7ad6b7169203331-01")).await;

    let spans = eventually("the whole trace arrives", async || {
        let spans = collector.spans();
        let mine = spans.into_iter().filter(|span| hex(&span.trace_id) == TRACE_ID);
        let mine: Vec<Span> = mine.collect();
        let is_there = |name| mine.iter().any(|span: &Span| span.name == name);
        ["http.request", "job.run"].into_iter().all(is_there).then_some(mine)
    })
    .await;
    let by_id: HashMap<&[u8], &Span> =
        spans.iter().map(|span| (span.span_id.as_slice(), span)).collect();
    let only = |name: &str| {
        let named: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(named.len(), 1, "{name}");
        named[0]
    };
    let (request, job) = (only("http.request"), only("job.run"));
    assert_eq!(hex(&request.parent_span_id), "b7ad6b7169203331");
    assert_eq!(job.parent_span_id, request.span_id);
    let is_below = |span: &Span, above: &Span| {
        let parent = |span: &Span| by_id.get(span.parent_span_id.as_slice()).copied();
        let mut all = std::iter::successors(parent(span), |span| parent(span));
        all.any(|span| span.span_id == above.span_id)
    };
    let below_job =
        |name: &str| spans.iter().filter(|span| span.name == name && is_below(span, job)).count();
    // Forty people on pages of ten, and the other lists.
    assert!(below_job("wonde.request") >= 5, "{spans:#?}");
    assert!(below_job("db.statement") >= 10, "{spans:#?}");
    let statements = spans.iter().filter(|span| span.name == "db.statement");
    assert!(statements.clone().any(|span| is_below(span, request)), "the insert of the job");
    assert!(statements.clone().all(|span| text_of(span, "db.query.text").is_some()));

    let everything = format!("{:?}", collector.spans());
    assert!(!everything.contains("/readyz"), "probes are in no trace");
    let people = "SELECT email FROM staff UNION SELECT first_name || ' ' || surname FROM staff
        UNION SELECT name FROM school";
    let people = texts(&app, people).await;
    assert!(people.len() > 40);
    let token = app.simulated_school(0).token;
    for secret in people.iter().map(String::as_str).chain([token.as_str()]) {
        assert!(!everything.contains(secret), "`{secret}` is in a trace");
    }
    assert!(!everything.contains("per_page="), "an address with its query is in a trace");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text_of<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Attribute::StringValue(text) => Some(text.as_str()),
        _ => None,
    }
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_is_not_sent() {
    let (app, school) = app().await;
    let (collector, listen) = (Collector::default(), free_address());
    let endpoint = collector.listen().await;
    let _process = start(&app, &listen, &endpoint);
    press(&app, &listen, &school, &format!("00-{TRACE_ID}-b7ad6b7169203331-00")).await;
    // This one is recorded, so what came before would be there too.
    let recorded = TRACE_ID.replace('0', "1");
    press(&app, &listen, &school, &format!("00-{recorded}-b7ad6b7169203331-01")).await;
    eventually("the second trace arrives", async || {
        let is_it = |span: &Span| hex(&span.trace_id) == recorded && span.name == "job.run";
        collector.spans().iter().any(is_it).then_some(())
    })
    .await;
    assert!(collector.spans().iter().all(|span| hex(&span.trace_id) != TRACE_ID));
}

#[tokio::test]
async fn an_absent_collector_is_one_warning_and_holds_nothing_up() {
    let (app, school) = app().await;
    let (listen, nowhere) = (free_address(), free_address());
    let process = start(&app, &listen, &format!("http://{nowhere}/v1/traces"));
    let lost = "traces are not taken and are lost";
    for _ in 0..2 {
        press(&app, &listen, &school, &format!("00-{TRACE_ID}-b7ad6b7169203331-01")).await;
        eventually("the loss is told", async || process.printed().contains(lost).then_some(()))
            .await;
    }
    assert_eq!(process.printed().matches(lost).count(), 1, "{}", process.printed());
}
