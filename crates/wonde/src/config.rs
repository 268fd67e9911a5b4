use std::num::NonZeroU8;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// How the client talks to Wonde; every field has a default. Durations are whole milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// Root of the API, version included. A school may carry its own (regions have own domains).
    pub base_url: Url,
    /// Longest wait for a TCP and TLS connection.
    pub connect_timeout_ms: u64,
    /// Longest time for one request from connecting to the last byte of the body.
    pub request_timeout_ms: u64,
    /// `per_page` of list requests.
    pub page_size: u32,
    /// How many requests of one [`SchoolClient`](crate::SchoolClient) and its clones may be in
    /// flight at once, over all lists.
    pub parallel_requests: NonZeroU8,
    /// Largest body accepted, counted after decompression.
    pub max_body_bytes: usize,
    /// How often one request is tried in all, the first time included.
    pub max_tries: u32,
    /// No wait before a further try ends later than this after the first try began.
    pub max_retry_elapsed_ms: u64,
    /// Upper bound of the first wait; it doubles with each try.
    pub initial_backoff_ms: u64,
    /// Upper bound of every later wait.
    pub max_backoff_ms: u64,
    /// A `Retry-After` above this is not waited for: the error goes to the caller with it.
    pub max_retry_after_ms: u64,
    /// After a 401 the school's own record is asked for so much later, to tell a token that is
    /// refused from a fault that passes.
    pub second_look_ms: u64,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            base_url: Url::parse("https://api.wonde.com/v1.0").expect("the literal is a URL"),
            connect_timeout_ms: 5_000,
            request_timeout_ms: 30_000,
            page_size: 200,
            parallel_requests: const { NonZeroU8::new(4).unwrap() },
            // A page of 200 employees is about 0.4 MB; photos are the reason for the room.
            max_body_bytes: 32 * 1024 * 1024,
            max_tries: 4,
            max_retry_elapsed_ms: 30_000,
            initial_backoff_ms: 500,
            max_backoff_ms: 8_000,
            max_retry_after_ms: 10_000,
            second_look_ms: 1_000,
        }
    }
}

impl ClientConfig {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(crate) fn max_retry_elapsed(&self) -> Duration {
        Duration::from_millis(self.max_retry_elapsed_ms)
    }

    pub(crate) fn initial_backoff(&self) -> Duration {
        Duration::from_millis(self.initial_backoff_ms)
    }

    pub(crate) fn max_backoff(&self) -> Duration {
        Duration::from_millis(self.max_backoff_ms)
    }

    pub(crate) fn max_retry_after(&self) -> Duration {
        Duration::from_millis(self.max_retry_after_ms)
    }

    pub(crate) fn second_look(&self) -> Duration {
        Duration::from_millis(self.second_look_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_takes_its_default() {
        let config: ClientConfig = serde_json::from_str(r#"{"page_size": 50}"#).unwrap();
        assert_eq!(config.page_size, 50);
        assert_eq!(config.base_url.as_str(), "https://api.wonde.com/v1.0");
        assert_eq!(config.request_timeout(), Duration::from_secs(30));
    }
}
