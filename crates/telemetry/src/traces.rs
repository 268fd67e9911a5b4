//! Traces over OTLP: one from the request that asks for a job, through the queue, to each page of
//! Wonde and each statement.
//!
//! Spans and statements carry ids, names of ours, and SQL with placeholders. Log lines stay out of
//! traces. Nothing of a trace is sent to Wonde, which is not a part of this system.

mod collector;
mod probes;
mod statements;

use std::{collections::HashMap, time::Duration};

use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Metadata, Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use collector::Collector;
pub use probes::PROBES;
use probes::WithoutProbes;
use statements::{STATEMENTS, Statements};

/// The header, and the field in which a carrier has it.
pub const TRACEPARENT: &str = "traceparent";

/// How long the last spans may take to leave when the process ends.
const FLUSH: Duration = Duration::from_secs(3);

/// Where traces go, and which.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// The address for spans, to the end of its path.
    pub endpoint: String,
    /// The share of traces that are sent, from 0 to 1. The caller's choice comes first.
    pub sample_ratio: f64,
    pub service_name: String,
    pub version: &'static str,
}

/// The exporter of this process.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Spans are sent by `http` in the background. Work never waits for it, and what a collector does
    /// not take is dropped.
    pub fn new(
        options: TraceOptions,
        http: reqwest::Client,
        runtime: Handle,
    ) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(http, runtime))
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(options.endpoint)
            .build()?;
        let resource = Resource::builder_empty()
            .with_service_name(options.service_name)
            .with_attribute(KeyValue::new("service.version", options.version))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(WithoutProbes::new(options.sample_ratio))
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Takes the spans of our crates, and the driver's events about statements.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.0.tracer("mis-sync");
        let spans = tracing_opentelemetry::layer()
            .with_tracer(tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(up_to_debug(is_span));
        let statements = Statements::new(tracer)
            .with_filter(up_to_debug(|of| is_span(of) || of.target() == STATEMENTS));
        spans.and_then(statements)
    }

    /// Sends the last spans. It waits for a few seconds at the most.
    pub async fn finish(self) {
        let flushed = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH));
        if !matches!(flushed.await, Ok(Ok(()))) {
            tracing::debug!("the last spans were not taken");
        }
    }
}

fn up_to_debug(is_wanted: fn(&Metadata<'_>) -> bool) -> FilterFn<fn(&Metadata<'_>) -> bool> {
    FilterFn::new(is_wanted).with_max_level_hint(LevelFilter::DEBUG)
}

fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("mis_sync")
}

/// Makes a new span part of the trace that this `traceparent` names. An invalid one is ignored, and so
/// is any while traces are off.
pub fn continue_from(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    if parent.span().span_context().is_valid() {
        // It fails where no layer takes spans.
        let _ = span.set_parent(parent);
    }
}

/// The `traceparent` of the current span; `None` while traces are off.
pub fn current() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}
