//! Values that are more than a text, with errors that say what was found and what was expected.

use std::net::SocketAddr;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected},
};
use url::Url;

pub(super) fn listen_address<'de, D: Deserializer<'de>>(value: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map_err(|_| {
        D::Error::invalid_value(Unexpected::Str(&text), &"address and port, like 127.0.0.1:8080")
    })
}

pub(super) fn http_address<'de, D: Deserializer<'de>>(value: D) -> Result<Url, D::Error> {
    let text = String::deserialize(value)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| {
        D::Error::invalid_value(Unexpected::Str(&text), &"an address with https:// (or http://)")
    })
}
