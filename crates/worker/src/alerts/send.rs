//! Sends a message as Standard Webhooks has it: <https://www.standardwebhooks.com>.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use mis_sync_queue::RetryPolicy;
use mis_sync_store::{
    Error,
    alerts::{self, AlertMessage},
};
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::AlertReceiver;
use crate::Context;

/// The longest that a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Nobody else takes a message that is being sent.
const LEASE: Duration = Duration::from_mins(1);
/// After so long nobody wants the news any more.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// What signs messages: 24 to 64 random bytes, written as `whsec_` and their base64.
pub struct AlertSecret(hmac::Key);

/// A text that is no secret of Standard Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a webhook secret is `whsec_` and the base64 of 24 to 64 bytes, as \
     `echo whsec_$(openssl rand -base64 32)` makes it"
)]
pub struct InvalidAlertSecret;

impl AlertSecret {
    /// Reads a secret.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidAlertSecret> {
        let base64 =
            text.expose_secret().trim().strip_prefix("whsec_").ok_or(InvalidAlertSecret)?;
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidAlertSecret)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(InvalidAlertSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The header `webhook-signature` of a message that is sent at `timestamp`, in seconds since
    /// 1970.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

impl fmt::Debug for AlertSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlertSecret(..)")
    }
}

/// How one attempt went.
enum Sent {
    Arrived(u16),
    Failed {
        status: Option<u16>,
        problem: &'static str,
    },
    /// 410: the receiver wants no more of it.
    Gone(u16),
}

pub(super) struct Sender {
    http: Client,
    receiver: Arc<AlertReceiver>,
}

impl Sender {
    pub(super) fn new(receiver: &Arc<AlertReceiver>) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .timeout(TIMEOUT)
            // A redirect could take the message anywhere.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("mis-sync/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, receiver: Arc::clone(receiver) })
    }

    pub(super) async fn send_due(
        &self,
        context: &Context,
        retry: RetryPolicy,
    ) -> Result<(), Error> {
        let pool = context.queue.pool();
        while let Some(message) = alerts::take_message(pool, LEASE).await? {
            let now = context.clock.now();
            match self.send(&message, now.timestamp()).await {
                Sent::Arrived(status) => alerts::deliver(pool, &message, status).await?,
                Sent::Gone(status) => {
                    alerts::give_up(pool, &message, Some(status), "gone").await?;
                }
                Sent::Failed { status, problem } if now - message.created_at > GIVE_UP_AFTER => {
                    tracing::error!(alert.message = %message.id, problem, "an alert was given up");
                    alerts::give_up(pool, &message, status, problem).await?;
                }
                Sent::Failed { status, problem } => {
                    tracing::warn!(alert.message = %message.id, problem, "an alert did not arrive");
                    let wait = retry.wait(u16::try_from(message.attempt).unwrap_or(u16::MAX));
                    alerts::note_failure(pool, &message, status, problem, wait).await?;
                }
            }
        }
        Ok(())
    }

    async fn send(&self, message: &AlertMessage, timestamp: i64) -> Sent {
        let id = format!("msg_{}", message.id.simple());
        let request = self
            .http
            .post(self.receiver.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-signature", self.receiver.secret.sign(&id, timestamp, &message.body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(message.body.clone());
        // What the receiver says beyond its status is not read.
        match request.send().await.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => Sent::Arrived(status.as_u16()),
            Ok(StatusCode::GONE) => Sent::Gone(StatusCode::GONE.as_u16()),
            Ok(status) => Sent::Failed { status: Some(status.as_u16()), problem: "status" },
            Err(error) if error.is_timeout() => Sent::Failed { status: None, problem: "timeout" },
            Err(_) => Sent::Failed { status: None, problem: "connection" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // What the tests of the reference libraries expect.
        let secret = AlertSecret::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_prefix_and_enough_bytes() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [of(24), of(64), format!(" {}\n", of(32))] {
            assert!(AlertSecret::parse(&good.clone().into()).is_ok(), "{good}");
        }
        for bad in [String::new(), of(23), of(65), "whsec_!".into(), STANDARD.encode([7; 32])] {
            assert!(AlertSecret::parse(&bad.clone().into()).is_err(), "{bad}");
        }
    }
}
