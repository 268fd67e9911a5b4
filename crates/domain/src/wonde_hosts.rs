//! Where a school's Wonde token may be sent. Only this module decides: the API asks it before it
//! stores an address, the worker before it uses one, and the Wonde client before it connects to an
//! address that a name resolves to.

use std::net::IpAddr;

use url::Url;

use crate::{AllowedHosts, InvalidAllowedHost, RefusedAddress, allowed_hosts::plain};

/// The hosts that may be Wonde: the configured one, and those of a list.
#[derive(Debug, Clone)]
pub struct WondeHosts {
    configured: Url,
    others: AllowedHosts,
}

impl Default for WondeHosts {
    /// Wonde's own hosts.
    fn default() -> Self {
        let configured = Url::parse("https://api.wonde.com/v1.0").expect("the literal is a URL");
        Self::new(configured, &["*.wonde.com"], false).expect("the literal is a pattern")
    }
}

impl WondeHosts {
    /// The host of the configured address, and those of a list. `allow_loopback` is for
    /// development: it allows this machine as Wonde, over http and on any port.
    pub fn new<T: AsRef<str>>(
        configured: Url,
        allowed: &[T],
        allow_loopback: bool,
    ) -> Result<Self, InvalidAllowedHost> {
        Ok(Self { configured, others: AllowedHosts::new(allowed, allow_loopback)? })
    }

    /// The address of a school, if a token may be sent there.
    pub fn check(&self, address: &str) -> Result<Url, RefusedAddress> {
        let url = plain(address)?;
        if url.origin() == self.configured.origin() {
            return Ok(url);
        }
        self.others.check(url, "wonde.allowed_hosts")
    }

    /// Whether a connection to `host` may go to this address, which `host` is or resolves to.
    pub fn may_connect(&self, host: &str, address: IpAddr) -> bool {
        self.configured.host_str() == Some(host) || self.others.may_connect(host, address)
    }

    /// Scheme, host and port for a school with this address of its own; `None` for the configured
    /// one.
    pub fn origin(&self, address: Option<&str>) -> String {
        match address.map(Url::parse) {
            None => self.configured.origin().ascii_serialization(),
            Some(Ok(url)) => url.origin().ascii_serialization(),
            Some(Err(_)) => "(no address)".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
