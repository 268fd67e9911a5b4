//! Which hosts an address may name, and which addresses such a host may resolve to.

mod public;

use std::net::IpAddr;

use url::{Host, Url};

/// A list of hosts. An address that names one of them begins with https, and has no port of its own.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
    allow_loopback: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// One name in full. Its owner decides where it resolves to, so that address may be private.
    Name(String),
    /// Every name that ends with this text, which begins with a dot.
    Below(String),
    /// One address, given directly or as what a name resolves to.
    Address(IpAddr),
}

/// The entry is not a name, a pattern or an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "found `{0}`, wanted a name like api.wonde.com, a pattern like *.wonde.com, or an address like 10.0.0.7"
)]
pub struct InvalidAllowedHost(String);

/// Why nothing may be sent to an address. The text follows the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// It is not an address, or is written in an unusual form.
    #[error(
        "has to be a plain https address in lower case, without a user, a query or a \
         fragment, like https://api.wonde.com/v1.0"
    )]
    NotPlain,
    /// Its scheme is not https, or it has its own port.
    #[error("has to begin with https:// and must not name a port")]
    NotHttps,
    /// The host is not on the list.
    #[error("names a host that is not allowed (see `{list}`)")]
    UnknownHost {
        /// The key of the configuration that has the list.
        list: &'static str,
    },
}

impl AllowedHosts {
    /// `allow_loopback` is for development: it allows this machine, over http and on any port.
    pub fn new<T: AsRef<str>>(
        entries: &[T],
        allow_loopback: bool,
    ) -> Result<Self, InvalidAllowedHost> {
        let entries = entries.iter().map(|entry| read_entry(entry.as_ref()));
        Ok(Self { entries: entries.collect::<Result<_, _>>()?, allow_loopback })
    }

    /// The address of a receiver of callbacks, if it may be one.
    pub fn check_receiver(&self, address: &str) -> Result<Url, RefusedAddress> {
        self.check(plain(address)?, "callbacks.allowed_hosts")
    }

    /// The address, if it names one of the hosts.
    pub(crate) fn check(&self, url: Url, list: &'static str) -> Result<Url, RefusedAddress> {
        let host = url.host().ok_or(RefusedAddress::NotPlain)?;
        if self.is_loopback(&host) {
            return Ok(url);
        }
        if url.scheme() != "https" || url.port().is_some() {
            return Err(RefusedAddress::NotHttps);
        }
        if self.entries.iter().any(|entry| entry.covers(&host)) {
            Ok(url)
        } else {
            Err(RefusedAddress::UnknownHost { list })
        }
    }

    /// Whether a connection to `host` may go to this address, which `host` is or resolves to.
    pub fn may_connect(&self, host: &str, address: IpAddr) -> bool {
        let is_trusted = self.entries.iter().any(|entry| match entry {
            Entry::Name(name) => name == host,
            Entry::Address(listed) => *listed == address,
            Entry::Below(_) => false,
        });
        let is_this_machine = self.allow_loopback
            && address.is_loopback()
            && (host == "localhost" || host.trim_matches(['[', ']']).parse() == Ok(address));
        is_trusted || is_this_machine || public::is_public(address)
    }

    fn is_loopback(&self, host: &Host<&str>) -> bool {
        self.allow_loopback
            && match host {
                Host::Domain(name) => *name == "localhost",
                Host::Ipv4(address) => address.is_loopback(),
                Host::Ipv6(address) => address.is_loopback(),
            }
    }
}

impl Entry {
    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Name(name), Host::Domain(host)) => name == host,
            (Self::Below(end), Host::Domain(host)) => {
                host.len() > end.len() && host.ends_with(end.as_str())
            }
            (Self::Address(address), Host::Ipv4(host)) => *address == IpAddr::V4(*host),
            (Self::Address(address), Host::Ipv6(host)) => *address == IpAddr::V6(*host),
            _ => false,
        }
    }
}

/// An address in the form that a URL parser writes. A host in capital letters, in another script, or
/// as a number is refused.
pub(crate) fn plain(text: &str) -> Result<Url, RefusedAddress> {
    let url = Url::parse(text).map_err(|_| RefusedAddress::NotPlain)?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.as_str().trim_end_matches('/') == text.trim_end_matches('/');
    is_plain.then_some(url).ok_or(RefusedAddress::NotPlain)
}

fn read_entry(entry: &str) -> Result<Entry, InvalidAllowedHost> {
    let invalid = || InvalidAllowedHost(entry.to_owned());
    // An IPv6 address may be in brackets, as in a URL.
    let inner = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = inner.unwrap_or(entry).parse() {
        return Ok(Entry::Address(address));
    }
    let name = entry.strip_prefix("*.").unwrap_or(entry);
    // `*.com` would allow almost anyone.
    let is_pattern = name != entry;
    if !is_name(name) || (is_pattern && !name.contains('.')) {
        return Err(invalid());
    }
    let name = name.to_owned();
    Ok(if is_pattern { Entry::Below(format!(".{name}")) } else { Entry::Name(name) })
}

/// A host name as a parsed address has it.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let ends_in_digits = name.rsplit('.').next().is_some_and(|end| end.parse::<u64>().is_ok());
    name.len() <= 253 && name.split('.').all(is_label) && !ends_in_digits
}
