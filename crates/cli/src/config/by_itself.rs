//! What runs in the background: schedules, webhooks from Wonde, alerts, traces.

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use mis_sync_api::WebhookSecrets;
use mis_sync_domain::AllowedHosts;
use mis_sync_store::{SigningSecret, retention::Retention};
use mis_sync_telemetry::traces::TraceOptions;
use mis_sync_worker::{AlertOptions, Receiver, RetentionOptions, SchedulerOptions};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::{VERSION, exit::Failure};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scheduler {
    pub(crate) enabled: bool,
    every_seconds: NonZeroU32,
    max_unfinished: NonZeroU32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhooks {
    wonde_secret: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alerts {
    stale_hours: NonZeroU16,
    every_seconds: NonZeroU32,
    url: SecretString,
    secret: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Callbacks {
    url: SecretString,
    secret: SecretString,
    allowed_hosts: Vec<String>,
    allow_loopback: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetentionDays {
    refresh_days: u32,
    sync_days: u32,
    webhook_event_days: u32,
    approval_days: u32,
    alert_days: u32,
    idempotency_key_days: u32,
    every_seconds: NonZeroU32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Traces {
    endpoint: SecretString,
    sample_ratio: f64,
    service_name: String,
}

impl Traces {
    /// Where spans go; `None` if nothing is traced.
    pub(crate) fn options(&self) -> Result<Option<TraceOptions>, Failure> {
        let endpoint = self.endpoint.expose_secret();
        if endpoint.is_empty() {
            return Ok(None);
        }
        let is_http = |url: &Url| matches!(url.scheme(), "http" | "https");
        if !Url::parse(endpoint).as_ref().is_ok_and(is_http) {
            return Err(Failure::usage(
                "traces.endpoint holds something else. Wanted: an address with http:// or https://",
            ));
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            let found = self.sample_ratio;
            return Err(Failure::usage(format!(
                "traces.sample_ratio: found {found}, wanted 0 to 1"
            )));
        }
        Ok(Some(TraceOptions {
            endpoint: endpoint.to_owned(),
            sample_ratio: self.sample_ratio,
            service_name: self.service_name.clone(),
            version: VERSION,
        }))
    }
}

impl RetentionDays {
    /// How long old rows are kept.
    pub(crate) fn options(&self) -> RetentionOptions {
        let days = |days: u32| (days > 0).then(|| TimeDelta::days(days.into()));
        RetentionOptions {
            keep: Retention {
                refreshes: days(self.refresh_days),
                syncs: days(self.sync_days),
                webhook_events: days(self.webhook_event_days),
                approvals: days(self.approval_days),
                alerts: days(self.alert_days),
                idempotency_keys: days(self.idempotency_key_days),
            },
            every: Duration::from_secs(self.every_seconds.get().into()),
        }
    }
}

impl Scheduler {
    /// How schedules are served.
    pub(crate) fn options(&self) -> SchedulerOptions {
        SchedulerOptions {
            enabled: self.enabled,
            every: Duration::from_secs(self.every_seconds.get().into()),
            max_unfinished: self.max_unfinished.get() as usize,
        }
    }
}

impl Webhooks {
    /// The secrets that authenticate Wonde's webhooks.
    pub(crate) fn wonde_secrets(&self) -> Result<WebhookSecrets, Failure> {
        WebhookSecrets::parse(&self.wonde_secret).map_err(|error| {
            Failure::usage(format!("webhooks.wonde_secret holds something else. Wanted: {error}"))
        })
    }
}

impl Alerts {
    /// After how long without a good sync a school is stale.
    pub(crate) fn stale_after(&self) -> TimeDelta {
        TimeDelta::hours(self.stale_hours.get().into())
    }

    /// Which conditions raise alerts.
    pub(crate) fn options(&self) -> AlertOptions {
        AlertOptions {
            stale_after: self.stale_after(),
            every: Duration::from_secs(self.every_seconds.get().into()),
        }
    }

    /// Where alerts are sent; `None` if they are only recorded.
    pub(crate) fn receiver(&self) -> Result<Option<Arc<Receiver>>, Failure> {
        Ok(receiver("alerts", &self.url, &self.secret)?.map(Arc::new))
    }
}

impl Callbacks {
    /// The hosts that schools' own receivers may have.
    pub(crate) fn hosts(&self) -> Result<Arc<AllowedHosts>, Failure> {
        let hosts = AllowedHosts::new(&self.allowed_hosts, self.allow_loopback);
        let hosts =
            hosts.map_err(|error| Failure::usage(format!("callbacks.allowed_hosts: {error}")))?;
        Ok(Arc::new(hosts))
    }

    /// Where messages about jobs are sent.
    pub(crate) fn receivers(
        &self,
        hosts: Arc<AllowedHosts>,
    ) -> Result<Arc<mis_sync_worker::Callbacks>, Failure> {
        let installation = receiver("callbacks", &self.url, &self.secret)?;
        let receivers = mis_sync_worker::Callbacks::new(installation, hosts);
        Ok(Arc::new(receivers.map_err(|error| cannot_send("callbacks", &error))?))
    }
}

/// The receiver in a section; `None` if it has no address.
fn receiver(
    section: &str,
    url: &SecretString,
    secret: &SecretString,
) -> Result<Option<Receiver>, Failure> {
    if url.expose_secret().is_empty() {
        return Ok(None);
    }
    let url = read_url(section, url.expose_secret())?;
    let secret = SigningSecret::parse(secret).map_err(|error| {
        let problem = match secret.expose_secret() {
            "" => format!("is not set, and {section}.url is"),
            _ => "holds something else".to_owned(),
        };
        Failure::usage(format!("{section}.secret {problem}. Wanted: {error}"))
    })?;
    let receiver = Receiver::new(url, secret);
    Ok(Some(receiver.map_err(|error| cannot_send(section, &error))?))
}

fn cannot_send(section: &str, error: &dyn std::error::Error) -> Failure {
    Failure::work(format!("{section} cannot be sent: {error}"))
}

/// The address of a receiver. It is not shown, because it may contain a key.
fn read_url(section: &str, text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        Failure::usage(format!(
            "{section}.url holds something else. Wanted: an address with https:// (or http://)"
        ))
    })
}
