use std::{fmt, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use mis_sync_queue::Queue;
use mis_sync_store::{Pool, TokenCipher};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use url::form_urlencoded;

use super::ApiState;
use crate::ApiError;

/// The secrets that authenticate Wonde's webhooks; several while one replaces another. They are
/// stored as hashes of one length, so that every comparison takes the same time.
#[derive(Clone, Default)]
pub struct WebhookSecrets(Arc<[[u8; 32]]>);

/// The text is not a webhook secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is 16 to 200 letters, digits or any of `-._~+/=`; `openssl rand -hex 32` \
     makes one"
)]
pub struct InvalidWebhookSecret;

impl WebhookSecrets {
    /// Takes one or more secrets, separated by commas; none from an empty text.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidWebhookSecret> {
        let text = text.expose_secret().trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let secrets = text.split(',').map(str::trim).map(|secret| {
            let may_be = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
            let is_secret = (16..=200).contains(&secret.len()) && secret.bytes().all(may_be);
            is_secret.then(|| hash(secret)).ok_or(InvalidWebhookSecret)
        });
        Ok(Self(secrets.collect::<Result<_, _>>()?))
    }

    fn are_there(&self) -> bool {
        !self.0.is_empty()
    }

    /// Compares every secret, so that the time does not show which one matched either.
    fn know(&self, guess: &str) -> bool {
        let guess = hash(guess);
        let known =
            self.0.iter().fold(Choice::from(0), |known, secret| known | secret.ct_eq(&guess));
        known.into()
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecrets({})", self.0.len())
    }
}

fn hash(secret: &str) -> [u8; 32] {
    digest(&SHA256, secret.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// A caller who knows a webhook secret, and what it may use: database and cipher, to put an event
/// in the inbox.
pub(crate) struct WebhookSender {
    state: ApiState,
}

impl WebhookSender {
    /// The database.
    pub(crate) fn pool(&self) -> &Pool {
        self.state.queue.pool()
    }

    /// The queue.
    pub(crate) fn queue(&self) -> &Queue {
        &self.state.queue
    }

    /// Encrypts tokens.
    pub(crate) fn cipher(&self) -> &TokenCipher {
        &self.state.cipher
    }
}

impl FromRequestParts<ApiState> for WebhookSender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let secrets = &state.webhook_secrets;
        if !secrets.are_there() {
            return Err(ApiError::WebhooksOff);
        }
        let guess = guess(parts.uri.query().unwrap_or_default());
        let guess = guess.ok_or(ApiError::WebhookSecretMissing)?;
        if secrets.know(&guess) {
            Ok(Self { state: state.clone() })
        } else {
            Err(ApiError::WebhookSecretWrong)
        }
    }
}

/// The secret in a query; two count as none. A `+` in an address means a space, which no secret
/// contains: if a secret with a `+` was configured at Wonde, the `+` is meant.
fn guess(query: &str) -> Option<String> {
    let mut secrets = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "secret");
    let (_, secret) = secrets.next()?;
    secrets.next().is_none().then(|| secret.replace(' ', "+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Result<WebhookSecrets, InvalidWebhookSecret> {
        WebhookSecrets::parse(&text.into())
    }

    #[test]
    fn several_secrets_are_known_and_nothing_else() {
        let both = secrets("first-secret-of-ours, c2Vjb25k+c2Vjb25k/c2Vj==").unwrap();
        assert!(both.know("first-secret-of-ours") && both.know("c2Vjb25k+c2Vjb25k/c2Vj=="));
        for wrong in ["", "first-secret-of-our", "first-secret-of-ours,", "x"] {
            assert!(!both.know(wrong), "{wrong}");
        }
        assert!(!secrets(" ").unwrap().are_there());
        assert!(!format!("{both:?}").contains("first"));
    }

    #[test]
    fn a_secret_is_long_and_fits_an_address() {
        let too_long = "x".repeat(201);
        for bad in ["short", "with a blank in it", "sixteen-letters&more", &too_long, "a,b", ","] {
            assert!(secrets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_plus_in_the_query_is_a_plus() {
        assert_eq!(guess("a=1&secret=ab+c%2Bd%2F").as_deref(), Some("ab+c+d/"));
        assert_eq!(guess("secret=a&secret=a"), None);
        assert_eq!(guess("Secret=a"), None);
    }
}
