use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use mis_sync_queue::RateLimiter;
use mis_sync_wonde::{LimitKey, RateLimit, Throttled};

/// The limit that all processes share, in the form that the Wonde client needs.
#[derive(Debug, Clone)]
pub struct SharedRateLimit(pub RateLimiter);

impl RateLimit for SharedRateLimit {
    fn acquire<'a>(&'a self, key: &'a LimitKey) -> BoxFuture<'a, Result<(), Throttled>> {
        async move {
            let acquired = self.0.acquire_as(key.as_str(), key.label().unwrap_or_default()).await;
            acquired.map_err(|retry_after| Throttled { retry_after })
        }
        .boxed()
    }

    fn pause<'a>(&'a self, key: &'a LimitKey, pause: Duration) -> BoxFuture<'a, ()> {
        self.0.pause_as(key.as_str(), key.label().unwrap_or_default(), pause).boxed()
    }
}
