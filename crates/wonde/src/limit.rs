//! The hook for a rate limiter that several processes share. The limiter itself is elsewhere: this
//! crate knows neither Redis nor the limit.

use std::fmt;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use ring::digest;
use secrecy::{ExposeSecret as _, SecretString};

/// Grants the right to send requests, one at a time.
pub trait RateLimit: Send + Sync + 'static {
    /// Waits for the right to send one request. Fails at once if the wait would be too long.
    fn acquire<'a>(&'a self, key: &'a LimitKey) -> BoxFuture<'a, Result<(), Throttled>>;

    /// Wonde answered 429: no request should be sent under this key for that long.
    fn pause<'a>(&'a self, key: &'a LimitKey, pause: Duration) -> BoxFuture<'a, ()>;
}

/// The limiter refused, because the wait would be too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// When to ask again.
    pub retry_after: Duration,
}

/// No limit, for tests and single commands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl RateLimit for Unlimited {
    fn acquire<'a>(&'a self, _key: &'a LimitKey) -> BoxFuture<'a, Result<(), Throttled>> {
        std::future::ready(Ok(())).boxed()
    }

    fn pause<'a>(&'a self, _key: &'a LimitKey, _pause: Duration) -> BoxFuture<'a, ()> {
        std::future::ready(()).boxed()
    }
}

/// Requests that share a limit: all those with the same token. The key is 32 hex digits of the
/// token's SHA-256, so it may be logged and stored where the token may not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitKey {
    hash: String,
    label: Option<String>,
}

impl LimitKey {
    /// The key of all requests with `token`.
    pub fn of_token(token: &SecretString) -> Self {
        let hash = digest::digest(&digest::SHA256, token.expose_secret().as_bytes());
        Self { hash: hex::encode(&hash.as_ref()[..16]), label: None }
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.hash
    }

    /// The caller's name for the sender of these requests. It is not secret.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(crate) fn labelled(self, label: String) -> Self {
        Self { label: Some(label), ..self }
    }
}

impl fmt::Display for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_hash_and_differs_by_token() {
        let key = LimitKey::of_token(&SecretString::from("abc"));
        // The first half of the published SHA-256 test vector for "abc".
        assert_eq!(key.as_str(), "ba7816bf8f01cfea414140de5dae2223");
        assert_ne!(key, LimitKey::of_token(&SecretString::from("abd")));
    }
}
