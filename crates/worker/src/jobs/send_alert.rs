//! Sends a message as specified by Standard Webhooks: <https://www.standardwebhooks.com>.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use mis_sync_domain::{JobFailure, SendAlert};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{alerts, jobs};
use mis_sync_telemetry::traces;
use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::Run;
use crate::{Context, SyncError};

/// The longest time that a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How often to check whether an earlier message has been sent.
const AFTER_ANOTHER: Duration = Duration::from_secs(2);
/// How often to check whether a receiver is configured.
const WITHOUT_RECEIVER: Duration = Duration::from_mins(1);

impl Run for SendAlert {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        let pool = context.queue.pool();
        if alerts::waits_for_another(pool, &self).await.map_err(SyncError::from)? {
            let wait = "The message that raised the alert has not been delivered yet.";
            return Err(JobError::Snooze(failure("alert_in_line", wait), AFTER_ANOTHER));
        }
        let Some(receiver) = &context.alert_receiver else {
            let wait = "No receiver is configured (`alerts.url`).";
            return Err(JobError::Snooze(failure("alert_not_sent", wait), WITHOUT_RECEIVER));
        };
        let sent = receiver.send(&self, context.clock.now().timestamp()).await;
        let failure = |detail: &str| failure("alert_not_taken", detail);
        match sent {
            Ok(status) if status.is_success() => {
                jobs::finish(pool, claimed.lease).await.map_err(SyncError::from)?;
                Ok(Done::Succeeded)
            }
            Ok(StatusCode::GONE) => Err(JobError::Fail(failure(
                "The receiver answered 410: it accepts no more messages.",
            ))),
            Ok(status) => {
                Err(JobError::Retry(failure(&format!("The receiver answered {status}."))))
            }
            Err(error) if error.is_timeout() => {
                Err(JobError::Retry(failure("The receiver did not answer in time.")))
            }
            Err(_) => Err(JobError::Retry(failure("The receiver could not be reached."))),
        }
    }
}

fn failure(code: &str, detail: &str) -> JobFailure {
    JobFailure {
        code: code.into(),
        title: "The alert's message was not delivered".into(),
        detail: detail.into(),
    }
}

/// Where alerts are sent.
#[derive(Debug)]
pub struct AlertReceiver {
    http: Client,
    url: Url,
    secret: AlertSecret,
}

impl AlertReceiver {
    /// Messages are posted to `url` and signed with `secret`.
    pub fn new(url: Url, secret: AlertSecret) -> Result<Self, reqwest::Error> {
        mis_sync_wonde::install_crypto_provider();
        let http = Client::builder()
            .timeout(TIMEOUT)
            // A redirect could take the message anywhere.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("mis-sync/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, url, secret })
    }

    /// Only the status of the answer is read.
    async fn send(&self, job: &SendAlert, timestamp: i64) -> Result<StatusCode, reqwest::Error> {
        let id = format!("msg_{}", job.message_id.simple());
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-signature", self.secret.sign(&id, timestamp, &job.body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(job.body.clone());
        // The receiver is ours, or a part of our operations, so it may join the trace.
        if let Some(traceparent) = traces::current() {
            request = request.header(traces::TRACEPARENT, traceparent);
        }
        Ok(request.send().await?.status())
    }
}

/// The secret that signs messages: 24 to 64 random bytes, written as `whsec_` and their base64.
pub struct AlertSecret(hmac::Key);

/// The text is not a secret of Standard Webhooks.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_example() {
        // The value that the tests of the reference libraries expect.
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
