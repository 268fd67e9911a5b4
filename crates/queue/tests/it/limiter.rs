//! Times are checked in one direction only: nobody is let through too early. How late
//! somebody comes depends on how busy the machine is.

use std::time::Duration;

use futures::future::join_all;
use mis_sync_domain::SchoolId;
use mis_sync_queue::{RateLimit, RateLimiter};
use mis_sync_testing::{PATIENCE, Servers, eventually};
use tokio::time::Instant;

use crate::fixture::LONG;

/// Redis tells the time in microseconds and we in nanoseconds of another clock.
const CLOCKS: Duration = Duration::from_millis(5);

fn limit(per_second: u32, burst: u32) -> RateLimit {
    let positive = |number: u32| number.try_into().unwrap();
    RateLimit { per_second: positive(per_second), burst: positive(burst), longest_wait: LONG }
}

/// A limiter that refuses rather than waits for long.
pub(crate) fn in_a_hurry(redis: mis_sync_queue::Redis) -> RateLimiter {
    let longest_wait = Duration::from_secs(5);
    RateLimiter::new(redis, RateLimit { longest_wait, ..limit(50, 10) })
}

/// Calls of `key` by all limiters at once; when each was let through, since the first asked.
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

/// After the burst each next one comes an interval later at the earliest.
fn assert_never_early(times: &[Duration], per_second: u32, burst: u32) {
    let interval = Duration::from_secs(1) / per_second;
    for (n, time) in (0..).zip(times) {
        let earliest = interval * (n + 1_u32).saturating_sub(burst);
        assert!(*time + CLOCKS >= earliest, "call {n} after {time:?}, not {earliest:?}");
    }
}

#[tokio::test]
async fn two_processes_together_keep_to_the_limit() {
    let servers = Servers::start().await;
    let limiters = [(); 2].map(|()| RateLimiter::new(servers.open_redis(), limit(50, 10)));
    let times = grants(&limiters, "one", 60).await;
    assert_never_early(&times, 50, 10);
    // A burst has to be earned by quiet time, which there was none of.
    let times = grants(&limiters, "one", 10).await;
    assert_never_early(&times, 50, 10);
}

#[tokio::test]
async fn without_a_burst_calls_come_one_by_one() {
    let servers = Servers::start().await;
    let limiter = RateLimiter::new(servers.open_redis(), limit(40, 1));
    assert_never_early(&grants(&[limiter], "one", 12).await, 40, 1);
}

#[tokio::test]
async fn keys_do_not_hold_each_other_up() {
    let servers = Servers::start().await;
    let slow = RateLimiter::new(servers.open_redis(), limit(1, 1));
    slow.acquire("one").await.unwrap();
    slow.pause("one", LONG / 2).await;
    // Ends, where another hour's wait would not.
    slow.acquire("two").await.unwrap();
}

#[tokio::test]
async fn a_pause_stops_every_process_and_lets_nobody_burst_afterwards() {
    let servers = Servers::start().await;
    let limiters = [(); 2].map(|()| RateLimiter::new(servers.open_redis(), limit(50, 5)));
    let pause = Duration::from_millis(400);
    let start = Instant::now();
    limiters[0].pause("one", pause).await;
    let times = grants(&limiters, "one", 10).await;
    let late = start.elapsed().saturating_sub(*times.last().unwrap());
    // `times` count from their own start, which was `late` after ours.
    let since_the_end: Vec<Duration> =
        times.iter().map(|time| (*time + late + CLOCKS).saturating_sub(pause)).collect();
    assert!(times[0] + late + CLOCKS >= pause, "{times:?}");
    assert_never_early(&since_the_end, 50, 5);
}

