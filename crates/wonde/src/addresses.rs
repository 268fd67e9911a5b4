//! Which addresses a connection may go to. A name is checked when it is resolved for the connection
//! that uses the answer, so a name that resolves differently the next time gains nothing.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Decides which addresses connections may go to. The rule itself is defined elsewhere.
pub trait AddressRule: Send + Sync + 'static {
    /// Whether to connect to `host`, which is `address` or resolves to it.
    fn may_connect(&self, host: &str, address: IpAddr) -> bool;
}

/// No rule at all, for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnyAddress;

impl AddressRule for AnyAddress {
    fn may_connect(&self, _host: &str, _address: IpAddr) -> bool {
        true
    }
}

/// A name that resolves only to refused addresses.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the host resolves to an address that is not allowed")]
pub(crate) struct RefusedAddress;

/// Whether `url` names its host by a refused address. Such a host is never resolved.
pub(crate) fn is_refused(rule: &dyn AddressRule, url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return false,
    };
    !rule.may_connect(url.host_str().unwrap_or_default(), address)
}

/// Resolves names as the system does, and leaves out refused addresses.
pub struct GuardedResolver(pub Arc<dyn AddressRule>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let is_allowed = |ip| rule.may_connect(name.as_str(), ip);
            let allowed: Vec<_> = found.into_iter().filter(|a| is_allowed(a.ip())).collect();
            if allowed.is_empty() {
                return Err(RefusedAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
