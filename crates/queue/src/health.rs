//! How the Redis is, as it says itself. Hosted ones forbid some questions: what they do not tell is
//! unknown, and no error.

use std::{collections::HashMap, time::Duration};

use mis_sync_domain::named;
use redis::{AsyncCommands, FromRedisValue};

use crate::{Redis, RedisError, redis::Connection};

/// Memory is nearly full from so many percent on.
const NEARLY_FULL_PERCENT: u64 = 85;

/// How a Redis is. `None` is unknown everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisHealth {
    /// Its version, for example `7.4.1`.
    pub version: Option<String>,
    /// Bytes in use.
    pub used_bytes: Option<u64>,
    /// So many it may use; 0: as many as there are.
    pub max_bytes: Option<u64>,
    /// What it does when they are used up, for example `noeviction`.
    pub eviction: Option<String>,
    /// How it survives a restart.
    pub persistence: Option<Persistence>,
    /// Whether the last snapshot was written.
    pub last_save_ok: Option<bool>,
    /// For how long the last snapshot has been there.
    pub last_save_ago: Option<Duration>,
    /// Connected clients.
    pub clients: Option<u64>,
    /// What a person should look at.
    pub warnings: Vec<RedisWarning>,
}

/// How a Redis survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Persistence {
    /// By a log of every write.
    pub log: bool,
    /// By a snapshot now and then.
    pub snapshots: bool,
}

named!(
    /// What a person should look at.
    RedisWarning, "warning about Redis", {
        /// Full, it throws keys away: job ids wait for the sweeper then, and the rate limit forgets.
        EvictsKeys = "evicts_keys",
        /// A restart empties it: the sweeper delivers again, but the rate limit forgets.
        NoPersistence = "no_persistence",
        /// The last snapshot could not be written.
        SaveFailed = "save_failed",
        /// It is nearly as full as it may be.
        MemoryNearlyFull = "memory_nearly_full",
    }
);

impl RedisWarning {
    /// The same for people, and what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::EvictsKeys => {
                "Redis throws keys away when it is full. Set maxmemory-policy to noeviction."
            }
            Self::NoPersistence => {
                "Redis keeps nothing over a restart. Jobs are delivered again; switch on \
                 appendonly if pauses asked for by Wonde should survive."
            }
            Self::SaveFailed => "Redis could not write its last snapshot. See its log.",
            Self::MemoryNearlyFull => "Redis is nearly full. Give it more memory.",
        }
    }
}

impl Redis {
    /// Asks the server how it is (of a cluster the one that has our keys); only that it does not
    /// answer is an error.
    pub async fn health(&self) -> Result<RedisHealth, RedisError> {
        let key = self.key("probe");
        self.look(async move |mut connection| {
            let _it_answers: Option<String> = connection.get(&key).await?;
            let info = ask::<String>(&mut connection, &key, &["INFO"]).await;
            let mut settings: HashMap<String, String> = HashMap::new();
            for name in ["save", "maxmemory-policy"] {
                let asked = ask(&mut connection, &key, &["CONFIG", "GET", name]).await;
                settings.extend(asked.unwrap_or_else(HashMap::new));
            }
            Ok(read(&info.unwrap_or_default(), &settings))
        })
        .await
    }
}

/// The answer of the server that has `key`; `None`: it does not say.
async fn ask<T: FromRedisValue>(
    connection: &mut Connection,
    key: &str,
    words: &[&str],
) -> Option<T> {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let answer = connection.ask_owner_of(key, command).await.ok()?;
    redis::from_redis_value(answer).ok()
}

fn read(info: &str, settings: &HashMap<String, String>) -> RedisHealth {
    let info: HashMap<&str, &str> =
        info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let text = |name: &str| info.get(name).map(|value| (*value).to_owned());
    let number = |name: &str| info.get(name).and_then(|value| value.parse::<u64>().ok());
    let log = number("aof_enabled").map(|on| on == 1);
    let snapshots = settings.get("save").map(|points| !points.is_empty());
    let persistence = match (log, snapshots) {
        (Some(log), Some(snapshots)) => Some(Persistence { log, snapshots }),
        _ => None,
    };
    let ago = |at: u64| {
        let now = number("server_time_usec").map(|micros| micros / 1_000_000);
        now.map(|now| Duration::from_secs(now.saturating_sub(at)))
    };
    let mut health = RedisHealth {
        version: text("redis_version"),
        used_bytes: number("used_memory"),
        max_bytes: number("maxmemory"),
        eviction: text("maxmemory_policy").or_else(|| settings.get("maxmemory-policy").cloned()),
        persistence,
        last_save_ok: info.get("rdb_last_bgsave_status").map(|status| *status == "ok"),
        last_save_ago: number("rdb_last_save_time").and_then(ago),
        clients: number("connected_clients"),
        warnings: Vec::new(),
    };
    health.warnings = warnings(&health);
    health
}

fn warnings(health: &RedisHealth) -> Vec<RedisWarning> {
    let is_limited = health.max_bytes.is_some_and(|max| max > 0);
    let evicts = health.eviction.as_ref().is_some_and(|policy| policy != "noeviction");
    let nearly_full = match (health.used_bytes, health.max_bytes) {
        (Some(used), Some(max)) if max > 0 => used.saturating_mul(100) / max >= NEARLY_FULL_PERCENT,
        _ => false,
    };
    let nothing_kept = Persistence { log: false, snapshots: false };
    [
        (is_limited && evicts, RedisWarning::EvictsKeys),
        (health.persistence == Some(nothing_kept), RedisWarning::NoPersistence),
        (health.last_save_ok == Some(false), RedisWarning::SaveFailed),
        (nearly_full, RedisWarning::MemoryNearlyFull),
    ]
    .into_iter()
    .filter_map(|(is_so, warning)| is_so.then_some(warning))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_keeps_to_itself_is_unknown_and_warns_of_nothing() {
        let health = read("", &HashMap::new());
        assert_eq!((health.version, health.persistence, health.eviction), (None, None, None));
        assert_eq!(health.warnings, []);
    }

    #[test]
    fn each_trouble_has_its_warning() {
        let settings = |save: &str| HashMap::from([("save".to_owned(), save.to_owned())]);
        for (info, save, expected) in [
            ("maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n", "", RedisWarning::EvictsKeys),
            ("aof_enabled:0\r\n", "", RedisWarning::NoPersistence),
            ("rdb_last_bgsave_status:err\r\n", "60 1", RedisWarning::SaveFailed),
            ("used_memory:85\r\nmaxmemory:100\r\n", "60 1", RedisWarning::MemoryNearlyFull),
        ] {
            assert_eq!(read(info, &settings(save)).warnings, [expected], "{info}");
        }
        for (info, save) in [
            ("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", ""),
            ("aof_enabled:1\r\n", ""),
            ("aof_enabled:0\r\n", "60 1"),
            ("used_memory:84\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n", "60 1"),
        ] {
            assert_eq!(read(info, &settings(save)).warnings, [], "{info}");
        }
    }
}
