use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// The routes that load balancers and Prometheus ask every few seconds. They are in no trace.
pub const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Leaves out probes; a caller's choice comes before the ratio.
#[derive(Debug, Clone)]
pub(super) struct WithoutProbes(Sampler);

impl WithoutProbes {
    pub(super) fn new(ratio: f64) -> Self {
        Self(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio))))
    }
}

impl ShouldSample for WithoutProbes {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let is_probe = attributes.iter().any(|attribute| {
            attribute.key.as_str() == "http.route"
                && PROBES.contains(&attribute.value.as_str().as_ref())
        });
        if is_probe {
            return SamplingResult {
                decision: SamplingDecision::Drop,
                attributes: Vec::new(),
                trace_state: TraceState::NONE,
            };
        }
        self.0.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}
