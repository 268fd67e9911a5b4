//! Times are checked in one direction only: nothing is granted too early. How late it is depends on
//! how busy the machine is.

use std::time::Duration;

use futures::future::join_all;
use mis_sync_domain::SchoolId;
use mis_sync_queue::{Queue, RateLimit, RateLimiter};
use mis_sync_store::{wonde_pauses, workers::Place};
use mis_sync_testing::{PATIENCE, Servers, eventually};
use redis::FromRedisValue;
use tokio::time::Instant;

use crate::fixture::LONG;

/// Nothing is granted for this long after a loss, and no more than the limit within it.
const WINDOW: Duration = Duration::from_millis(1_100);

fn limit(per_second: u32) -> RateLimit {
    let per_second = per_second.try_into().unwrap();
    RateLimit { per_second, kept_for_logins: 0, longest_wait: LONG }
}

/// Refuses rather than waits.
fn at_once(per_second: u32) -> RateLimit {
    RateLimit { longest_wait: Duration::ZERO, ..limit(per_second) }
}

/// A limiter that refuses rather than waits for long.
pub(crate) fn in_a_hurry(queue: &Queue) -> RateLimiter {
    RateLimiter::new(queue, RateLimit { longest_wait: Duration::from_secs(5), ..limit(50) })
}

/// A Redis that knows of every call, and the limiter of one process.
async fn start(limit: RateLimit) -> (Servers, RateLimiter) {
    let servers = Servers::start().await;
    servers.open_redis().vouch().await.unwrap();
    let limiter = process(&servers, limit);
    (servers, limiter)
}

fn process(servers: &Servers, limit: RateLimit) -> RateLimiter {
    RateLimiter::new(&Queue::new(servers.pool(), servers.open_redis()), limit)
}

/// A process with its place among this many.
fn process_of(servers: &Servers, present: u32, limit: RateLimit) -> RateLimiter {
    let redis = servers.open_redis();
    redis.share_limits(Place { present, before: 0, clock: Duration::ZERO });
    RateLimiter::new(&Queue::new(servers.pool(), redis), limit)
}

/// Runs one command, its words separated by blanks.
async fn tell<T: FromRedisValue>(servers: &Servers, command: &str) -> T {
    let client = redis::Client::open(servers.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>()).query_async(&mut connection).await.unwrap()
}

/// How many calls are granted at once, and how long the next one has to wait.
async fn burst(limiter: &RateLimiter, key: &str) -> (u32, Duration) {
    for calls in 0..1000 {
        if let Err(wait) = limiter.acquire(key).await {
            return (calls, wait);
        }
    }
    panic!("there is no limit");
}

/// Calls of `key` by all limiters at once, and when each was granted, since the first request.
async fn grants(limiters: &[RateLimiter], key: &str, calls: usize) -> Vec<Duration> {
    let start = Instant::now();
    let calls = (0..calls).map(|n| async move {
        limiters[n % limiters.len()].acquire(key).await.unwrap();
        start.elapsed()
    });
    let mut times = join_all(calls).await;
    times.sort();
    times
}

fn assert_no_second_sees_more(times: &[Duration], limit: usize) {
    for calls in times.windows(limit + 1) {
        assert!(calls[limit] >= calls[0] + Duration::from_secs(1), "{times:?}");
    }
}

#[tokio::test]
async fn the_whole_limit_of_a_quiet_token_is_let_out_at_once_and_no_more() {
    let (servers, logins) = start(at_once(10)).await;
    let (calls, wait) = burst(&logins, "one").await;
    assert_eq!(calls, 10);
    assert!(wait > Duration::ZERO && wait <= WINDOW, "{wait:?}");
    assert_eq!(burst(&process(&servers, at_once(10)), "one").await.0, 0, "in all processes");
    let syncs = process(&servers, at_once(10).keeping_percent(30));
    assert_eq!(burst(&syncs, "two").await.0, 10, "no login has asked");
}

#[tokio::test]
async fn two_processes_together_keep_to_the_limit() {
    let (servers, one) = start(limit(20)).await;
    let syncs = limit(20).keeping_percent(30);
    let limiters = [one, process(&servers, limit(20)), process(&servers, syncs)];
    assert_no_second_sees_more(&grants(&limiters, "one", 70).await, 20);
}

