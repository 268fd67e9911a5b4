//! How many requests each API key may send, as `draft-ietf-httpapi-ratelimit-headers` tells it. Each
//! process counts for itself.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use mis_sync_domain::ApiKeyId;

use crate::ApiError;

/// So many seconds' worth of requests may come at once.
const BURST_SECONDS: u32 = 5;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

type Limiter =
    RateLimiter<ApiKeyId, HashMapStateStore<ApiKeyId>, DefaultClock, StateInformationMiddleware>;

/// The limit of every key.
pub(crate) struct KeyLimit {
    per_second: NonZeroU32,
    limiter: Limiter,
}

impl KeyLimit {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst(per_second));
        let limiter = RateLimiter::hashmap(quota).with_middleware();
        Self { per_second, limiter }
    }

    /// Counts a request of the key, or refuses it. Either way `told` learns what is left.
    pub(crate) fn spend(&self, key: ApiKeyId, told: Option<&Told>) -> Result<(), ApiError> {
        let left = self.limiter.check_key(&key);
        let remaining =
            left.as_ref().map_or(0, governor::middleware::StateSnapshot::remaining_burst_capacity);
        if let Some(Told(told)) = told {
            // A request is counted once.
            let _ = told.set(Left { per_second: self.per_second, remaining });
        }
        left.map(drop).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = u16::try_from(wait.as_secs() + 1).unwrap_or(u16::MAX);
            ApiError::TooManyRequests { per_second: self.per_second, seconds }
        })
    }
}

impl fmt::Debug for KeyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLimit").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

fn burst(per_second: NonZeroU32) -> NonZeroU32 {
    per_second.saturating_mul(NonZeroU32::new(BURST_SECONDS).expect("it is not 0"))
}

/// How the edge of a request learns what its key may still send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<OnceLock<Left>>);

#[derive(Debug)]
struct Left {
    per_second: NonZeroU32,
    remaining: u32,
}

impl Told {
    /// Adds the headers, if the request was counted.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Some(Left { per_second, remaining }) = self.0.get() else { return };
        let quota = burst(*per_second).get();
        let until_full = (quota - (*remaining).min(quota)).div_ceil(per_second.get());
        let text = |text: String| HeaderValue::from_str(&text).expect("numbers are ASCII");
        headers.insert(POLICY, text(format!("\"key\";q={quota};w={BURST_SECONDS}")));
        headers.insert(LIMIT, text(format!("\"key\";r={remaining};t={until_full}")));
    }
}
