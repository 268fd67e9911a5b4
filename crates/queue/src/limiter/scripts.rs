//! The window of a token in Redis, in Lua.
//!
//! A list holds the times of the calls that were granted within the last window, the newest first
//! (`calls`). Two more lists say which of these were made by syncs: from their own part (`own`), or
//! lent by the logins (`lent`). A call is granted only for now, never for later, so a loss of the
//! window cannot break a promise: a waiting call asks again. All times are microseconds of Redis'
//! own clock.

use std::time::Duration;

use redis::{FromRedisValue, RedisResult, Script, ServerErrorKind};

use crate::{redis::Connection, traffic::COUNT};

/// No period of this length sees more granted calls than the limit. It is longer than a second,
/// because calls are counted where they arrive and some take longer than others: up to
/// [`FRESH`](super::FRESH) before they are sent, and as much again on the way.
pub(crate) const WINDOW: Duration = Duration::from_millis(1_100);

/// For this long after a login has asked, syncs of its token use nothing of the logins' share.
const LOGINS_STAY: Duration = Duration::from_secs(10);

/// Reads values that others may have damaged. A value of another type, a value that is not a
/// number, and a time further ahead than we ever write count as missing.
const READ: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function number(text)
    local found = type(text) == 'string' and tonumber(text)
    return found and found == found and found or 0
end
local function text(at) return string.format('%.0f', at) end
local function clean(key, wanted)
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= wanted then redis.call('DEL', key) end
end
local function paused_until(key)
    clean(key, 'string')
    local at = number(redis.call('GET', key))
    return at <= now + FURTHEST and at or 0
end
";

/// Grants a call and returns when, or returns how long to wait, as a negative number; and the time
/// since when Redis knows of every call.
///
/// That is the last moment at which calls may have been granted that it has lost (it was emptied,
/// or is another server or another start of it: `known` says which one) or never heard of
/// (`ARGV[3]`: this process granted some alone). No call is granted for a window after that. A
/// clock that was set back has the same effect.
///
/// `ARGV[6]` is a call that was granted but came too late to be made: this one replaces it.
const ACQUIRE: &str = r"
local calls, own, lent, pause, share, known = unpack(KEYS)
local limit, kept = tonumber(ARGV[1]), tonumber(ARGV[2])

local function known_since()
    clean(known, 'string')
    local info = redis.pcall('INFO', 'server')
    local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or 'unnamed'
    local of, since = string.match(redis.call('GET', known) or '', '^(%w+) (%d+)$')
    since = number(since)
    if of ~= server or since > now or ARGV[3] == 'alone' then
        since = now
        redis.call('SET', known, server .. ' ' .. text(since))
    end
    return since
end

-- Drops what is over. A time ahead is of a clock that was set back: it may have been just now.
local function trim(key)
    clean(key, 'list')
    if math.max(number(redis.call('LINDEX', key, 0)), number(redis.call('LINDEX', key, -1))) > now then
        local all = redis.call('LRANGE', key, 0, -1)
        redis.call('DEL', key)
        for _, at in ipairs(all) do redis.call('RPUSH', key, text(math.min(number(at), now))) end
        redis.call('PEXPIRE', key, WINDOW / 1000 + 1000)
    end
    while redis.call('LLEN', key) > 0 and number(redis.call('LINDEX', key, -1)) <= now - WINDOW do
        redis.call('RPOP', key)
    end
end
-- When there is room for one more among so many.
local function room(key, most)
    if most < 1 then return math.huge end
    local at = number(redis.call('LINDEX', key, most - 1))
    return at > 0 and at + WINDOW or 0
end
local function note(key, at)
    redis.call('LPUSH', key, text(at))
    redis.call('PEXPIRE', key, WINDOW / 1000 + 1000)
end
local function of_share(field)
    local at = number(redis.call('HGET', share, field))
    return at <= now and at or 0
end
local function set_share(field)
    redis.call('HSET', share, field, text(now))
    redis.call('PEXPIRE', share, LOGINS_STAY / 1000)
end

-- When a sync may take one of the logins' share: in the first window at any time, later one after
-- the other, so that a login that comes has not long to wait for one of them to be over.
local function may_borrow()
    if of_share('login') > now - LOGINS_STAY then return math.huge end
    local last = of_share('last')
    if last < now - 2 * WINDOW then
        set_share('first')
    elseif of_share('first') <= now - WINDOW then
        return math.max(room(lent, kept), last + WINDOW / kept)
    end
    return room(lent, kept)
end

local since = known_since()
clean(share, 'hash')
for _, key in ipairs({calls, own, lent}) do
    trim(key)
    if ARGV[6] ~= '' then redis.call('LREM', key, 1, ARGV[6]) end
end
if kept == 0 then set_share('login') end
local at = math.max(since + WINDOW, paused_until(pause), room(calls, limit))
local takes
if kept > 0 then
    local of_own = room(own, limit - kept)
    takes = own
    if of_own > now then
        local of_lent = may_borrow()
        at = math.max(at, math.min(of_own, of_lent))
        if of_lent <= now then takes = lent end
    end
end
if at > now then return {-math.ceil(at - now), since} end
note(calls, now)
if takes then note(takes, now) end
if takes == lent then set_share('last') end
if ARGV[6] == '' then count('sent') end
return {now, since}
";

/// Ends the pause at a time from now, unless it already ends later, and counts that Wonde asked for
/// it.
const PAUSE: &str = r"
local length = tonumber(ARGV[1])
if now + length > paused_until(KEYS[1]) then
    redis.call('SET', KEYS[1], text(now + length), 'PX', math.ceil(length / 1000) + 1000)
end
count('limited')
return 0
";

/// States that Redis knows of every call so far.
const VOUCH: &str = r"
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return redis.call('SET', KEYS[1], server .. ' 0')
";

/// A script that is sent by its hash if the server knows it. (The crate's own way asks every node
/// of a cluster to load it, so one node that is away would fail them all.)
#[derive(Clone)]
pub(super) struct Lua {
    code: String,
    hash: Script,
}

impl Lua {
    pub(super) fn acquire() -> Self {
        Self::new(&[READ, COUNT, ACQUIRE])
    }

    pub(super) fn pause() -> Self {
        Self::new(&[READ, COUNT, PAUSE])
    }

    pub(super) fn vouch() -> Self {
        Self::new(&[VOUCH])
    }

    fn new(parts: &[&str]) -> Self {
        let constant = |name, time| format!("local {name} = {}\n", super::micros(time));
        let constants = [
            constant("WINDOW", WINDOW),
            constant("LOGINS_STAY", LOGINS_STAY),
            constant("FURTHEST", super::FURTHEST_PAUSE),
        ];
        let code = constants.concat() + &parts.concat();
        Self { hash: Script::new(&code), code }
    }

    pub(super) async fn run<T: FromRedisValue>(
        &self,
        mut connection: Connection,
        keys: &[String],
        arguments: &[String],
    ) -> RedisResult<T> {
        let with = |command: &mut redis::Cmd| {
            command.arg(keys.len()).arg(keys).arg(arguments);
        };
        let mut by_hash = redis::cmd("EVALSHA");
        with(by_hash.arg(self.hash.get_hash()));
        match by_hash.query_async(&mut connection).await {
            Err(error) if error.kind() == ServerErrorKind::NoScript.into() => {}
            answer => return answer,
        }
        let mut by_code = redis::cmd("EVAL");
        with(by_code.arg(&self.code));
        by_code.query_async(&mut connection).await
    }
}
