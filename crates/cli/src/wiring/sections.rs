//! The sections of the configuration that `serve` and `worker` need, read and checked in one place,
//! so that `doctor` finds what would make them exit.

use std::{sync::Arc, time::Duration};

use mis_sync_api::WebhookSecrets;
use mis_sync_domain::{AllowedHosts, MisTable, WondeHosts};
use mis_sync_queue::{RateLimit, Redis};
use mis_sync_store::{Address, TokenCipher};
use mis_sync_wonde::{AnyAddress, Unlimited, WondeClient};
use mis_sync_worker::{Callbacks, Receiver};

use crate::{config::Config, exit::Failure};

/// The names of the sections that can be wrong.
pub(crate) const SECTIONS: [&str; 9] = [
    "database",
    "redis",
    "encryption",
    "wonde",
    "worker",
    "mis",
    "webhooks",
    "alerts",
    "callbacks",
];

/// What the sections say.
pub(crate) struct Sections {
    /// Where what needs a session of its own goes.
    pub(crate) direct: Address,
    pub(crate) redis: Redis,
    pub(crate) cipher: Arc<TokenCipher>,
    pub(crate) wonde_hosts: Arc<WondeHosts>,
    pub(crate) limit_of_syncs: RateLimit,
    pub(crate) lease: Duration,
    pub(crate) mis: Arc<MisTable>,
    pub(crate) webhook_secrets: WebhookSecrets,
    pub(crate) alert_receiver: Option<Arc<Receiver>>,
    pub(crate) callback_hosts: Arc<AllowedHosts>,
    pub(crate) callbacks: Arc<Callbacks>,
}

/// A section that is wrong.
pub(crate) struct Wrong {
    pub(crate) section: &'static str,
    pub(crate) failure: Failure,
}

impl Sections {
    /// Reads all sections, and says everything that is wrong.
    pub(crate) fn read(config: &Config) -> Result<Self, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let address = keep(&mut wrong, "database", config.database.address());
        // Without an address of its own it is the same one, which is said once.
        let direct =
            address.and_then(|_| keep(&mut wrong, "database", config.database.direct_address()));
        let redis = keep(&mut wrong, "redis", config.redis.open());
        let cipher = keep(&mut wrong, "encryption", config.encryption.cipher());
        let wonde_hosts = keep(&mut wrong, "wonde", config.wonde.hosts());
        let limit_of_syncs = keep(&mut wrong, "wonde", config.wonde.limit_of_syncs());
        let client = keep(&mut wrong, "wonde", try_client(config));
        let lease = keep(&mut wrong, "worker", config.worker.lease());
        let mis = keep(&mut wrong, "mis", config.mis.table());
        let webhook_secrets = keep(&mut wrong, "webhooks", config.webhooks.wonde_secrets());
        let alert_receiver = keep(&mut wrong, "alerts", config.alerts.receiver());
        let callback_hosts = keep(&mut wrong, "callbacks", config.callbacks.hosts());
        let callbacks = callback_hosts.as_ref().and_then(|hosts| {
            keep(&mut wrong, "callbacks", config.callbacks.receivers(Arc::clone(hosts)))
        });
        let servers = (direct, redis, cipher, lease);
        let wonde = (wonde_hosts, limit_of_syncs, client);
        let messages = (alert_receiver, callback_hosts, callbacks);
        let others = (mis, webhook_secrets);
        let (
            (Some(direct), Some(redis), Some(cipher), Some(lease)),
            (Some(wonde_hosts), Some(limit_of_syncs), Some(())),
            (Some(alert_receiver), Some(callback_hosts), Some(callbacks)),
            (Some(mis), Some(webhook_secrets)),
        ) = (servers, wonde, messages, others)
        else {
            return Err(wrong);
        };
        Ok(Self {
            direct,
            redis,
            cipher: Arc::new(cipher),
            wonde_hosts: Arc::new(wonde_hosts),
            limit_of_syncs,
            lease,
            mis: Arc::new(mis),
            webhook_secrets,
            alert_receiver,
            callback_hosts,
            callbacks,
        })
    }
}

fn keep<T>(wrong: &mut Vec<Wrong>, section: &'static str, read: Result<T, Failure>) -> Option<T> {
    read.map_err(|failure| wrong.push(Wrong { section, failure })).ok()
}

/// A client with these settings, which is not used.
fn try_client(config: &Config) -> Result<(), Failure> {
    WondeClient::new(config.wonde.client(), Arc::new(Unlimited), Arc::new(AnyAddress))
        .map(drop)
        .map_err(|error| Failure::usage(format!("wonde: {error}")))
}
