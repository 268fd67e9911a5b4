//! The three types of metrics.

use metrics::{Key, KeyName, Label, Level, Metadata, SharedString, with_recorder};

/// The labels of a metric that has none.
pub const NO_LABELS: [&str; 0] = [];

/// Where a metric is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// It is read from the ledger, which all processes share.
    Ledger,
    /// Each process has its own.
    Process,
    Api,
    Worker,
}

/// What is known of a metric without recording anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
    pub(super) scope: Scope,
    /// Upper ends of a histogram's buckets.
    pub(super) buckets: &'static [f64],
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $type:ident = $kind:literal,)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $type<const LABELS: usize>(Description);

        impl<const LABELS: usize> $type<LABELS> {
            pub(super) const fn new(
                name: &'static str,
                labels: &'static [&'static str; LABELS],
                help: &'static str,
                scope: Scope,
                buckets: &'static [f64],
            ) -> Self {
                Self(Description { name, kind: $kind, labels, help, scope, buckets })
            }

            pub(super) const fn description(&'static self) -> &'static Description {
                &self.0
            }

            fn key<V: Into<SharedString>>(&self, values: [V; LABELS]) -> Key {
                let named = self.0.labels.iter().zip(values);
                let labels: Vec<Label> =
                    named.map(|(name, value)| Label::new(*name, value)).collect();
                Key::from_parts(KeyName::from(self.0.name), labels)
            }
        }
    )+};
}

kinds! {
    /// Counts what happens.
    Counter = "counter",
    /// What is now.
    Gauge = "gauge",
    /// How long something takes, in buckets of seconds.
    Histogram = "histogram",
}

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, None);

impl<const LABELS: usize> Counter<LABELS> {
    /// Adds to the count; 0 shows the series before anything happens.
    pub fn add<V: Into<SharedString>>(&self, labels: [V; LABELS], more: u64) {
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_counter(&key, &METADATA)).increment(more);
    }
}

impl<const LABELS: usize> Gauge<LABELS> {
    /// Sets the value.
    pub fn set<V: Into<SharedString>>(&self, labels: [V; LABELS], value: f64) {
        self.handle(labels).set(value);
    }

    /// Adds one until the result is dropped.
    pub fn hold<V: Into<SharedString>>(&self, labels: [V; LABELS]) -> InProgress {
        let gauge = self.handle(labels);
        gauge.increment(1.0);
        InProgress(gauge)
    }

    fn handle<V: Into<SharedString>>(&self, labels: [V; LABELS]) -> metrics::Gauge {
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
    }
}

impl<const LABELS: usize> Histogram<LABELS> {
    /// Records one duration.
    pub fn record<V: Into<SharedString>>(&self, labels: [V; LABELS], time: std::time::Duration) {
        let key = self.key(labels);
        with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)).record(time);
    }
}

/// One of what a gauge counts, until it is dropped.
#[must_use]
pub struct InProgress(metrics::Gauge);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
