use std::io::ErrorKind;

use tokio::net::TcpListener;

use super::finding::Finding;
use crate::{config::Config, descriptors};

/// Checks what this machine gives a process.
pub(super) async fn check(config: &Config) -> [Finding; 2] {
    [check_listen(config).await, check_open_files(config)]
}

/// Whether the API could listen. The address is in use while the API runs.
async fn check_listen(config: &Config) -> Finding {
    let address = config.api.listen;
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok("api.listen", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            Finding::ok("api.listen", format!("{address} is in use, as it is while the API runs"))
        }
        Err(error) => Finding::wrong(
            "api.listen",
            format!("cannot listen on {address}: {error}"),
            "Give an address of this machine, and a port that the user may use.",
        ),
    }
}

fn check_open_files(config: &Config) -> Finding {
    let (wanted, allowed) = descriptors::wanted_and_allowed(config);
    if allowed >= wanted {
        return Finding::ok("open_files", format!("enough for {wanted} connections of callers"));
    }
    Finding::warn(
        "open_files",
        format!("enough for {allowed} of {wanted} connections of callers (api.max_connections)"),
        "Raise the limit on open files (LimitNOFILE in the unit, or `ulimit -n`).",
    )
}
