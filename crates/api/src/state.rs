//! What handlers work with, and the one way to it.
//!
//! The fields are private: a handler reaches database and queue only through [`Access`], an extractor
//! that lets on whom the list of routes allows. So no handler can forget to ask who calls. What Wonde
//! posts comes from a [`WebhookSender`] instead, who has no key.

mod caller;
mod operator;
mod personal;
mod sender;

use std::{collections::HashMap, fmt, num::NonZeroU32, sync::Arc, time::Duration};

use chrono::TimeDelta;
use mis_sync_domain::{AllowedHosts, Clock, MisTable, STALE_AFTER, WondeHosts};
use mis_sync_queue::{Queue, RateLimiter, RedisError, WondeTraffic};
use mis_sync_store::{TokenCipher, alerts, figures};
use tokio_util::sync::CancellationToken;

use crate::{login_tally::LoginTally, metrics::Ledger, rate_limit::KeyLimit};
pub(crate) use caller::Access;
pub(crate) use operator::{Operator, SESSION_COOKIE, SignIn, cookie};
pub(crate) use personal::{Mask, PersonalData};
pub(crate) use sender::WebhookSender;
pub use sender::{InvalidWebhookSecret, WebhookSecrets};

/// What the API needs of the rest of the service.
#[derive(Clone)]
pub struct ApiState {
    queue: Queue,
    cipher: Arc<TokenCipher>,
    mis: Arc<MisTable>,
    wonde_hosts: Arc<WondeHosts>,
    callback_hosts: Arc<AllowedHosts>,
    scheduler: Option<Clock>,
    webhook_secrets: WebhookSecrets,
    stopping: CancellationToken,
    environment: Arc<str>,
    stale_after: TimeDelta,
    probe_after: Duration,
    wonde: Option<RateLimiter>,
    max_connections: usize,
    key_limit: Option<Arc<KeyLimit>>,
    logins: Arc<LoginTally>,
}

impl ApiState {
    /// The API over this queue (and its database); `cipher` seals the tokens of schools. It
    /// knows the MIS that are compiled in.
    pub fn new(queue: Queue, cipher: Arc<TokenCipher>) -> Self {
        Self {
            queue,
            cipher,
            mis: Arc::new(MisTable::built_in()),
            wonde_hosts: Arc::default(),
            callback_hosts: Arc::default(),
            scheduler: None,
            webhook_secrets: WebhookSecrets::default(),
            stopping: CancellationToken::new(),
            environment: Arc::default(),
            stale_after: STALE_AFTER,
            probe_after: Duration::from_secs(10),
            wonde: None,
            max_connections: 4_000,
            key_limit: None,
            logins: Arc::default(),
        }
    }

    /// The same with another limit to the connections that a server has open at once.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// The same where each key may send this many requests per second, and five times as many at
    /// once. Logins do not count.
    #[must_use]
    pub fn with_requests_per_second_per_key(self, per_second: Option<NonZeroU32>) -> Self {
        Self { key_limit: per_second.map(KeyLimit::new).map(Arc::new), ..self }
    }

    /// How logins are answered.
    pub(crate) fn logins(&self) -> &LoginTally {
        &self.logins
    }

    /// Writes how logins are answered to the database, until `stop`.
    pub(crate) async fn write_logins(self, stop: CancellationToken) {
        self.logins.write_until(self.queue.pool(), stop).await;
    }

    /// How many connections a server may have open at once.
    pub(crate) fn max_connections(&self) -> usize {
        self.max_connections
    }

    /// The same in an environment with a name, which every page of the dashboard shows in its
    /// colour. Empty: it has none.
    #[must_use]
    pub fn with_environment(self, environment: &str) -> Self {
        Self { environment: environment.into(), ..self }
    }

    /// The same where a school is stale that had no good sync for so long; the workers' alerts go
    /// by the same.
    #[must_use]
    pub fn with_stale_after(self, stale_after: TimeDelta) -> Self {
        Self { stale_after, ..self }
    }

    /// The same where another time passes before an absent Wonde is asked again.
    #[must_use]
    pub fn with_probe_after(self, probe_after: Duration) -> Self {
        Self { probe_after, ..self }
    }

    /// A login that asks an absent Wonde again keeps the others from it for so long.
    pub(crate) fn probe_after(&self) -> Duration {
        self.probe_after
    }

    /// After which time without a good sync a school is stale.
    pub(crate) fn stale_after(&self) -> TimeDelta {
        self.stale_after
    }

    /// The same with the limit by which the workers ask Wonde: then the dashboard shows what went
    /// out and what is left.
    #[must_use]
    pub fn with_wonde_limit(self, limiter: RateLimiter) -> Self {
        Self { wonde: Some(limiter), ..self }
    }

    /// The requests sent to Wonde; `None` if no rate limit is configured.
    pub(crate) async fn wonde_traffic(
        &self,
    ) -> Result<Option<WondeTraffic>, mis_sync_queue::Error> {
        match &self.wonde {
            Some(limiter) => Ok(Some(limiter.traffic().await?)),
            None => Ok(None),
        }
    }

    /// The name of the environment.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// The same, whose open-ended answers end once the server stops.
    pub(crate) fn until(self, stopping: CancellationToken) -> Self {
        Self { stopping, ..self }
    }

    /// What the ledger says in numbers.
    pub(crate) async fn ledger(&self) -> Result<Ledger, mis_sync_store::Error> {
        let (pool, now) = (self.queue.pool(), Clock::system().now());
        let figures = figures::read(pool).await?;
        let mut schools = HashMap::new();
        for school in alerts::unwell(pool, now - self.stale_after).await? {
            for condition in school.conditions(now, self.stale_after) {
                *schools.entry(condition.kind).or_default() += 1;
            }
        }
        Ok(Ledger { figures, schools })
    }

    /// Sets the gauges of the connections of this process.
    pub(crate) fn observe_connections(&self) {
        self.queue.observe();
    }

    /// The same with another table of MIS, which has to be the workers' too.
    #[must_use]
    pub fn with_mis(self, mis: Arc<MisTable>) -> Self {
        Self { mis, ..self }
    }

    /// The same where Wonde may be asked at these hosts, which have to be the workers' too.
    #[must_use]
    pub fn with_wonde_hosts(self, wonde_hosts: Arc<WondeHosts>) -> Self {
        Self { wonde_hosts, ..self }
    }

    /// The same where schools' own receivers of callbacks may have these hosts, which have to be the
    /// workers' too.
    #[must_use]
    pub fn with_callback_hosts(self, callback_hosts: Arc<AllowedHosts>) -> Self {
        Self { callback_hosts, ..self }
    }

    /// The same where workers serve the schools' schedules by this clock: then schools are shown
    /// with their next sync.
    #[must_use]
    pub fn with_scheduler(self, clock: Clock) -> Self {
        Self { scheduler: Some(clock), ..self }
    }

    /// The same with secrets by which Wonde is known when it posts.
    #[must_use]
    pub fn with_webhook_secrets(self, webhook_secrets: WebhookSecrets) -> Self {
        Self { webhook_secrets, ..self }
    }

    /// Whether Postgres answers and has the schema of this release.
    pub(crate) async fn check_postgres(&self) -> Result<(), mis_sync_store::Error> {
        mis_sync_store::check_schema(self.queue.pool()).await?;
        mis_sync_store::check_writable(self.queue.pool()).await
    }

    /// Whether Redis takes a write, within this time.
    pub(crate) async fn check_redis(&self, patience: Duration) -> Result<(), RedisError> {
        self.queue.redis().check(patience).await
    }
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}
