use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use mis_sync_queue::RateLimiter;
use mis_sync_wonde::{LimitKey, RateLimit, Throttled};

/// The limit that all processes share, as the Wonde client asks for it.
///
/// Every request passes the gate of its token, which lets through no more than the limit. A
/// request of a sync has to pass a narrower gate before: so however many syncs there are, the
/// difference of the two is left for the people who wait at the login.
#[derive(Debug, Clone)]
pub struct SharedRateLimit {
    everybody: RateLimiter,
    syncs: Option<RateLimiter>,
}

impl SharedRateLimit {
    /// For logins: the whole limit.
    pub fn of_logins(everybody: RateLimiter) -> Self {
        Self { everybody, syncs: None }
    }

    /// For syncs: never more of it than `syncs` lets through.
    pub fn of_syncs(everybody: RateLimiter, syncs: RateLimiter) -> Self {
        Self { everybody, syncs: Some(syncs) }
    }

    async fn pass(&self, key: &LimitKey) -> Result<(), Duration> {
        if let Some(syncs) = &self.syncs {
            syncs.acquire(&format!("syncs:{key}")).await?;
        }
        self.everybody.acquire_as(key.as_str(), key.label().unwrap_or_default()).await
    }
}

impl RateLimit for SharedRateLimit {
    fn acquire<'a>(&'a self, key: &'a LimitKey) -> BoxFuture<'a, Result<(), Throttled>> {
        async move {
            let passed = self.pass(key).await;
            passed.map_err(|retry_after| Throttled { retry_after })
        }
        .boxed()
    }

    fn pause<'a>(&'a self, key: &'a LimitKey, pause: Duration) -> BoxFuture<'a, ()> {
        self.everybody.pause_as(key.as_str(), key.label().unwrap_or_default(), pause).boxed()
    }
}
