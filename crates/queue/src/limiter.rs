use std::{
    collections::HashMap,
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock, clock::DefaultClock};
use redis::Script;
use tokio::time::Instant;

use crate::{Redis, traffic::COUNT};

/// While Redis is away each process keeps to this part of the limit, because it cannot know
/// what the others do.
const SHARE_WITHOUT_REDIS: u32 = 4;

/// A pause that Redis does not know is kept in memory no longer than this.
const LONGEST_PAUSE_WITHOUT_REDIS: Duration = Duration::from_hours(24);

/// Reserves the next free slot and says how long to wait for it (GCRA), so that waiters keep
/// their order and nobody polls. A wait beyond the longest reserves nothing and comes back
/// negative. All in microseconds of Redis' own clock. A call that is let out is counted.
const RESERVE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = tonumber(redis.call('GET', KEYS[1]) or 0)
if arrival < now then arrival = now end
local wait = arrival - tolerance - now
if wait > longest then return -wait end
arrival = arrival + interval
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
count('sent')
return math.max(wait, 0)
";

/// Moves the next free slot to a time from now, unless it is later already, and counts that Wonde
/// asked for it.
const PAUSE: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrival = now + tonumber(ARGV[1]) + tonumber(ARGV[2])
if arrival > tonumber(redis.call('GET', KEYS[1]) or 0) then
    redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
end
count('limited')
return 0
";

/// Calls are a little further apart than the limit asks, because some are longer on their way
/// than others, and who counts them is at the other end.
const RESERVE_PERCENT: u64 = 5;

/// So many calls of one key.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// Calls per second in the long run.
    pub per_second: NonZeroU32,
    /// Calls that may come at once after a quiet time. With 1, no second ever sees more than
    /// `per_second`; each one more is one more in the first second.
    pub burst: NonZeroU32,
    /// Whoever would wait longer is told so instead.
    pub longest_wait: Duration,
}

impl RateLimit {
    /// What is left when so many of a hundred calls are kept for others; one call per second at
    /// the least.
    #[must_use]
    pub fn without_percent(self, kept: u32) -> Self {
        let left = u64::from(self.per_second.get()) * u64::from(100 - kept.min(100)) / 100;
        let left = u32::try_from(left).ok().and_then(NonZeroU32::new);
        Self { per_second: left.unwrap_or(NonZeroU32::MIN), ..self }
    }
}

/// One limit per key, shared by all processes through Redis.
#[derive(Clone)]
pub struct RateLimiter {
    redis: Redis,
    limit: RateLimit,
    reserve: Script,
    pause: Script,
    alone: Arc<DefaultKeyedRateLimiter<String>>,
    /// Pauses that this process has heard of, for the time without Redis.
    paused: Arc<Mutex<HashMap<String, Instant>>>,
}

impl RateLimiter {
    /// A limiter whose keys live under the prefix of `redis`.
    pub fn new(redis: Redis, limit: RateLimit) -> Self {
        let share = NonZeroU32::new(limit.per_second.get() / SHARE_WITHOUT_REDIS);
        let share = share.unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(share).allow_burst(share.min(limit.burst));
        Self {
            redis,
            limit,
            reserve: Script::new(&format!("{COUNT}{RESERVE}")),
            pause: Script::new(&format!("{COUNT}{PAUSE}")),
            alone: Arc::new(DefaultKeyedRateLimiter::keyed(quota)),
            paused: Arc::default(),
        }
    }

    /// Waits until `key` may make another call. `Err`: the wait would be this long, longer
    /// than the longest allowed; nothing was reserved.
    pub async fn acquire(&self, key: &str) -> Result<(), Duration> {
        self.reserve(key, None).await
    }

    /// The same, counted for [`RateLimiter::traffic`] under the name `label`.
    pub async fn acquire_as(&self, key: &str, label: &str) -> Result<(), Duration> {
        self.reserve(key, Some(label)).await
    }

