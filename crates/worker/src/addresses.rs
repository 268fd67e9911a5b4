use std::{net::IpAddr, sync::Arc};

use mis_sync_domain::{AllowedHosts, WondeHosts};
use mis_sync_wonde::AddressRule;

/// The hosts that may be Wonde, in the form that the Wonde client needs.
#[derive(Debug, Clone)]
pub struct AllowedAddresses(pub Arc<WondeHosts>);

impl AddressRule for AllowedAddresses {
    fn may_connect(&self, host: &str, address: IpAddr) -> bool {
        self.0.may_connect(host, address)
    }
}

/// The hosts that schools' receivers of callbacks may have, in the form that the client needs.
#[derive(Debug, Clone)]
pub(crate) struct ReceiverAddresses(pub(crate) Arc<AllowedHosts>);

impl AddressRule for ReceiverAddresses {
    fn may_connect(&self, host: &str, address: IpAddr) -> bool {
        self.0.may_connect(host, address)
    }
}
