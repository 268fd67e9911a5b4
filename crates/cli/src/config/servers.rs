//! Where Postgres and Redis are.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use mis_sync_store::Address;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::exit::Failure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    url: SecretString,
    direct_url: SecretString,
    ca: PathBuf,
    pub(crate) max_connections: NonZeroU32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    url: SecretString,
    ca: PathBuf,
    pub(crate) prefix: String,
}

impl Database {
    /// The address as it is written.
    pub(crate) fn url(&self) -> Result<&str, Failure> {
        required("database.url", "DATABASE_URL", &self.url, POSTGRES)
    }

    pub(super) fn is_set(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }

    /// Where statements go.
    pub(crate) fn address(&self) -> Result<Address, Failure> {
        self.read("database.url", self.url()?)
    }

    /// Where what needs a session of its own goes: Postgres itself.
    pub(crate) fn direct_address(&self) -> Result<Address, Failure> {
        if self.direct_url.expose_secret().is_empty() {
            return self.address();
        }
        let (key, variable) = ("database.direct_url", "MIS_SYNC__DATABASE__DIRECT_URL");
        self.read(key, required(key, variable, &self.direct_url, POSTGRES)?)
    }

    fn read(&self, key: &str, url: &str) -> Result<Address, Failure> {
        let ca = roots("database.ca", &self.ca)?;
        Address::parse(url, ca.as_deref())
            .map_err(|error| Failure::usage(format!("{key}: {error}")))
    }
}

impl Redis {
    /// The address as it is written.
    pub(crate) fn url(&self) -> Result<&str, Failure> {
        required("redis.url", "REDIS_URL", &self.url, REDIS)
    }

    pub(super) fn is_set(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }

    /// Redis itself; nothing is sent yet.
    pub(crate) fn open(&self) -> Result<mis_sync_queue::Redis, Failure> {
        let roots = roots("redis.ca", &self.ca)?;
        mis_sync_queue::Redis::open_with_roots(self.url()?, &self.prefix, roots)
            .map_err(|error| Failure::usage(format!("redis.url: {error}")))
    }
}

const POSTGRES: &[&str] = &["postgres://", "postgresql://"];

const REDIS: &[&str] = &[
    "redis://",
    "rediss://",
    "redis+unix://",
    "unix://",
    "valkey://",
    "redis+sentinel://",
    "rediss+sentinel://",
    "redis+cluster://",
    "rediss+cluster://",
];

/// The certificates in a file (PEM); `None` if no file is named.
fn roots(key: &str, file: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if file.as_os_str().is_empty() {
        return Ok(None);
    }
    let name = file.display();
    let text = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("{key}: cannot read {name}: {error}")))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if !text.windows(marker.len()).any(|part| part == marker) {
        return Err(Failure::usage(format!("{key}: {name} holds no certificate in PEM form")));
    }
    Ok(Some(text))
}

/// A text that must be there and begin in one of some ways. Its value is never shown: an
/// address can hold a password.
fn required<'a>(
    key: &str,
    variable: &str,
    value: &'a SecretString,
    beginnings: &[&str],
) -> Result<&'a str, Failure> {
    let value = value.expose_secret();
    let wanted = beginnings.join(" or ");
    if value.is_empty() {
        return Err(Failure::usage(format!(
            "{key} is not set. Give it in a file or set {variable}; it begins with {wanted}"
        )));
    }
    if !beginnings.iter().any(|beginning| value.starts_with(beginning)) {
        return Err(Failure::usage(format!(
            "{key} (or {variable}): found an address that does not begin with {wanted}"
        )));
    }
    Ok(value)
}
