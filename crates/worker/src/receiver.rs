//! Sends messages as specified by Standard Webhooks: <https://www.standardwebhooks.com>.

use std::{sync::Arc, time::Duration};

use mis_sync_domain::{AllowedHosts, JobFailure, RefusedAddress};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{SigningSecret, jobs};
use mis_sync_telemetry::traces;
use mis_sync_wonde::GuardedResolver;
use reqwest::{
    Client, ClientBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use url::Url;
use uuid::Uuid;

use crate::{Context, SyncError, addresses::ReceiverAddresses};

/// The longest time that a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Where messages are sent.
#[derive(Debug, Clone)]
pub struct Receiver {
    http: Client,
    url: Url,
    secret: SigningSecret,
}

impl Receiver {
    /// A receiver of the configuration. Messages are posted to `url` and signed with `secret`.
    pub fn new(url: Url, secret: SigningSecret) -> Result<Self, reqwest::Error> {
        Ok(Self { http: client().build()?, url, secret })
    }

    /// Sends the message of a claimed job, and ends the job if the receiver accepts it. `failure`
    /// makes the error of an attempt from what happened.
    pub(crate) async fn deliver(
        &self,
        context: &Context,
        claimed: &Claimed,
        (message_id, body): (Uuid, &str),
        failure: impl Fn(&str) -> JobFailure,
    ) -> Result<Done, JobError> {
        match self.send(message_id, body, context.clock.now().timestamp()).await {
            Ok(status) if status.is_success() => {
                let finished = jobs::finish(context.queue.pool(), claimed.lease).await;
                finished.map_err(SyncError::from)?;
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

    /// Only the status of the answer is read.
    async fn send(
        &self,
        message_id: Uuid,
        body: &str,
        timestamp: i64,
    ) -> Result<StatusCode, reqwest::Error> {
        let id = format!("msg_{}", message_id.simple());
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-signature", self.secret.sign(&id, timestamp, body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(body.to_owned());
        // A receiver is ours or the app, so it may join the trace.
        if let Some(traceparent) = traces::current() {
            request = request.header(traces::TRACEPARENT, traceparent);
        }
        Ok(request.send().await?.status())
    }
}

fn client() -> ClientBuilder {
    mis_sync_wonde::install_crypto_provider();
    Client::builder()
        .timeout(TIMEOUT)
        // A redirect could take the message anywhere.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("mis-sync/", env!("CARGO_PKG_VERSION")))
}

/// The receivers of messages about jobs.
#[derive(Debug)]
pub struct Callbacks {
    /// That of the configuration; `None` if there is none.
    pub installation: Option<Receiver>,
    /// The hosts that schools' own receivers may have.
    hosts: Arc<AllowedHosts>,
    /// Connects only to addresses that these hosts may have.
    guarded: Client,
}

impl Callbacks {
    pub fn new(
        installation: Option<Receiver>,
        hosts: Arc<AllowedHosts>,
    ) -> Result<Self, reqwest::Error> {
        let rule = Arc::new(ReceiverAddresses(Arc::clone(&hosts)));
        // A proxy would resolve the names itself.
        let guarded = client().dns_resolver(GuardedResolver(rule)).no_proxy().build()?;
        Ok(Self { installation, hosts, guarded })
    }

    /// A school's receiver. Its address may have been stored under other rules.
    pub(crate) fn of_school(
        &self,
        address: &str,
        secret: SigningSecret,
    ) -> Result<Receiver, RefusedAddress> {
        let url = self.hosts.check_receiver(address)?;
        Ok(Receiver { http: self.guarded.clone(), url, secret })
    }
}
