use std::{num::NonZeroU32, sync::Arc};

use mis_sync_api::ApiState;
use mis_sync_domain::{Clock, MisTable, WondeHosts};
use mis_sync_queue::{Intake, Queue, RateLimiter, Redis, WorkerOptions};
use mis_sync_store::{Pool, TokenCipher};
use mis_sync_wonde::WondeClient;
use mis_sync_worker::{
    AllowedAddresses, Context, LeaderOptions, LoginLimits, SharedRateLimit, SyncLimits, Turns,
};
use uuid::Uuid;

use crate::{config::Config, descriptors, exit::Failure};

/// A pool on the configured database, after a look whether it answers and has our schema.
pub(crate) async fn database(config: &Config) -> Result<Pool, Failure> {
    let pool = open_database(config)?;
    mis_sync_store::check_schema(&pool).await?;
    mis_sync_store::logins::check_scope(&pool, config.logins.unique_within).await?;
    Ok(pool)
}

/// A pool on the configured database, whatever state it is in.
pub fn open_database(config: &Config) -> Result<Pool, Failure> {
    let url = config.database.url()?;
    let (most, lease) = (config.database.max_connections.get(), config.worker.lease()?);
    Ok(mis_sync_store::connect_for_lease(url, most, lease)?)
}

/// The configured Redis; nothing is sent yet.
pub(crate) fn open_redis(config: &Config) -> Result<Redis, Failure> {
    Redis::open(config.redis.url()?, &config.redis.prefix)
        .map_err(|error| Failure::usage(format!("redis.url: {error}")))
}

/// The ledger and its delivery. That Redis is away is no error: a worker finds the job all the
/// same.
pub(crate) async fn queue(config: &Config) -> Result<Queue, Failure> {
    let redis = open_redis(config)?;
    Ok(Queue::new(database(config).await?, redis))
}

/// Everything that the API and the workers share.
pub struct Parts {
    /// The ledger and its delivery.
    pub queue: Queue,
    pub(crate) cipher: Arc<TokenCipher>,
    mis: Arc<MisTable>,
    wonde_hosts: Arc<WondeHosts>,
}

impl Parts {
    /// Checks the whole configuration first, then whether the database answers. Redis may be
    /// away: it is joined when it is there.
    pub async fn connect(config: &Config) -> Result<Self, Failure> {
        let cipher = Arc::new(config.encryption.cipher()?);
        let mis = Arc::new(config.mis.table()?);
        let wonde_hosts = Arc::new(config.wonde.hosts()?);
        let redis = open_redis(config)?;
        let pool = database(config).await?;
        Ok(Self { queue: Queue::new(pool, redis), cipher, mis, wonde_hosts })
    }

    /// What the API needs.
    pub fn api(&self, config: &Config) -> Result<ApiState, Failure> {
        let state = ApiState::new(self.queue.clone(), Arc::clone(&self.cipher))
            .with_mis(Arc::clone(&self.mis))
            .with_wonde_hosts(Arc::clone(&self.wonde_hosts))
            .with_callback_hosts(config.callbacks.hosts()?)
            .with_webhook_secrets(config.webhooks.wonde_secrets()?)
            .with_environment(&config.dashboard.environment)
            .with_stale_after(config.alerts.stale_after())
            .with_probe_after(config.worker.probe_after())
            .with_requests_per_second_per_key(NonZeroU32::new(
                config.api.requests_per_second_per_key,
            ))
            .with_max_connections(descriptors::connections(config))
            .with_wonde_limit(RateLimiter::new(&self.queue, config.wonde.limit()));
        Ok(if config.scheduler.enabled { state.with_scheduler(Clock::system()) } else { state })
    }

    /// What a worker needs.
    pub fn worker(
        &self,
        config: &Config,
    ) -> Result<(Context, LeaderOptions, WorkerOptions), Failure> {
        let refresh_timeout = config.worker.refresh_timeout();
        let limiter = |limit| SharedRateLimit(RateLimiter::new(&self.queue, limit));
        let syncs = limiter(config.wonde.limit_of_syncs()?);
        let logins = limiter(config.wonde.limit_at_login(refresh_timeout));
        let client = |settings, limit| {
            let addresses = AllowedAddresses(Arc::clone(&self.wonde_hosts));
            WondeClient::new(settings, Arc::new(limit), Arc::new(addresses))
                .map_err(|error| Failure::usage(format!("wonde: {error}")))
        };
        let context = Context {
            queue: self.queue.clone(),
            wonde: client(config.wonde.client(), syncs)?,
            wonde_at_login: client(config.wonde.client_at_login(refresh_timeout), logins)?,
            wonde_hosts: Arc::clone(&self.wonde_hosts),
            cipher: Arc::clone(&self.cipher),
            mis: Arc::clone(&self.mis),
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
            alert_receiver: config.alerts.receiver()?,
            callbacks: config.callbacks.receivers()?,
        };
        let leader = LeaderOptions {
            scheduler: config.scheduler.options(),
            alerts: config.alerts.options(),
            retention: config.retention.options(),
            token_probe_after: config.wonde.token_probe_after(),
        };
        let options = WorkerOptions {
            name: worker_name(),
            concurrency: config.worker.concurrency.get() as usize,
            interactive_concurrency: config.worker.interactive_concurrency.get() as usize,
            lease: config.worker.lease()?,
            drain: config.worker.drain(),
            retry: config.worker.retry(),
            intake: Intake::default(),
        };
        Ok((context, leader, options))
    }
}

/// Host, process and a random part: another name at every start.
fn worker_name() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let random = Uuid::now_v7().simple().to_string();
    let (_, tail) = random.split_at(random.len() - 8);
    format!("{host}-{}-{tail}", std::process::id())
}
