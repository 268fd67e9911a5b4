//! The page in Prometheus' text format.

use std::{sync::OnceLock, time::Duration};

use metrics::{describe_counter, describe_gauge, describe_histogram, with_local_recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    kinds::{Description, NO_LABELS, Scope},
    list::{ALL, LOG_LINES, POOL_TIMEOUTS},
};

/// Recorded durations are put in their buckets this often, so that they do not pile up while
/// Prometheus does not ask.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDED: OnceLock<PrometheusHandle> = OnceLock::new();

/// Records the metrics of this process from now on. Before, nothing is recorded. A second call does
/// nothing.
///
/// # Panics
///
/// Outside a Tokio runtime.
pub fn start() {
    RECORDED.get_or_init(|| {
        let recorded = builder().install_recorder().expect("nothing else installs a recorder");
        metrics::with_recorder(describe);
        show_zeros();
        let kept = recorded.clone();
        tokio::spawn(async move {
            let mut tick = interval(UPKEEP);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                kept.run_upkeep();
            }
        });
        recorded
    });
}

/// A counter that is there from the beginning shows its first increase.
fn show_zeros() {
    POOL_TIMEOUTS.add(NO_LABELS, 0);
    for level in ["warn", "error"] {
        LOG_LINES.add([level], 0);
    }
}

/// The page: what was recorded, what the system says of this process, and what `read_now` sets.
/// Gauges that are set there exist on this page only, so a figure that could not be read is absent.
pub fn page(read_now: impl FnOnce()) -> String {
    let now = builder().build_recorder();
    describe(&now);
    with_local_recorder(&now, || {
        let process = Collector::default();
        process.describe();
        process.collect();
        read_now();
    });
    let recorded = RECORDED.get().map(PrometheusHandle::render).unwrap_or_default();
    recorded + &now.handle().render()
}

fn builder() -> PrometheusBuilder {
    ALL.iter().filter(|metric| !metric.buckets.is_empty()).fold(
        PrometheusBuilder::new(),
        |builder, metric| {
            let name = Matcher::Full(metric.name.to_owned());
            builder
                .set_buckets_for_metric(name, metric.buckets)
                .expect("there are buckets, each wider than the one before")
        },
    )
}

fn describe(recorder: &dyn metrics::Recorder) {
    with_local_recorder(recorder, || {
        for metric in ALL {
            let help = help(metric);
            match metric.kind {
                "counter" => describe_counter!(metric.name, help),
                "gauge" => describe_gauge!(metric.name, help),
                _ => describe_histogram!(metric.name, help),
            }
        }
    });
}

/// The meaning, and how to add up what several processes show.
fn help(metric: &Description) -> String {
    match metric.scope {
        Scope::Ledger => format!(
            "{} From the ledger, so each API process shows the same: use max, not sum.",
            metric.help
        ),
        Scope::Process | Scope::Api | Scope::Worker => metric.help.to_owned(),
    }
}
