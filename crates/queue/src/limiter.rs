//! The rate limit that all processes share: no second sees more calls of a key than allowed.

mod alone;
mod scripts;
mod turns;

use std::{fmt, num::NonZeroU32, sync::Arc, time::Duration};

use mis_sync_store::{Error as StoreError, Pool, wonde_pauses};
use mis_sync_telemetry::metrics;
use redis::RedisResult;
use tokio::time::{Instant, timeout};

use crate::{Queue, Redis, RedisError, redis::Connection};
pub(crate) use alone::Alone;
use scripts::Lua;
pub(crate) use scripts::WINDOW;
use turns::Turns;

/// However long Wonde asks us to wait, it is asked again after this. It is the longest pause that
/// is ever stored; a later time did not come from here.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The same limit for scripts. A pause of exactly the longest length must not look like a wrong
/// one.
const FURTHEST_PAUSE: Duration = Duration::from_secs(LONGEST_PAUSE.as_secs() + 1);

/// A grant that is older than this is requested again, because the call would be made in another
/// second than the one in which it counts.
const FRESH: Duration = Duration::from_millis(50);

/// This many times in a row. A Redis that is always slower than [`FRESH`] is then believed.
const TRIES: usize = 4;

/// A waiting call asks again after this time at the latest, because Redis may come, go or be
/// emptied.
const AGAIN: Duration = Duration::from_millis(250);

/// How long a call waits for the pauses in the ledger.
const LEDGER: Duration = Duration::from_millis(250);

/// The limit on calls of one key.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// The most calls in any one second.
    pub per_second: NonZeroU32,
    /// In the limit of syncs: how many of these are reserved for logins. Syncs may use what logins
    /// leave. In the limit of logins it is 0.
    pub kept_for_logins: u32,
    /// A call that would wait longer is refused instead.
    pub longest_wait: Duration,
}

impl RateLimit {
    /// The limit of syncs, with this percentage reserved for logins. Syncs keep at least one call
    /// per second.
    #[must_use]
    pub fn keeping_percent(self, kept: u32) -> Self {
        let all = self.per_second.get();
        let left = u64::from(all) * u64::from(100 - kept.min(100)) / 100;
        let left = u32::try_from(left).unwrap_or(all).max(1);
        Self { kept_for_logins: all - left, ..self }
    }
}

/// One limit per key, shared by all processes through Redis.
#[derive(Clone)]
pub struct RateLimiter {
    redis: Redis,
    pool: Pool,
    limit: RateLimit,
    turns: Arc<Turns>,
    acquire: Lua,
    pause: Lua,
}

/// The answer of Redis: when the call was granted, or how long to wait, as a negative number; and
/// the time since when it knows of every call.
type Answer = (i64, i64);

impl RateLimiter {
    /// A limiter whose keys are under the prefix of the queue's Redis.
    pub fn new(queue: &Queue, limit: RateLimit) -> Self {
        Self {
            redis: queue.redis().clone(),
            pool: queue.pool().clone(),
            limit,
            turns: Arc::default(),
            acquire: Lua::acquire(),
            pause: Lua::pause(),
        }
    }

    /// Waits until `key` may make another call, which should then be made at once. `Err` gives the
    /// wait if it would be longer than the longest allowed.
    pub async fn acquire(&self, key: &str) -> Result<(), Duration> {
        self.wait(key, None).await
    }

    /// The same, counted for [`RateLimiter::traffic`] under the name `label`.
    pub async fn acquire_as(&self, key: &str, label: &str) -> Result<(), Duration> {
        self.wait(key, Some(label)).await
    }

    async fn wait(&self, key: &str, label: Option<&str>) -> Result<(), Duration> {
        let asked = Instant::now();
        let granted = self.grant(key, label).await;
        let outcome = if granted.is_ok() { "granted" } else { "refused" };
        metrics::LIMITER_WAIT.record([outcome], asked.elapsed());
        granted
    }

