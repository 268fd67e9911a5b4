use std::{
    num::{NonZeroU8, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use mis_sync_domain::Clock;
use mis_sync_queue::RateLimit;
use mis_sync_store::retention::Retention;
use mis_sync_wonde::ClientConfig;
use mis_sync_wonde_sim::SimulatorOptions;
use mis_sync_worker::Receiver;

/// How a [`TestApp`](crate::TestApp) differs from the default.
#[derive(Debug, Clone)]
pub struct TestAppOptions {
    /// The simulated schools.
    pub simulator: SimulatorOptions,
    /// Run a worker inside the test's process.
    pub worker: bool,
    /// How long a claim lasts without a heartbeat.
    pub lease: Duration,
    /// How long running jobs may take to finish after a request to stop.
    pub drain: Duration,
    /// Requests to Wonde per second.
    pub rate_per_second: u32,
    /// Records per page that the Wonde client asks for.
    pub page_size: u32,
    /// The most requests that one sync has in flight.
    pub parallel_requests: NonZeroU8,
    /// The clock of the worker.
    pub clock: Clock,
    /// Whether the worker runs the schools' schedules.
    pub scheduler: bool,
    /// Where the worker sends alerts.
    pub alert_receiver: Option<Arc<Receiver>>,
    /// The installation's receiver of callbacks.
    pub callback_receiver: Option<Receiver>,
    /// How long the fetch of one person may take.
    pub refresh_timeout: Duration,
    /// How long before a refused token is tried again.
    pub token_probe_after: Duration,
    /// How long old rows are kept; by default for ever.
    pub retention: Retention,
}

impl Default for TestAppOptions {
    /// Eleven schools with forty staff each, a worker, and short waits.
    fn default() -> Self {
        Self {
            simulator: SimulatorOptions::default(),
            worker: true,
            lease: Duration::from_secs(30),
            drain: Duration::from_secs(30),
            rate_per_second: 10_000,
            page_size: 10,
            parallel_requests: ClientConfig::default().parallel_requests,
            clock: Clock::system(),
            // A test that runs at night must not be surprised by a sync.
            scheduler: false,
            alert_receiver: None,
            callback_receiver: None,
            refresh_timeout: Duration::from_secs(30),
            token_probe_after: Duration::from_hours(1),
            retention: Retention::default(),
        }
    }
}

impl TestAppOptions {
    pub(crate) fn rate_limit(&self) -> RateLimit {
        let per_second = NonZeroU32::new(self.rate_per_second).expect("some requests go out");
        RateLimit { per_second, kept_for_logins: 0, longest_wait: Duration::from_secs(10) }
    }
}
