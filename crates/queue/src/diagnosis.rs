//! What an operator should know about a Redis before a process uses it: what kind it is, what it
//! forbids, and what time it has.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use redis::{ConnectionAddr, FromRedisValue, RedisResult};

use crate::{Redis, RedisError, redis::Connection};

/// What is unusual about a Redis. `None` is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct RedisDiagnosis {
    /// The form of the address that is right for this server, if the present one is wrong.
    pub right_address: Option<String>,
    /// What the user may not do with our keys and channels, and needs.
    pub denied: Vec<String>,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead: Option<f64>,
}

/// Tries inside a script all that our scripts do. Each line of the argument is a command, in which
/// `KEY` stands for a key of ours.
const TRY: &str = r"
local denied = {}
for line in string.gmatch(ARGV[1], '[^\n]+') do
    local words = {}
    for word in string.gmatch(line, '%S+') do
        words[#words + 1] = word == 'KEY' and KEYS[1] or word
    end
    local answer = redis.pcall(unpack(words))
    local why = type(answer) == 'table' and answer.err and string.lower(answer.err) or ''
    for _, said in ipairs({'noperm', 'permission', 'acl failure', 'executing the script can'}) do
        if string.find(why, said, 1, true) then denied[#denied + 1] = words[1] break end
    end
end
redis.pcall('DEL', KEYS[1])
return denied";

/// What our scripts do, in an order in which every command finds a key of its type.
const IN_SCRIPTS: &str = "TIME\nINFO server\nDEL KEY\nTYPE KEY\nSET KEY 1 PX 1000\nGET KEY\n\
                          PEXPIRE KEY 1000\nEXPIRE KEY 1\nDEL KEY\nLPUSH KEY 1\nRPUSH KEY 2\n\
                          LLEN KEY\nLINDEX KEY 0\nLRANGE KEY 0 -1\nLREM KEY 1 1\nRPOP KEY\nDEL KEY\n\
                          HSET KEY a 1\nHINCRBY KEY a 1\nHGET KEY a";

impl Redis {
    /// Looks at the server on a connection of its own, because the shared one only comes up at a
    /// server that accepts writes.
    pub async fn diagnose(&self) -> Result<RedisDiagnosis, RedisError> {
        let mut connection = self.new_connection().await?;
        let right_address = self.right_address(&mut connection).await;
        let mut denied = Vec::new();
        if right_address.is_none() {
            denied = self.denied(&mut connection).await?;
        }
        let asked = SystemTime::now();
        let time: RedisResult<(u64, u64)> = redis::cmd("TIME").query_async(&mut connection).await;
        let clock_ahead = time.ok().map(|time| ahead(time, asked));
        Ok(RedisDiagnosis { right_address, denied, clock_ahead })
    }

    /// A Sentinel, and a node of a cluster, answer like a server of their own and keep nothing of
    /// ours.
    async fn right_address(&self, connection: &mut Connection) -> Option<String> {
        let address = self.address_of_one()?;
        let mut info = redis::cmd("INFO");
        let info: String = info.arg("server").query_async(connection).await.ok()?;
        let mode = info.lines().find_map(|line| line.trim_end().strip_prefix("redis_mode:"))?;
        let tls = if matches!(address, ConnectionAddr::TcpTls { .. }) { "rediss" } else { "redis" };
        match mode {
            "sentinel" => {
                let mut masters = redis::cmd("SENTINEL");
                let masters: Vec<HashMap<String, String>> =
                    masters.arg("MASTERS").query_async(connection).await.unwrap_or_default();
                let name = masters.into_iter().find_map(|mut master| master.remove("name"));
                let name = name.unwrap_or_else(|| "NAME-OF-THE-MASTER".to_owned());
                Some(format!("{tls}+sentinel://{address}/{name}"))
            }
            "cluster" => Some(format!("{tls}+cluster://{address}")),
            _ => None,
        }
    }

    /// Tries every command that we use.
    async fn denied(&self, connection: &mut Connection) -> Result<Vec<String>, RedisError> {
        let (key, channel) = (self.key("doctor"), self.ended_channel());
        let mut denied = Vec::new();
        for words in [
            &["SET", &key, "1", "PX", "1000"][..],
            &["GET", &key],
            &["DEL", &key],
            &["ZADD", &key, "0", "a"],
            &["BZPOPMIN", &key, "0.01"],
            &["ZADD", &key, "0", "a"],
            &["BZPOPMAX", &key, "0.01"],
            &["LRANGE", &key, "0", "-1"],
            &["HGETALL", &key],
            &["TIME"],
            &["EVALSHA", "0123456789012345678901234567890123456789", "1", &key],
            // No job has this id, so no one who waits is woken.
            &["PUBLISH", &channel, "doctor"],
        ] {
            let mut command = redis::cmd(words[0]);
            command.arg(&words[1..]);
            let answer: RedisResult<redis::Value> = command.query_async(connection).await;
            note(&mut denied, words[0], answer)?;
        }
        let mut script = redis::cmd("EVAL");
        script.arg(TRY).arg(1).arg(&key).arg(IN_SCRIPTS);
        match script.query_async::<Vec<String>>(connection).await {
            Ok(in_scripts) => denied.extend(in_scripts),
            Err(error) if is_denial(&error) => denied.push("EVAL".to_owned()),
            Err(error) => return Err(error.into()),
        }
        match self.subscribe_and_leave().await {
            Err(RedisError::Failed(error)) => note::<()>(&mut denied, "SUBSCRIBE", Err(error))?,
            other => other?,
        }
        denied.sort_unstable();
        denied.dedup();
        Ok(denied)
    }
}

/// Adds the command if it was not permitted. Any other refusal is about the data of the moment.
fn note<T: FromRedisValue>(
    denied: &mut Vec<String>,
    command: &str,
    answer: RedisResult<T>,
) -> Result<(), RedisError> {
    let Err(error) = answer else { return Ok(()) };
    if is_denial(&error) {
        denied.push(command.to_owned());
        return Ok(());
    }
    if error.is_io_error() { Err(error.into()) } else { Ok(()) }
}

fn is_denial(error: &redis::RedisError) -> bool {
    error.code() == Some("NOPERM") || error.to_string().contains("NOPERM")
}

fn ahead((seconds, micros): (u64, u64), asked: SystemTime) -> f64 {
    let since_1970 = |at: SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    };
    let theirs = Duration::from_micros(seconds * 1_000_000 + micros).as_secs_f64();
    theirs - f64::midpoint(since_1970(asked), since_1970(SystemTime::now()))
}
