use std::num::NonZeroU8;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

/// How the client talks to Wonde. Every field has a default. Durations are whole milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ClientConfig {
    /// Root of the API, including the version. A school may have its own, because regions have
    /// their own domains.
    pub base_url: Url,
    /// The longest wait for a TCP and TLS connection.
    pub connect_timeout_ms: u64,
    /// The longest time for one request, from connecting to the last byte of the body.
    pub request_timeout_ms: u64,
    /// `per_page` of list requests.
    pub page_size: u32,
    /// The most requests of one [`SchoolClient`](crate::SchoolClient) and its clones in flight,
    /// over all lists.
    pub parallel_requests: NonZeroU8,
    /// The largest body, after decompression.
    pub max_body_bytes: usize,
    /// How many times one request is tried in all.
    pub max_tries: u32,
    /// No wait before another try ends later than this after the first try began.
    pub max_retry_elapsed_ms: u64,
    /// Upper bound of the first wait. It doubles with each try.
    pub initial_backoff_ms: u64,
    /// Upper bound of every later wait.
    pub max_backoff_ms: u64,
    /// A longer `Retry-After` is not waited for: the error goes to the caller with it.
    pub max_retry_after_ms: u64,
    /// How long after a 401 the school's own record is requested, to tell a refused token from a
    /// temporary fault.
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
            // A page of 200 employees is about 0.4 MB. Photos need the room.
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
