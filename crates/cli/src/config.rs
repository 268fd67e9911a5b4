//! The configuration: `config/default.toml`, then a file, then the environment.

mod by_itself;
mod problem;
mod secrets;
mod servers;
mod text;

use std::{
    net::SocketAddr,
    num::{NonZeroU8, NonZeroU32},
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use mis_sync_domain::{LoginScope, MisTable, WondeHosts};
use mis_sync_queue::{RateLimit, RetryPolicy};
use mis_sync_store::TokenCipher;
use mis_sync_wonde::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::exit::Failure;
use by_itself::{Alerts, Callbacks, RetentionDays, Scheduler, Traces, Webhooks};
pub(crate) use servers::{Database, Redis};

/// The reference, compiled in.
const DEFAULT: &str = include_str!("../../../config/default.toml");

/// The whole configuration. A section is checked by the command that needs it, so that a command
/// requires nothing that it does not use.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub(crate) database: Database,
    pub(crate) redis: Redis,
    pub(crate) api: Api,
    pub(crate) dashboard: Dashboard,
    pub(crate) logins: Logins,
    pub(crate) encryption: Encryption,
    pub(crate) wonde: Wonde,
    pub(crate) worker: Worker,
    pub(crate) scheduler: Scheduler,
    pub(crate) retention: RetentionDays,
    pub(crate) webhooks: Webhooks,
    pub(crate) alerts: Alerts,
    pub(crate) callbacks: Callbacks,
    pub(crate) mis: Mis,
    pub(crate) traces: Traces,
    /// What is logged, and how.
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dashboard {
    pub(crate) environment: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logins {
    pub(crate) unique_within: LoginScope,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Api {
    #[serde(deserialize_with = "text::listen_address")]
    pub(crate) listen: SocketAddr,
    pub(crate) max_connections: NonZeroU32,
    pub(crate) requests_per_second_per_key: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryption {
    key: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wonde {
    #[serde(deserialize_with = "text::http_address")]
    base_url: Url,
    allowed_hosts: Vec<String>,
    allow_loopback: bool,
    rate_per_second: NonZeroU32,
    reserved_for_logins_percent: u32,
    page_size: NonZeroU32,
    parallel_requests: NonZeroU8,
    request_timeout_ms: u64,
    connect_timeout_ms: u64,
    max_body_bytes: usize,
    max_tries: NonZeroU32,
    max_retry_elapsed_ms: u64,
    initial_backoff_ms: u64,
    max_backoff_ms: u64,
    max_retry_after_ms: u64,
    second_look_ms: u64,
    rejected_token_probe_minutes: NonZeroU32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Worker {
    pub(crate) concurrency: NonZeroU32,
    pub(crate) interactive_concurrency: NonZeroU32,
    refresh_timeout_ms: u64,
    refresh_probe_seconds: u64,
    lease_seconds: u64,
    #[serde(deserialize_with = "text::optional_listen_address")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    drain_seconds: u64,
    retry_base_seconds: u64,
    retry_max_seconds: u64,
    staged_pages_max_age_seconds: u64,
    delta_overlap_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mis {
    table: PathBuf,
}

/// What is logged, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Auto,
    Text,
    Json,
}

impl Config {
    /// Reads the configuration; what is wrong is said with its key, what was found, and what
    /// is wanted.
    pub fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let mut figment = Figment::from(Toml::string(DEFAULT));
        if let Some(file) = file {
            Self::check_file(file)?;
            figment = figment.merge(Toml::file_exact(file));
        }
        let others = Env::prefixed("MIS_SYNC__").filter(|name| !secrets::has(name.as_str()));
        figment = figment.merge(others.split("__"));
        for (key, value) in secrets::read()? {
            figment = figment.merge((key, value));
        }
        extract(&figment)
    }

    /// Refuses a file that is not there.
    pub fn check_file(file: &Path) -> Result<(), Failure> {
        if file.is_file() {
            return Ok(());
        }
        Err(Failure::usage(format!("--config: there is no file {}", file.display())))
    }

    /// The reference with changes on top, and nothing of the environment.
    pub fn built_in_with(change: impl FnOnce(Figment) -> Figment) -> Result<Self, Failure> {
        extract(&change(Figment::from(Toml::string(DEFAULT))))
    }

    /// Addresses of Postgres and Redis for commands that otherwise start servers of their own, where
    /// the environment names both; `None` where it names neither.
    pub fn own_servers() -> Result<Option<(String, String)>, Failure> {
        let config = Self::load(None)?;
        let only = |set, missing| {
            Err(Failure::usage(format!(
                "{set} is set and {missing} is not. Set both to use your own servers, or unset \
                 {set} to have private ones started"
            )))
        };
        match (config.database.is_set(), config.redis.is_set()) {
            (false, false) => Ok(None),
            (true, false) => only("DATABASE_URL", "REDIS_URL"),
            (false, true) => only("REDIS_URL", "DATABASE_URL"),
            (true, true) => {
                Ok(Some((config.database.url()?.to_owned(), config.redis.url()?.to_owned())))
            }
        }
    }
}

fn extract(figment: &Figment) -> Result<Config, Failure> {
    figment.extract().map_err(|error| Failure::usage(problem::describe(&error)))
}

impl Encryption {
    /// What seals the schools' tokens.
    pub(crate) fn cipher(&self) -> Result<TokenCipher, Failure> {
        let problem = if self.key.expose_secret().is_empty() {
            "is not set (MIS_SYNC__ENCRYPTION__KEY)"
        } else {
            match TokenCipher::from_hex(&self.key) {
                Ok(cipher) => return Ok(cipher),
                Err(_) => "holds something else",
            }
        };
        Err(Failure::usage(format!(
            "encryption.key {problem}. Wanted: 64 hexadecimal digits, as `openssl rand -hex 32` \
             makes them"
        )))
    }
}

impl Wonde {
    /// Where Wonde may be asked.
    pub(crate) fn hosts(&self) -> Result<WondeHosts, Failure> {
        WondeHosts::new(self.base_url.clone(), &self.allowed_hosts, self.allow_loopback)
            .map_err(|error| Failure::usage(format!("wonde.allowed_hosts: {error}")))
    }

    /// How the client talks to Wonde.
    pub(crate) fn client(&self) -> ClientConfig {
        ClientConfig {
            base_url: self.base_url.clone(),
            connect_timeout_ms: self.connect_timeout_ms,
            request_timeout_ms: self.request_timeout_ms,
            page_size: self.page_size.get(),
            parallel_requests: self.parallel_requests,
            max_body_bytes: self.max_body_bytes,
            max_tries: self.max_tries.get(),
            max_retry_elapsed_ms: self.max_retry_elapsed_ms,
            initial_backoff_ms: self.initial_backoff_ms,
            max_backoff_ms: self.max_backoff_ms,
            max_retry_after_ms: self.max_retry_after_ms,
            second_look_ms: self.second_look_ms,
        }
    }

    /// The same for logins: a request stops after `timeout` and is tried twice.
    pub(crate) fn client_at_login(&self, timeout: Duration) -> ClientConfig {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        ClientConfig {
            request_timeout_ms: self.request_timeout_ms.min(timeout_ms),
            connect_timeout_ms: self.connect_timeout_ms.min(timeout_ms),
            max_tries: self.max_tries.get().min(2),
            max_retry_elapsed_ms: self.max_retry_elapsed_ms.min(timeout_ms),
            initial_backoff_ms: self.initial_backoff_ms.min(100),
            max_retry_after_ms: self.max_retry_after_ms.min(timeout_ms),
            ..self.client()
        }
    }

    /// How long a refused token is left alone before it is tried again.
    pub(crate) fn token_probe_after(&self) -> Duration {
        Duration::from_mins(self.rejected_token_probe_minutes.get().into())
    }

    /// The limit as syncs see it, who leave logins their share.
    pub(crate) fn limit_of_syncs(&self) -> Result<RateLimit, Failure> {
        let kept = self.reserved_for_logins_percent;
        if kept > 90 {
            return Err(Failure::usage(format!(
                "wonde.reserved_for_logins_percent: found {kept}, wanted 0 to 90"
            )));
        }
        Ok(self.limit().keeping_percent(kept))
    }

    /// The limit for logins.
    pub(crate) fn limit_at_login(&self, timeout: Duration) -> RateLimit {
        RateLimit { longest_wait: timeout, ..self.limit() }
    }

    /// How fast each token may be used. A job that would wait longer than it would for a
    /// `Retry-After` is put off.
    pub(crate) fn limit(&self) -> RateLimit {
        RateLimit {
            per_second: self.rate_per_second,
            kept_for_logins: 0,
            longest_wait: Duration::from_millis(self.max_retry_after_ms),
        }
    }
}

impl Worker {
    /// How long a claim holds; at least a second, so that a heartbeat has time to come through.
    pub(crate) fn lease(&self) -> Result<Duration, Failure> {
        if self.lease_seconds == 0 {
            return Err(Failure::usage("worker.lease_seconds: found 0, wanted 1 or more"));
        }
        Ok(Duration::from_secs(self.lease_seconds))
    }

    /// How long the fetch of one person may take.
    pub(crate) fn refresh_timeout(&self) -> Duration {
        Duration::from_millis(self.refresh_timeout_ms)
    }

    /// How long the logins of a school do not ask a Wonde that failed one of them.
    pub(crate) fn probe_after(&self) -> Duration {
        Duration::from_secs(self.refresh_probe_seconds)
    }

    pub(crate) fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub(crate) fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            base: Duration::from_secs(self.retry_base_seconds),
            max: Duration::from_secs(self.retry_max_seconds),
        }
    }

    pub(crate) fn staged_pages_max_age(&self) -> Duration {
        Duration::from_secs(self.staged_pages_max_age_seconds)
    }

    pub(crate) fn delta_overlap(&self) -> Duration {
        Duration::from_secs(self.delta_overlap_seconds)
    }
}

impl Mis {
    /// The MIS that there are: those of the file, or those that are compiled in.
    pub(crate) fn table(&self) -> Result<MisTable, Failure> {
        if self.table.as_os_str().is_empty() {
            return Ok(MisTable::built_in());
        }
        let file = self.table.display();
        let text = std::fs::read_to_string(&self.table)
            .map_err(|error| Failure::usage(format!("mis.table: cannot read {file}: {error}")))?;
        MisTable::parse(&text)
            .map_err(|error| Failure::usage(format!("mis.table: {file}: {error}")))
    }
}

#[cfg(test)]
mod tests;
