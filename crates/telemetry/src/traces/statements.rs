//! The database driver tells of each statement in an event, when its answer has come. Here it becomes a
//! span.

use std::{
    fmt::Debug,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    KeyValue,
    trace::{Span, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::{
    Dispatch, Event, Subscriber,
    dispatcher::WeakDispatch,
    field::{Field, Visit},
};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The target of the driver's events.
pub(super) const STATEMENTS: &str = "sqlx::query";

pub(super) struct Statements {
    tracer: SdkTracer,
    dispatch: OnceLock<WeakDispatch>,
}

impl Statements {
    pub(super) fn new(tracer: SdkTracer) -> Self {
        Self { tracer, dispatch: OnceLock::new() }
    }
}

impl<S> Layer<S> for Statements
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let Some(dispatch) = self.dispatch.get().and_then(WeakDispatch::upgrade) else { return };
        let Some(parent) = get_otel_context(&span.id(), &dispatch) else { return };
        if !parent.span().span_context().is_sampled() {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let ended = SystemTime::now();
        let began = ended.checked_sub(statement.elapsed).unwrap_or(ended);
        let mut span = self
            .tracer
            .span_builder("db.statement")
            .with_kind(SpanKind::Client)
            .with_start_time(began)
            .with_attributes(statement.attributes())
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(ended);
    }
}

/// What the driver says of a statement. It does not say the values of its placeholders.
#[derive(Default)]
struct Statement {
    text: String,
    /// The first words of `text`, or all of it; then `text` is empty.
    summary: String,
    rows: u64,
    elapsed: Duration,
}

impl Statement {
    fn attributes(self) -> [KeyValue; 3] {
        let text = if self.text.is_empty() { self.summary } else { self.text };
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        [
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.query.text", text),
            KeyValue::new("db.response.returned_rows", rows),
        ]
    }
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "db.statement" => value.trim().clone_into(&mut self.text),
            "summary" => value.clone_into(&mut self.summary),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
