//! The secret of a receiver of messages, as Standard Webhooks specifies it:
//! <https://www.standardwebhooks.com>.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The secret that signs messages: 24 to 64 random bytes, written as `whsec_` and their base64.
#[derive(Clone)]
pub struct SigningSecret(hmac::Key);

/// The text is not a secret of Standard Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is `whsec_` and the base64 of 24 to 64 bytes, as \
     `echo whsec_$(openssl rand -base64 32)` makes it"
)]
pub struct InvalidSigningSecret;

impl SigningSecret {
    /// Reads a secret.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidSigningSecret> {
        let base64 =
            text.expose_secret().trim().strip_prefix("whsec_").ok_or(InvalidSigningSecret)?;
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidSigningSecret)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(InvalidSigningSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The header `webhook-signature` of a message that is sent at `timestamp`, in seconds since
    /// 1970.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // The value that the tests of the reference libraries expect.
        let secret =
            SigningSecret::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_prefix_and_enough_bytes() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [of(24), of(64), format!(" {}\n", of(32))] {
            assert!(SigningSecret::parse(&good.clone().into()).is_ok(), "{good}");
        }
        for bad in [String::new(), of(23), of(65), "whsec_!".into(), STANDARD.encode([7; 32])] {
            assert!(SigningSecret::parse(&bad.clone().into()).is_err(), "{bad}");
        }
    }
}