#[tokio::test]
async fn logins_have_their_share_as_soon_as_one_has_asked() {
    let (servers, logins) = start(at_once(10)).await;
    let syncs = process(&servers, at_once(10).keeping_percent(30));
    logins.acquire("one").await.unwrap();
    assert_eq!(burst(&syncs, "one").await.0, 7);
    assert_eq!(burst(&logins, "one").await.0, 2);
    // A sync first gives back what it has taken, even to a login that was refused.
    assert_eq!(burst(&syncs, "two").await.0, 10);
    logins.acquire("two").await.unwrap_err();
    let patient = process(&servers, limit(10).keeping_percent(30));
    let seven = join_all((0..7).map(|_| patient.acquire("two"))).await;
    assert!(seven.into_iter().all(|call| call.is_ok()));
    assert_eq!(burst(&syncs, "two").await.0, 0);
    let soon = process(&servers, RateLimit { longest_wait: WINDOW / 2, ..limit(10) });
    let three = join_all((0..3).map(|_| soon.acquire("two"))).await;
    assert!(three.into_iter().all(|call| call.is_ok()));
}

#[tokio::test]
async fn a_login_waits_a_part_of_a_second_for_syncs_that_have_taken_all() {
    let (servers, logins) = start(at_once(10)).await;
    let syncs = process(&servers, limit(10).keeping_percent(30));
    // The first window belongs to the quiet token. A sync that fills the next ones leaves gaps.
    let times = grants(&[syncs], "one", 40).await;
    assert_no_second_sees_more(&times, 10);
    let is_more = |calls: &[Duration]| calls[0] > WINDOW * 2 && calls[7] < calls[0] + WINDOW;
    assert!(times.windows(8).any(is_more), "more than their own seven: {times:?}");
    if let Err(wait) = logins.acquire("one").await {
        assert!(wait <= WINDOW / 3 + Duration::from_millis(1), "{wait:?}");
    }
}

#[tokio::test]
async fn keys_do_not_hold_each_other_up() {
    let (_servers, slow) = start(at_once(1)).await;
    slow.acquire("one").await.unwrap();
    slow.pause("one", LONG / 2).await;
    slow.acquire("two").await.unwrap();
}

#[tokio::test]
async fn a_pause_stops_every_process_even_who_waits_already() {
    let (servers, one) = start(limit(5)).await;
    let others = [process(&servers, limit(5))];
    grants(std::slice::from_ref(&one), "one", 5).await;
    let pause = WINDOW + Duration::from_millis(500);
    let (times, ()) = tokio::join!(grants(&others, "one", 12), one.pause("one", pause));
    assert!(times[0] + Duration::from_millis(5) >= pause, "{times:?}");
    assert_no_second_sees_more(&times, 5);
}

