mod sections;

use std::{num::NonZeroU32, sync::Arc};

use mis_sync_api::ApiState;
use mis_sync_domain::Clock;
use mis_sync_queue::{Intake, Queue, RateLimiter, WorkerOptions};
use mis_sync_store::{Address, Pool};
use mis_sync_wonde::WondeClient;
use mis_sync_worker::{
    AllowedAddresses, Context, LeaderOptions, LoginLimits, SharedRateLimit, SyncLimits, Turns,
};
use uuid::Uuid;

use crate::{config::Config, descriptors, exit::Failure};

pub(crate) use sections::{SECTIONS, Sections, Wrong};

/// A pool on the configured database, after a look whether it answers and has our schema.
pub(crate) async fn database(config: &Config) -> Result<Pool, Failure> {
    let pool = open_database(config)?;
    mis_sync_store::reach(&config.database.address()?).await?;
    mis_sync_store::check_schema(&pool).await?;
    mis_sync_store::logins::check_scope(&pool, config.logins.unique_within).await?;
    Ok(pool)
}

/// A pool on the configured database, whatever state it is in.
pub fn open_database(config: &Config) -> Result<Pool, Failure> {
    open(config, &config.database.address()?)
}

/// A pool for what needs sessions of its own, after a look whether the database answers.
pub(crate) async fn direct_database(config: &Config) -> Result<Pool, Failure> {
    let address = config.database.direct_address()?;
    mis_sync_store::reach(&address).await?;
    open(config, &address)
}

fn open(config: &Config, address: &Address) -> Result<Pool, Failure> {
    let (most, lease) = (config.database.max_connections.get(), config.worker.lease()?);
    Ok(mis_sync_store::connect_for_lease(address, most, lease))
}

/// The ledger and its delivery. That Redis is away is no error: a worker finds the job all the
/// same.
pub(crate) async fn queue(config: &Config) -> Result<Queue, Failure> {
    let redis = config.redis.open()?;
    Ok(Queue::new(database(config).await?, redis))
}

/// Everything that the API and the workers share.
pub struct Parts {
    /// The ledger and its delivery.
    pub queue: Queue,
    pub(crate) sections: Sections,
}

impl Parts {
    /// Checks the whole configuration first, then whether the database answers. Redis may be
    /// away: it is joined when it is there.
    pub async fn connect(config: &Config) -> Result<Self, Failure> {
        let sections = Sections::read(config).map_err(|wrong| Failure::usage(told(&wrong)))?;
        let pool = database(config).await?;
        Ok(Self { queue: Queue::new(pool, sections.redis.clone()), sections })
    }

    /// What the API needs.
    pub fn api(&self, config: &Config) -> ApiState {
        let Sections { cipher, mis, wonde_hosts, webhook_secrets, callback_hosts, .. } =
            &self.sections;
        let state = ApiState::new(self.queue.clone(), Arc::clone(cipher))
            .with_mis(Arc::clone(mis))
            .with_wonde_hosts(Arc::clone(wonde_hosts))
            .with_callback_hosts(Arc::clone(callback_hosts))
            .with_webhook_secrets(webhook_secrets.clone())
            .with_environment(&config.dashboard.environment)
            .with_stale_after(config.alerts.stale_after())
            .with_probe_after(config.worker.probe_after())
            .with_requests_per_second_per_key(NonZeroU32::new(
                config.api.requests_per_second_per_key,
            ))
            .with_max_connections(descriptors::connections(config))
            .with_wonde_limit(RateLimiter::new(&self.queue, config.wonde.limit()));
        if config.scheduler.enabled { state.with_scheduler(Clock::system()) } else { state }
    }

    /// What a worker needs.
    pub fn worker(
        &self,
        config: &Config,
    ) -> Result<(Context, LeaderOptions, WorkerOptions), Failure> {
        let Sections { cipher, mis, wonde_hosts, .. } = &self.sections;
        let refresh_timeout = config.worker.refresh_timeout();
        let limiter = |limit| SharedRateLimit(RateLimiter::new(&self.queue, limit));
        let syncs = limiter(self.sections.limit_of_syncs);
        let logins = limiter(config.wonde.limit_at_login(refresh_timeout));
        let client = |settings, limit| {
            let addresses = AllowedAddresses(Arc::clone(wonde_hosts));
            WondeClient::new(settings, Arc::new(limit), Arc::new(addresses))
                .map_err(|error| Failure::usage(format!("wonde: {error}")))
        };
        let context = Context {
            queue: self.queue.clone(),
            wonde: client(config.wonde.client(), syncs)?,
            wonde_at_login: client(config.wonde.client_at_login(refresh_timeout), logins)?,
            wonde_hosts: Arc::clone(wonde_hosts),
            cipher: Arc::clone(cipher),
            mis: Arc::clone(mis),
            clock: Clock::system(),
            syncs: SyncLimits {
                pages_max_age: config.worker.staged_pages_max_age(),
                delta_overlap: config.worker.delta_overlap(),
            },
            logins: LoginLimits {
                timeout: refresh_timeout,
                turns: Turns::default(),
                probe_after: config.worker.probe_after(),
            },
            alert_receiver: self.sections.alert_receiver.clone(),
            callbacks: Arc::clone(&self.sections.callbacks),
        };
        let leader = LeaderOptions {
            database: self.sections.direct.clone(),
            scheduler: config.scheduler.options(),
            alerts: config.alerts.options(),
            retention: config.retention.options(),
            token_probe_after: config.wonde.token_probe_after(),
        };
        let options = WorkerOptions {
            name: worker_name(),
            concurrency: config.worker.concurrency.get() as usize,
            interactive_concurrency: config.worker.interactive_concurrency.get() as usize,
            lease: self.sections.lease,
            drain: config.worker.drain(),
            retry: config.worker.retry(),
            intake: Intake::default(),
        };
        Ok((context, leader, options))
    }
}

fn told(wrong: &[Wrong]) -> String {
    wrong.iter().map(|wrong| wrong.failure.to_string()).collect::<Vec<_>>().join("\n")
}

/// Host, process and a random part: another name at every start.
fn worker_name() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let random = Uuid::now_v7().simple().to_string();
    let (_, tail) = random.split_at(random.len() - 8);
    format!("{host}-{}-{tail}", std::process::id())
}
