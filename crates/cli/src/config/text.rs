//! Values that are more than a text, with errors that say what was found and what was expected.

use std::net::SocketAddr;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};
use url::Url;

pub(super) fn listen_address<'de, D: Deserializer<'de>>(value: D) -> Result<SocketAddr, D::Error> {
    parse_listen_address(&String::deserialize(value)?)
}

/// An empty text is no address.
pub(super) fn optional_listen_address<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(value)?;
    if text.is_empty() { Ok(None) } else { parse_listen_address(&text).map(Some) }
}

fn parse_listen_address<E: Error>(text: &str) -> Result<SocketAddr, E> {
    text.parse().map_err(|_| {
        E::invalid_value(Unexpected::Str(text), &"address and port, like 127.0.0.1:8080")
    })
}

pub(super) fn http_address<'de, D: Deserializer<'de>>(value: D) -> Result<Url, D::Error> {
    let text = String::deserialize(value)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        D::Error::invalid_value(Unexpected::Str(&text), &"an address with https:// (or http://)")
    })
}