#[tokio::test]
async fn a_shorter_pause_does_not_end_a_longer_one() {
    let (_servers, limiter) = start(at_once(50)).await;
    limiter.pause("one", LONG).await;
    limiter.pause("one", Duration::from_millis(1)).await;
    assert!(limiter.acquire("one").await.unwrap_err() > LONG / 2);
    limiter.pause("three", LONG * 48).await;
    let wait = limiter.acquire("three").await.unwrap_err();
    assert!(wait > LONG / 2 && wait <= LONG, "{wait:?}");
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_so_and_takes_no_place() {
    let (servers, one) = start(at_once(10)).await;
    let limiters = [one, process(&servers, at_once(10))];
    limiters[0].pause("one", LONG).await;
    for n in 0..50 {
        let wait = limiters[n % 2].acquire("one").await.unwrap_err();
        assert!(wait <= LONG && wait > LONG / 2, "{wait:?}");
    }
    let () = tell(&servers, "DEL test:pause:one").await;
    assert_eq!(burst(&limiters[0], "one").await.0, 10);
}

#[tokio::test]
async fn after_a_loss_of_the_window_nothing_is_let_out_for_a_second() {
    let (servers, one) = start(at_once(10)).await;
    let other = process(&servers, at_once(10));
    assert_eq!(burst(&one, "one").await.0, 10);
    let lost = async |how: &str| {
        for limiter in [&other, &one] {
            let (calls, wait) = burst(limiter, "one").await;
            assert!(calls == 0 && wait > WINDOW / 2 && wait <= WINDOW, "{how}: {calls} {wait:?}");
        }
    };
    let () = tell(&servers, "FLUSHALL").await;
    lost("emptied").await;
    // Another server, or another start of it, from a copy that may be older than a second.
    let set = redis::cmd("SET").arg("test:known").arg("0a 0").to_owned();
    let client = redis::Client::open(servers.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = set.query_async(&mut connection).await.unwrap();
    let () = tell(&servers, "DEL test:rate:one").await;
    lost("replaced").await;
}

#[tokio::test]
async fn a_time_that_was_never_written_here_holds_nothing_up_for_long() {
    let (servers, limiter) = start(at_once(50)).await;
    let patient = process(&servers, RateLimit { longest_wait: WINDOW * 2, ..limit(50) });
    let (now, _): (u64, u64) = tell(&servers, "TIME").await;
    let two_hours_on = ((now + 7200) * 1_000_000).to_string();
    for odd in [&two_hours_on, "9e300", "nan", "inf", "-1", "junk", "4102444800000000"] {
        let () = tell(&servers, &format!("SET test:pause:one {odd}")).await;
        limiter.acquire_as("one", "oak").await.unwrap_or_else(|wait| panic!("{odd}: {wait:?}"));
        limiter.traffic().await.unwrap();
    }
    let odd = format!("{two_hours_on} nan junk {two_hours_on} inf -1");
    for list in ["", ":own", ":lent"] {
        for end in ["LPUSH", "RPUSH"] {
            let () = tell(&servers, &format!("{end} test:rate:one{list} {odd}")).await;
        }
    }
    limiter.acquire("one").await.unwrap();
    for key in ["rate:two", "rate:two:own", "rate:two:lent", "rate:two:share"] {
        let () = tell(&servers, &format!("SET test:{key} 1")).await;
    }
    let () = tell(&servers, "RPUSH test:pause:two x").await;
    limiter.acquire_as("two", "oak").await.unwrap();
    let () = tell(&servers, "DEL test:known").await;
    let () = tell(&servers, "RPUSH test:known x").await;
    patient.acquire("two").await.unwrap();
    // A pause can be this long.
    let an_hour_on = ((now + 3600) * 1_000_000).to_string();
    let () = tell(&servers, &format!("SET test:pause:one {an_hour_on}")).await;
    assert!(limiter.acquire("one").await.unwrap_err() > LONG / 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_lets_nothing_out_twice() {
    let (servers, limiter) = start(at_once(5)).await;
    let (now, _): (u64, u64) = tell(&servers, "TIME").await;
    let ahead = ((now + 60) * 1_000_000).to_string();
    let all = [&*ahead; 5].join(" ");
    let () = tell(&servers, &format!("RPUSH test:rate:one {all}")).await;
    let (calls, wait) = burst(&limiter, "one").await;
    assert!(calls == 0 && wait <= WINDOW, "{calls} {wait:?}");
    let patient = process(&servers, RateLimit { longest_wait: WINDOW * 2, ..limit(5) });
    patient.acquire("one").await.unwrap();
}

/// How often scripts were called, and how often the limiter says that it granted something.
async fn asked_and_sent(servers: &Servers, limiter: &RateLimiter) -> (u64, u64) {
    let stats: String = tell(servers, "INFO commandstats").await;
    let calls = stats.split("cmdstat_evalsha:calls=").nth(1).unwrap().split(',').next().unwrap();
    let traffic = limiter.traffic().await.unwrap();
    (calls.parse().unwrap(), traffic.minutes.iter().map(|minute| minute.sent).sum())
}

#[tokio::test]
async fn a_call_that_was_let_out_late_is_asked_for_again_and_counts_once() {
    let (servers, limiter) = start(limit(10)).await;
    limiter.acquire_as("warm", "oak").await.unwrap();
    // Since Redis 7.2 the time stands still in a script, and since 7.4 there is another clock.
    let busy = "local clock = function()
            local t = redis.call('TIME')
            return t[1] + t[2] / 1000000
        end
        if pcall(function() return os.clock() end) then clock = os.clock end
        local start = clock() while clock() < start + 0.12 do end";
    // Whether the busy server is asked before or after the limiter is up to the machine.
    for round in 1..=50 {
        let before = asked_and_sent(&servers, &limiter).await;
        let client = redis::Client::open(servers.redis_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let (mut keep, key) = (redis::cmd("EVAL"), round.to_string());
        let keep = keep.arg(busy).arg(0).query_async::<()>(&mut connection);
        let (kept, acquired) = tokio::join!(keep, limiter.acquire_as(&key, "oak"));
        kept.unwrap();
        acquired.unwrap();
        let calls: u64 = tell(&servers, &format!("LLEN test:rate:{key}")).await;
        let after = asked_and_sent(&servers, &limiter).await;
        assert_eq!((calls, after.1), (1, before.1 + 1));
        if after.0 > before.0 + 1 {
            return;
        }
    }
    panic!("what came late was never asked for again");
}

#[tokio::test]
async fn a_pause_outlives_an_emptied_redis() {
    let (servers, one) = start(at_once(50)).await;
    one.pause("one", LONG).await;
    let () = tell(&servers, "FLUSHALL").await;
    let other = process(&servers, RateLimit { longest_wait: WINDOW * 2, ..limit(50) });
    other.acquire("two").await.unwrap();
    let wait = other.acquire("one").await.unwrap_err();
    assert!(wait > LONG / 2 && wait <= LONG, "{wait:?}");
}

#[tokio::test]
async fn without_redis_a_process_keeps_to_its_part_and_tells_redis_afterwards() {
    let mut servers = Servers::start().await;
    servers.open_redis().vouch().await.unwrap();
    let limiter = process_of(&servers, 4, limit(20));
    let one = std::slice::from_ref(&limiter);
    grants(one, "one", 20).await;
    servers.redis.kill().unwrap();
    let times = grants(one, "one", 12).await;
    assert!(times[0] + Duration::from_millis(5) >= WINDOW, "the next second is spent: {times:?}");
    assert_no_second_sees_more(&times, 5);

    servers.redis.restart().unwrap();
    let other = process(&servers, at_once(20));
    servers.open_redis().vouch().await.unwrap();
    assert_eq!(burst(&other, "two").await.0, 20, "this Redis knows of every call, it thinks");
    eventually("Redis is told", async || {
        limiter.acquire("one").await.unwrap();
        let known: String = tell(&servers, "GET test:known").await;
        (!known.ends_with(" 0")).then_some(())
    })
    .await;
    servers.open_redis().check(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_pause_holds_every_process_even_without_redis() {
    let mut servers = Servers::start().await;
    servers.redis.kill().unwrap();
    let impatient = RateLimit { longest_wait: WINDOW * 3, ..limit(80) };
    let [one, other] = [(); 2].map(|()| process_of(&servers, 2, impatient));
    one.acquire("one").await.unwrap();
    other.acquire("one").await.unwrap();
    one.pause("one", LONG).await;
    for limiter in [&other, &one] {
        let wait = limiter.acquire("one").await.unwrap_err();
        assert!(wait > LONG / 2 && wait <= LONG, "{wait:?}");
        limiter.acquire("two").await.unwrap();
    }
    // The ledger deletes it once it is over.
    wonde_pauses::note(&servers.pool(), "short", Duration::from_micros(1)).await.unwrap();
    wonde_pauses::note(&servers.pool(), "three", LONG).await.unwrap();
    let mut rows = wonde_pauses::list(&servers.pool()).await.unwrap();
    rows.sort();
    let keys: Vec<_> = rows.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["one", "three"]);
}

#[tokio::test]
async fn a_process_that_does_not_know_the_others_lets_nothing_out_without_redis() {
    let mut servers = Servers::start().await;
    servers.redis.kill().unwrap();
    let limiter = process(&servers, RateLimit { longest_wait: WINDOW * 2, ..limit(80) });
    limiter.acquire("one").await.unwrap_err();
}

#[tokio::test]
async fn what_was_let_out_and_refused_is_counted_by_minute_and_by_key() {
    let (servers, one) = start(limit(10)).await;
    let other = process(&servers, limit(10));
    for _ in 0..3 {
        one.acquire_as("0a", "oak").await.unwrap();
    }
    other.acquire_as("0b", "elm").await.unwrap();
    other.acquire("uncounted").await.unwrap();
    other.pause_as("0b", "elm", LONG / 2).await;
    // A call that is not granted is not counted.
    process(&servers, at_once(10)).acquire_as("0b", "elm").await.unwrap_err();

    let traffic = one.traffic().await.unwrap();
    let sent: u64 = traffic.minutes.iter().map(|minute| minute.sent).sum();
    let limited: u64 = traffic.minutes.iter().map(|minute| minute.limited).sum();
    assert_eq!((traffic.minutes.len(), sent, limited), (15, 4, 1));
    assert!(traffic.minutes.is_sorted_by(|a, b| (b.at - a.at).num_seconds() == 60));
    let [oak, elm] = &traffic.keys[..] else { panic!("{:?}", traffic.keys) };
    assert_eq!((oak.key.as_str(), oak.school.as_ref().map(SchoolId::as_str)), ("0a", Some("oak")));
    assert_eq!((oak.sent, oak.limited, oak.wait), (3, 0, Duration::ZERO));
    assert!((7..=10).contains(&oak.left), "{}", oak.left);
    assert_eq!((elm.sent, elm.limited, elm.left), (1, 1, 0));
    assert!(elm.wait > LONG / 3 && elm.wait <= LONG / 2, "{:?}", elm.wait);

    let client = redis::Client::open(servers.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> =
        redis::cmd("KEYS").arg("test:wonde:*").query_async(&mut connection).await.unwrap();
    assert!((2..=4).contains(&keys.len()), "{keys:?}");
    for key in keys {
        let ends: i64 = redis::cmd("TTL").arg(&key).query_async(&mut connection).await.unwrap();
        assert!((1..=1800).contains(&ends), "{key}: {ends}");
    }
}

#[tokio::test]
async fn a_redis_says_how_it_is() {
    let servers = Servers::start().await;
    let health = servers.open_redis().health().await.unwrap();
    assert!(health.version.is_some() && health.used_bytes > Some(0), "{health:?}");
    assert!(health.clients > Some(0) && health.persistence.is_some());
    assert_eq!(health.eviction.as_deref(), Some("noeviction"));
}