    async fn reserve(&self, key: &str, label: Option<&str>) -> Result<(), Duration> {
        let (counts, whose) = self.counted(key, label);
        let mut connection = self.redis.shared();
        let reserved: Result<i64, _> = self
            .reserve
            .key(self.key(key))
            .arg(self.interval_us())
            .arg(self.tolerance_us())
            .arg(micros(self.limit.longest_wait))
            .arg(counts)
            .arg(whose)
            .invoke_async(&mut connection)
            .await;
        match reserved {
            Ok(wait) if wait < 0 => Err(Duration::from_micros(wait.unsigned_abs())),
            Ok(wait) => {
                wait_for(Duration::from_micros(wait.unsigned_abs())).await;
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "Redis is away, keeping to a share of the rate limit");
                self.acquire_alone(key).await
            }
        }
    }

    /// Lets nobody make a call of `key` for this long, in any process.
    pub async fn pause(&self, key: &str, length: Duration) {
        self.hold(key, length, None).await;
    }

    /// The same, counted as an answer 429 for [`RateLimiter::traffic`].
    pub async fn pause_as(&self, key: &str, label: &str, length: Duration) {
        self.hold(key, length, Some(label)).await;
    }

    async fn hold(&self, key: &str, length: Duration, label: Option<&str>) {
        let (counts, whose) = self.counted(key, label);
        self.pause_here(key, length);
        let mut connection = self.redis.shared();
        let paused: Result<i64, _> = self
            .pause
            .key(self.key(key))
            .arg(micros(length))
            .arg(self.tolerance_us())
            .arg(0)
            .arg(counts)
            .arg(whose)
            .invoke_async(&mut connection)
            .await;
        if let Err(error) = paused {
            tracing::warn!(%error, "the pause is known to this process only");
        }
    }

    async fn acquire_alone(&self, key: &str) -> Result<(), Duration> {
        let key = key.to_owned();
        let latest = Instant::now() + self.limit.longest_wait;
        loop {
            let wait = match self.paused_here(&key) {
                Some(wait) => wait,
                None => match self.alone.check_key(&key) {
                    Ok(()) => return Ok(()),
                    Err(busy) => busy.wait_time_from(DefaultClock::default().now()),
                },
            };
            if Instant::now() + wait > latest {
                return Err(wait);
            }
            wait_for(wait).await;
        }
    }

    fn pause_here(&self, key: &str, length: Duration) {
        let now = Instant::now();
        let end = now + length.min(LONGEST_PAUSE_WITHOUT_REDIS);
        let mut paused = self.paused.lock().expect("nobody panics with this lock");
        paused.retain(|_, end| *end > now);
        let known = paused.entry(key.to_owned()).or_insert(end);
        *known = end.max(*known);
    }

    fn paused_here(&self, key: &str) -> Option<Duration> {
        let paused = self.paused.lock().expect("nobody panics with this lock");
        let left = paused.get(key)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Where a call is counted, and as whose; the first is empty where it is not.
    fn counted(&self, key: &str, label: Option<&str>) -> (String, String) {
        match label {
            Some(label) => (self.counts_key(), format!("{key}:{label}")),
            None => (String::new(), String::new()),
        }
    }

    /// How the names of the counts begin.
    pub(crate) fn counts_key(&self) -> String {
        self.redis.key("wonde")
    }

    pub(crate) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Calls that may come at once when the slots of this many microseconds are taken.
    pub(crate) fn left(&self, ahead_us: u64) -> u64 {
        match self.tolerance_us().checked_sub(ahead_us) {
            Some(room) => room / self.interval_us() + 1,
            None => 0,
        }
    }

    /// How far ahead of the even pace a burst may run.
    pub(crate) fn tolerance_us(&self) -> u64 {
        self.interval_us() * u64::from(self.limit.burst.get() - 1)
    }

    /// From one call to the next at an even pace, with [`RESERVE_PERCENT`] to spare.
    fn interval_us(&self) -> u64 {
        10_000 * (100 + RESERVE_PERCENT) / u64::from(self.limit.per_second.get())
    }

    pub(crate) fn key(&self, key: &str) -> String {
        self.redis.key(&format!("rate:{key}"))
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the slot that was reserved is a time")]
async fn wait_for(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