#[tokio::test]
async fn a_shorter_pause_does_not_end_a_longer_one() {
    let servers = Servers::start().await;
    let limiter = RateLimiter::new(
        servers.open_redis(),
        RateLimit { longest_wait: Duration::from_secs(1), ..limit(50, 5) },
    );
    limiter.pause("one", LONG).await;
    limiter.pause("one", Duration::from_millis(1)).await;
    assert!(limiter.acquire("one").await.unwrap_err() > LONG / 2);
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_so_and_takes_no_place() {
    let servers = Servers::start().await;
    let impatient = RateLimit { longest_wait: Duration::from_secs(2), ..limit(10, 1) };
    let limiters = [(); 2].map(|()| RateLimiter::new(servers.open_redis(), impatient));
    limiters[0].pause("one", LONG).await;
    let mut waits = Vec::new();
    for n in 0..50 {
        let wait = limiters[n % 2].acquire("one").await.unwrap_err();
        assert!(wait <= LONG && wait > LONG / 2, "{wait:?}");
        waits.push(wait);
    }
    // Had each taken a place, the waits would grow by five seconds; so they only shrink.
    assert!(waits.is_sorted_by(|a, b| a >= b), "{waits:?}");
}

#[tokio::test]
async fn a_time_that_was_never_written_here_holds_nobody_up() {
    let servers = Servers::start().await;
    let impatient = RateLimit { longest_wait: Duration::from_secs(2), ..limit(50, 1) };
    let limiter = RateLimiter::new(servers.open_redis(), impatient);
    let client = redis::Client::open(servers.redis_url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (now, _): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await.unwrap();
    let two_hours_on = ((now + 7200) * 1_000_000).to_string();
    for name in ["rate", "pause"] {
        for odd in [&two_hours_on, "9e300", "nan", "inf", "-1", "", "junk", "4102444800000000"] {
            let key = format!("test:{name}:one");
            let () =
                redis::cmd("SET").arg(&key).arg(odd).query_async(&mut connection).await.unwrap();
            limiter.acquire_as("one", "oak").await.unwrap_or_else(|wait| panic!("{odd}: {wait:?}"));
            limiter.traffic().await.unwrap();
        }
        let key = format!("test:{name}:two");
        let () = redis::cmd("RPUSH").arg(&key).arg("x").query_async(&mut connection).await.unwrap();
        limiter.acquire_as("two", "oak").await.unwrap();
    }
    // A clock that was an hour fast for a moment.
    let an_hour_on = ((now + 3600) * 1_000_000).to_string();
    let set = async |connection: &mut _, key: &str| {
        redis::cmd("SET").arg(key).arg(&an_hour_on).query_async::<()>(connection).await.unwrap();
    };
    set(&mut connection, "test:rate:one").await;
    limiter.acquire("one").await.unwrap();
    // So long a pause may be meant.
    set(&mut connection, "test:pause:one").await;
    assert!(limiter.acquire("one").await.unwrap_err() > LONG / 2);
    limiter.pause("three", LONG * 48).await;
    let wait = limiter.acquire("three").await.unwrap_err();
    assert!(wait > LONG / 2 && wait <= LONG, "{wait:?}");
}

#[tokio::test]
async fn without_redis_a_process_keeps_to_its_share_and_goes_back_afterwards() {
    let mut servers = Servers::start().await;
    let limiter = RateLimiter::new(servers.open_redis(), limit(80, 4));
    limiter.acquire("one").await.unwrap();
    servers.redis.kill().unwrap();
    let one = std::slice::from_ref(&limiter);
    assert_never_early(&grants(one, "one", 14).await, 80 / 4, 4);

    servers.redis.restart().unwrap();
    let redis = servers.open_redis();
    eventually("the limit is in Redis again", async || {
        limiter.acquire("one").await.unwrap();
        let client = redis::Client::open(servers.redis_url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let held: bool =
            redis::cmd("EXISTS").arg("test:rate:one").query_async(&mut connection).await.unwrap();
        held.then_some(())
    })
    .await;
    redis.check(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_pause_holds_in_its_own_process_even_without_redis() {
    let mut servers = Servers::start().await;
    let impatient = RateLimit { longest_wait: Duration::from_secs(2), ..limit(80, 4) };
    let limiter = RateLimiter::new(servers.open_redis(), impatient);
    servers.redis.kill().unwrap();
    limiter.pause("one", LONG).await;
    let wait = limiter.acquire("one").await.unwrap_err();
    assert!(wait > LONG / 2 && wait <= LONG, "{wait:?}");
    limiter.acquire("two").await.unwrap();
    let start = Instant::now();
    limiter.pause("three", Duration::from_millis(300)).await;
    limiter.acquire("three").await.unwrap();
    assert!(start.elapsed() + CLOCKS >= Duration::from_millis(300));
}

#[tokio::test]
async fn what_was_let_out_and_refused_is_counted_by_minute_and_by_key() {
    let servers = Servers::start().await;
    let [one, other] = [(); 2].map(|()| RateLimiter::new(servers.open_redis(), limit(50, 10)));
    for _ in 0..3 {
        one.acquire_as("0a", "oak").await.unwrap();
    }
    other.acquire_as("0b", "elm").await.unwrap();
    other.acquire("syncs:0b").await.unwrap();
    other.pause_as("0b", "elm", LONG / 2).await;
    // Whoever is not let out is not counted.
    let impatient = RateLimit { longest_wait: Duration::ZERO, ..limit(50, 10) };
    let impatient = RateLimiter::new(servers.open_redis(), impatient);
    impatient.acquire_as("0b", "elm").await.unwrap_err();

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
