//! A connection goes only to addresses that the caller's rule allows.

use std::net::IpAddr;
use std::sync::Arc;

use mis_sync_wonde::{AddressRule, Error, SchoolClient, Unlimited, WondeClient};
use secrecy::SecretString;
use url::Url;

use crate::fake::{Fake, TOKEN, config, id, json};

/// Refuses all connections to this machine.
struct NoLoopback;

impl AddressRule for NoLoopback {
    fn may_connect(&self, _host: &str, address: IpAddr) -> bool {
        !address.is_loopback()
    }
}

fn school(base: &Url) -> Result<SchoolClient, Error> {
    mis_sync_wonde::install_crypto_provider();
    let client = WondeClient::new(config(), Arc::new(Unlimited), Arc::new(NoLoopback)).unwrap();
    client.school(&id("A100"), &SecretString::from(TOKEN), Some(base))
}

#[tokio::test]
async fn a_name_that_resolves_to_a_refused_address_is_not_connected_to() {
    let fake = Fake::start(vec![json(200, r#"{"data":{"id":"A100"}}"#)]).await;
    let mut base = fake.base.clone();
    base.set_host(Some("localhost")).unwrap();
    let error = school(&base).unwrap().school().await.unwrap_err();
    assert!(matches!(error, Error::AddressRefused), "{error:?}");
    assert!(!error.is_transient());
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_host_that_is_a_refused_address_is_not_even_tried() {
    let fake = Fake::start(vec![json(200, r#"{"data":{"id":"A100"}}"#)]).await;
    assert!(matches!(school(&fake.base), Err(Error::AddressRefused)));
    let v6 = "http://[::1]:9/v1.0".parse().unwrap();
    assert!(matches!(school(&v6), Err(Error::AddressRefused)));
}
