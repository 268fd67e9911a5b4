//! Requests to Wonde and how much of each rate is left, for operators. The limiter counts as it
//! grants, in the same call. Keys are hashes of tokens, and schools are named by their label.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use mis_sync_domain::SchoolId;
use redis::RedisResult;

use crate::{
    RateLimiter, RedisError,
    limiter::{WINDOW, left},
    redis::Connection,
};

/// Counts one call by minute, and by five minutes and key. `ARGV[4]` begins the names of the counts
/// (nothing is counted if it is empty), `ARGV[5]` says whose call it is. Names depend on the time,
/// so they cannot be among the script's keys; in a cluster their prefix puts them on the same node.
/// A count that fails does not block the call.
pub(crate) const COUNT: &str = r"
local function count(what)
    if ARGV[4] == '' then return end
    local minute = math.floor(time[1] / 60)
    local of_minute = ARGV[4] .. ':minute:' .. string.format('%.0f', minute)
    local of_keys = ARGV[4] .. ':keys:' .. string.format('%.0f', math.floor(minute / 5))
    redis.pcall('HINCRBY', of_minute, what, 1)
    redis.pcall('EXPIRE', of_minute, 1200)
    redis.pcall('HINCRBY', of_keys, ARGV[5] .. ':' .. what, 1)
    redis.pcall('EXPIRE', of_keys, 1800)
end
";

/// How many minutes are shown.
const MINUTES: u64 = 15;

/// Requests that were sent, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WondeTraffic {
    /// The last fifteen minutes, oldest first; the last one is not over.
    pub minutes: Vec<MinuteTraffic>,
    /// Every token that was used in the last fifteen to twenty minutes, the busiest first.
    pub keys: Vec<KeyTraffic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinuteTraffic {
    /// Its start, by the clock of Redis.
    pub at: DateTime<Utc>,
    /// Requests that were granted.
    pub sent: u64,
    /// Answers that asked us to wait (429).
    pub limited: u64,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTraffic {
    /// 32 hex digits of the token's SHA-256.
    pub key: String,
    /// iP's own key of the school; `None` if the caller did not say.
    pub school: Option<SchoolId>,
    /// Requests that were granted.
    pub sent: u64,
    /// Answers that asked us to wait (429).
    pub limited: u64,
    /// Requests that can be sent immediately.
    pub left: u64,
    /// How long the next one waits.
    pub wait: Duration,
}

impl RateLimiter {
    /// Recent requests of all keys, and what this limiter would grant now.
    pub async fn traffic(&self) -> Result<WondeTraffic, RedisError> {
        self.redis().look(|connection| self.read_traffic(connection)).await
    }

    async fn read_traffic(&self, mut connection: Connection) -> RedisResult<WondeTraffic> {
        let time: (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        let (minute, now_us) = (time.0 / 60, time.0 * 1_000_000 + time.1);
        let minutes = (minute.saturating_sub(MINUTES - 1)..=minute).collect::<Vec<_>>();
        let counts = self.counts(&mut connection, "minute", &minutes).await?;
        let of = |counts: &BTreeMap<String, u64>, what| counts.get(what).copied().unwrap_or(0);
        let minutes = minutes.iter().zip(&counts).map(|(minute, counts)| MinuteTraffic {
            at: from_seconds(minute * 60),
            sent: of(counts, "sent"),
            limited: of(counts, "limited"),
        });
        let slots = (minute / 5 - MINUTES / 5..=minute / 5).collect::<Vec<_>>();
        let by_key = self.counts(&mut connection, "keys", &slots).await?;
        let mut keys = sum(&by_key);
        self.look_at_rates(&mut connection, &mut keys, now_us).await?;
        keys.sort_by(|a, b| b.sent.cmp(&a.sent).then_with(|| a.key.cmp(&b.key)));
        Ok(WondeTraffic { minutes: minutes.collect(), keys })
    }

    async fn counts(
        &self,
        connection: &mut Connection,
        what: &str,
        slots: &[u64],
    ) -> RedisResult<Vec<BTreeMap<String, u64>>> {
        let mut pipe = redis::pipe();
        for slot in slots {
            pipe.hgetall(format!("{}:{what}:{slot}", self.counts_key()));
        }
        pipe.query_async(connection).await
    }

    async fn look_at_rates(
        &self,
        connection: &mut Connection,
        keys: &mut [KeyTraffic],
        now_us: u64,
    ) -> RedisResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let limit = self.per_second();
        let mut pipe = redis::pipe();
        for key in keys.iter() {
            pipe.lrange(self.key(&key.key), 0, -1).get(self.pause_key(&key.key));
        }
        let held: Vec<(Vec<String>, Option<String>)> = pipe.query_async(connection).await?;
        for (key, (calls, pause)) in keys.iter_mut().zip(held) {
            let in_window = calls.iter().map(|call| left(call, WINDOW, now_us));
            let in_window = in_window.filter(|left| !left.is_zero());
            let in_window: Vec<Duration> = in_window.take(limit as usize).collect();
            let is_full = in_window.len() == limit as usize;
            let room_in = in_window.last().filter(|_| is_full).copied().unwrap_or_default();
            key.wait = left(pause.as_deref().unwrap_or_default(), Duration::ZERO, now_us);
            key.wait = key.wait.max(room_in);
            key.left = u64::from(limit) - in_window.len() as u64;
            if !key.wait.is_zero() {
                key.left = 0;
            }
        }
        Ok(())
    }
}

/// The counts of all slots together. Values that do not look like counts are left out.
fn sum(slots: &[BTreeMap<String, u64>]) -> Vec<KeyTraffic> {
    let mut keys: BTreeMap<(String, String), KeyTraffic> = BTreeMap::new();
    for (field, count) in slots.iter().flatten() {
        let mut parts = field.split(':');
        let (Some(key), Some(label), Some(what)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let of_key = keys.entry((key.to_owned(), label.to_owned())).or_insert(KeyTraffic {
            key: key.to_owned(),
            school: label.parse().ok(),
            sent: 0,
            limited: 0,
            left: 0,
            wait: Duration::ZERO,
        });
        match what {
            "sent" => of_key.sent += count,
            "limited" => of_key.limited += count,
            _ => {}
        }
    }
    keys.into_values().collect()
}

fn from_seconds(seconds: u64) -> DateTime<Utc> {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