    async fn grant(&self, key: &str, label: Option<&str>) -> Result<(), Duration> {
        let (start, longest) = (Instant::now(), self.limit.longest_wait);
        let pace = (self.limit.per_second.get(), WINDOW);
        let _my_turn = self.turns.wait(key, longest, pace).await?;
        loop {
            let asked = match self.ask_redis(key, label).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::debug!(%error, "keeping to a share of the rate limit");
                    self.ask_alone(key).await
                }
            };
            let Err(wait) = asked else { return Ok(()) };
            if start.elapsed() + wait > longest {
                return Err(wait);
            }
            sleep(wait.min(AGAIN)).await;
        }
    }

    /// Grants a call, or says how long to wait before asking again.
    async fn ask_redis(
        &self,
        key: &str,
        label: Option<&str>,
    ) -> Result<Result<(), Duration>, RedisError> {
        let alone = self.redis.alone();
        let mut late = None;
        for _ in 0..TRIES {
            let is_told = alone.has_let_out(Instant::now());
            let asked = |connection| self.call_acquire(connection, key, label, is_told, late);
            let (asked_at, (at, since)) = self.redis.call(asked).await.inspect_err(|_| {
                alone.lost_redis(Instant::now());
            })?;
            alone.has_redis(is_told);
            let is_fresh = asked_at.elapsed() <= FRESH;
            if alone.is_news(since) {
                // No call was granted since, so this is in time.
                self.restore_pauses().await;
            } else if at < 0 {
                return Ok(Err(Duration::from_micros(at.unsigned_abs())));
            } else if is_fresh {
                return Ok(Ok(()));
            }
            late = Some(at).filter(|at| *at > 0);
        }
        Ok(Ok(()))
    }

    async fn call_acquire(
        &self,
        connection: Connection,
        key: &str,
        label: Option<&str>,
        alone: bool,
        late: Option<i64>,
    ) -> RedisResult<(Instant, Answer)> {
        let rate = self.key(key);
        let of = |what: &str| format!("{rate}:{what}");
        let known = self.redis.known_key();
        let keys = [of("own"), of("lent"), self.pause_key(key), of("share"), known];
        let keys = [vec![rate.clone()], keys.to_vec()].concat();
        let (counts, whose) = self.counted(key, label);
        let arguments = [
            self.limit.per_second.to_string(),
            self.limit.kept_for_logins.to_string(),
            if alone { "alone".to_owned() } else { String::new() },
            counts,
            whose,
            late.map(|at| at.to_string()).unwrap_or_default(),
        ];
        let asked_at = Instant::now();
        Ok((asked_at, self.acquire.run(connection, &keys, &arguments).await?))
    }

    /// The same without Redis, from the share of this process. The shares of all processes together
    /// are the limit. A pause that another process received is in the ledger.
    async fn ask_alone(&self, key: &str) -> Result<(), Duration> {
        let alone = self.redis.alone();
        alone.room(Instant::now(), key, self.limit)?;
        match self.ledger(wonde_pauses::left(&self.pool, key)).await {
            Ok(Some(left)) => alone.pause(Instant::now(), key, left),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "only pauses of this process are known"),
        }
        alone.take(Instant::now(), key, self.limit)
    }

    /// Blocks calls of `key` for this long, in all processes, for at most an hour.
    pub async fn pause(&self, key: &str, length: Duration) {
        self.hold(key, None, length).await;
    }

    /// The same, counted as an answer 429 for [`RateLimiter::traffic`].
    pub async fn pause_as(&self, key: &str, label: &str, length: Duration) {
        self.hold(key, Some(label), length).await;
    }

    async fn hold(&self, key: &str, label: Option<&str>, length: Duration) {
        let length = length.min(LONGEST_PAUSE);
        self.redis.alone().pause(Instant::now(), key, length);
        // In parallel, so that neither delays the other.
        let in_ledger = self.ledger(wonde_pauses::note(&self.pool, key, length));
        let (in_redis, in_ledger) = tokio::join!(self.call_pause(key, label, length), in_ledger);
        if let Err(error) = in_redis {
            tracing::warn!(%error, "a pause is not in Redis");
        }
        if let Err(error) = in_ledger {
            tracing::warn!(%error, "a pause is not in the ledger");
        }
    }

    async fn call_pause(
        &self,
        key: &str,
        label: Option<&str>,
        length: Duration,
    ) -> Result<i64, RedisError> {
        let (counts, whose) = self.counted(key, label);
        let length = micros(length).to_string();
        let (keys, none) = ([self.pause_key(key)], String::new);
        let arguments = [length, none(), none(), counts, whose];
        self.redis.call(|connection| self.pause.run(connection, &keys, &arguments)).await
    }

    /// Restores the pauses in a Redis that has lost them.
    async fn restore_pauses(&self) {
        let pauses = match self.ledger(wonde_pauses::list(&self.pool)).await {
            Ok(pauses) => pauses,
            Err(error) => return tracing::warn!(%error, "pauses may be forgotten"),
        };
        for (key, left) in pauses {
            if let Err(error) = self.call_pause(&key, None, left).await {
                tracing::warn!(%error, "a pause is not in Redis");
            }
        }
    }

    async fn ledger<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = |_| StoreError::Unavailable("it did not answer in time".into());
        timeout(LEDGER, answer).await.map_err(late)?
    }

    /// Where a call is counted, and under which name. The first is empty if it is not counted.
    fn counted(&self, key: &str, label: Option<&str>) -> (String, String) {
        match label {
            Some(label) => (self.counts_key(), format!("{key}:{label}")),
            None => (String::new(), String::new()),
        }
    }

    /// The beginning of the names of the counts.
    pub(crate) fn counts_key(&self) -> String {
        self.redis.key("wonde")
    }

    pub(crate) fn redis(&self) -> &Redis {
        &self.redis
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.limit.per_second.get()
    }

    pub(crate) fn key(&self, key: &str) -> String {
        self.redis.key(&format!("rate:{key}"))
    }

    pub(crate) fn pause_key(&self, key: &str) -> String {
        self.redis.key(&format!("pause:{key}"))
    }
}

impl Redis {
    /// States that nothing was sent to Wonde in the last second that this Redis does not know of.
    /// Then the first call need not wait a second, as it has to after Redis was emptied. Use it for
    /// a Redis that was started for this process.
    pub async fn vouch(&self) -> Result<(), RedisError> {
        let (vouch, keys) = (Lua::vouch(), [self.known_key()]);
        self.call(|connection| async move { vouch.run(connection, &keys, &[]).await }).await
    }

    /// The key of the time since when Redis knows of every call.
    pub(crate) fn known_key(&self) -> String {
        self.key("known")
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// How much is left at `now_us` of a duration that began at a time stored in Redis; nothing if a
/// script would consider it wrong.
pub(crate) fn left(from: &str, length: Duration, now_us: u64) -> Duration {
    let until = from.parse::<u64>().unwrap_or(0).saturating_add(micros(length));
    let left = Duration::from_micros(until.saturating_sub(now_us));
    if left > FURTHEST_PAUSE { Duration::ZERO } else { left }
}

#[expect(clippy::disallowed_methods, reason = "room in a window comes with time")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
