mod alone;

use std::{fmt, num::NonZeroU32, time::Duration};

use redis::{RedisResult, Script, ServerErrorKind};
use tokio::time::Instant;

pub(crate) use alone::Alone;
use alone::Pace;

use crate::{Redis, RedisError, redis::Connection, traffic::COUNT};

/// However long Wonde asks to wait, after so long somebody asks again: it is the longest pause
/// that is ever stored, and what lies further ahead did not come from here.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The same as scripts see it; a pause of just the longest length must not be taken for a wrong one.
const FURTHEST_PAUSE_US: u64 = LONGEST_PAUSE.as_secs() * 1_000_000 + 1_000_000;

/// No slot is reserved further ahead than this (or the longest wait, if that is longer).
const LONGEST_QUEUE: Duration = Duration::from_mins(1);

/// Reads the next free slot and the end of a pause. A time further ahead than we ever write comes
/// from a clock that was wrong, or from somebody else, as does what is no number: it is as if
/// nothing was there. All in microseconds of Redis' own clock.
const READ: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function read(key, furthest)
    local found = redis.pcall('GET', key)
    if type(found) == 'table' then redis.call('DEL', key) end
    local at = type(found) == 'string' and tonumber(found)
    if not at or at ~= at or at > now + furthest then return 0 end
    return at
end
local function write(key, at)
    redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1000)
end
";

/// Reserves the next free slot and says how long to wait for it (GCRA), so that waiters keep
/// their order and nobody polls. A wait beyond the longest reserves nothing and comes back
/// negative. A call that is let out is counted.
const RESERVE: &str = r"
local interval, tolerance, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local arrival = read(KEYS[1], tonumber(ARGV[6]))
local pause = read(KEYS[2], tonumber(ARGV[7]))
if pause > 0 then arrival = math.max(arrival, pause + tolerance) end
arrival = math.max(arrival, now)
local wait = arrival - tolerance - now
if wait > longest then return -math.ceil(wait) end
write(KEYS[1], arrival + interval)
count('sent')
return math.max(math.ceil(wait), 0)
";

/// Ends the pause at a time from now, unless it ends later already, and counts that Wonde asked
/// for it. It is kept until a burst would be earned again.
const PAUSE: &str = r"
local tolerance, length = tonumber(ARGV[2]), tonumber(ARGV[1])
if now + length > read(KEYS[2], tonumber(ARGV[7])) then
    redis.call('SET', KEYS[2], string.format('%.0f', now + length),
        'PX', math.ceil((length + tolerance) / 1000) + 1000)
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
    reserve: Lua,
    pause: Lua,
}

impl RateLimiter {
    /// A limiter whose keys live under the prefix of `redis`.
    pub fn new(redis: Redis, limit: RateLimit) -> Self {
        let lua = |main: &str| Lua::new(format!("{READ}{COUNT}{main}"));
        Self { redis, limit, reserve: lua(RESERVE), pause: lua(PAUSE) }
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
        let first = [self.interval_us(), self.tolerance_us(), micros(self.limit.longest_wait)];
        let wait = match self.run(&self.reserve, key, label, first).await {
            Ok(wait) if wait < 0 => Err(Duration::from_micros(wait.unsigned_abs())),
            Ok(wait) => {
                let wait = Duration::from_micros(wait.unsigned_abs());
                // So that nobody bursts here should Redis go away now.
                let until_the_next = wait + Duration::from_micros(self.interval_us());
                self.redis.alone().hold(Instant::now(), key, until_the_next);
                Ok(wait)
            }
            Err(error) => {
                tracing::debug!(%error, "keeping to a share of the rate limit");
                let pace = Pace {
                    interval: Duration::from_micros(self.interval_us()),
                    tolerance: Duration::from_micros(self.tolerance_us()),
                };
                self.redis.alone().reserve(Instant::now(), key, pace, self.limit.longest_wait)
            }
        };
        wait_for(wait?).await;
        Ok(())
    }

    /// Lets nobody make a call of `key` for this long, in any process; for an hour at the most.
    pub async fn pause(&self, key: &str, length: Duration) {
        self.hold(key, length, None).await;
    }

    /// The same, counted as an answer 429 for [`RateLimiter::traffic`].
    pub async fn pause_as(&self, key: &str, label: &str, length: Duration) {
        self.hold(key, length, Some(label)).await;
    }

    async fn hold(&self, key: &str, length: Duration, label: Option<&str>) {
        let length = length.min(LONGEST_PAUSE);
        self.redis.alone().pause(Instant::now(), key, length);
        let first = [micros(length), self.tolerance_us(), 0];
        if let Err(error) = self.run(&self.pause, key, label, first).await {
            tracing::warn!(%error, "the pause is known to this process only");
        }
    }

    /// Runs a script for a key.
    async fn run(
        &self,
        script: &Lua,
        key: &str,
        label: Option<&str>,
        first: [u64; 3],
    ) -> Result<i64, RedisError> {
        let (counts, whose) = self.counted(key, label);
        let keys = [self.key(key), self.pause_key(key)];
        let last = [self.furthest_us(), FURTHEST_PAUSE_US];
        let arguments = |command: &mut redis::Cmd| {
            command.arg(keys.len()).arg(&keys).arg(&first).arg(&counts).arg(&whose).arg(&last);
        };
        self.redis.call(|connection| script.run(connection, arguments)).await
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

    /// How many microseconds ahead the slots of a key are taken, by what Redis holds; what a script
    /// would take for wrong does not count here either.
    pub(crate) fn ahead(&self, arrival: Option<&str>, pause: Option<&str>, now_us: u64) -> u64 {
        let read = |text: Option<&str>, furthest| {
            let at = text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
            at.checked_sub(now_us).filter(|ahead| *ahead <= furthest)
        };
        let arrival = read(arrival, self.furthest_us());
        let pause = read(pause, FURTHEST_PAUSE_US).map(|ahead| ahead + self.tolerance_us());
        arrival.max(pause).unwrap_or(0)
    }

    /// No slot of ours is further ahead.
    fn furthest_us(&self) -> u64 {
        let queue = micros(self.limit.longest_wait.max(LONGEST_QUEUE));
        queue.saturating_add(self.tolerance_us() + self.interval_us())
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

    pub(crate) fn pause_key(&self, key: &str) -> String {
        self.redis.key(&format!("pause:{key}"))
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A script, sent by its hash where the server knows it. (The crate's own way asks every node of a
/// cluster to load it, so one that is away would fail them all.)
#[derive(Clone)]
struct Lua {
    code: String,
    hash: Script,
}

impl Lua {
    fn new(code: String) -> Self {
        Self { hash: Script::new(&code), code }
    }

    async fn run(
        &self,
        mut connection: Connection,
        arguments: impl Fn(&mut redis::Cmd),
    ) -> RedisResult<i64> {
        let mut by_hash = redis::cmd("EVALSHA");
        arguments(by_hash.arg(self.hash.get_hash()));
        match by_hash.query_async(&mut connection).await {
            Err(error) if error.kind() == ServerErrorKind::NoScript.into() => {}
            answer => return answer,
        }
        let mut by_code = redis::cmd("EVAL");
        arguments(by_code.arg(&self.code));
        by_code.query_async(&mut connection).await
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
