//! The health check of a container or a load balancer that can only run a command.

use std::time::Duration;

use url::Url;

use crate::{arguments::Health, commands::print, config::Config, exit::Failure};

/// `/readyz` itself answers within two seconds.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks a process of ours, and fails unless it answers 2xx.
pub(super) async fn run(config: &Config, arguments: &Health) -> Result<(), Failure> {
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => own_address(config)?,
    };
    // A proxy of the environment is not on the way to a process of ours.
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let answer = client.get(url.clone()).send().await;
    match answer.map(|answer| answer.status()) {
        Ok(status) if status.is_success() => print("healthy"),
        Ok(status) => Err(Failure::dependency(format!("{url} answers {}", status.as_u16()))),
        Err(error) => Err(Failure::dependency(format!("{url}: {}", error.without_url()))),
    }
}

/// The API of this configuration. One that listens on all addresses is asked on this machine.
fn own_address(config: &Config) -> Result<Url, Failure> {
    let mut listen = config.api.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{listen}/readyz").parse().map_err(Failure::work)
}
