//! When to try again, and how long to wait. Only this module knows `backoff`.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::time::Instant;

use crate::config::ClientConfig;
use crate::error::Error;

/// A `Retry-After` beyond this is a mistake of the server, and must not stop a school for a week.
const MAX_BELIEVED: Duration = Duration::from_hours(1);

/// Runs `attempt` (with its number, from 1) until it succeeds, fails for good, or reaches the limit
/// on tries or on time. Then it returns the last error.
pub(crate) async fn retry<T, Fut>(
    config: &ClientConfig,
    mut attempt: impl FnMut(u32) -> Fut,
) -> Result<T, Error>
where
    Fut: Future<Output = Result<T, Error>>,
{
    let started = Instant::now();
    let mut tries = 0;
    backoff::future::retry(FullJitter::new(config, started), || {
        tries += 1;
        let number = tries;
        let outcome = attempt(number);
        async move {
            let classified = |error| classify(config, error, number, started.elapsed());
            outcome.await.map_err(classified)
        }
    })
    .await
}

/// Both limits are applied here, because `backoff` has no limit on tries and does not ask its
/// policy if an error has its own wait. A server that always sends `Retry-After` would be asked for
/// ever.
fn classify(
    config: &ClientConfig,
    error: Error,
    tries: u32,
    elapsed: Duration,
) -> backoff::Error<Error> {
    if !error.is_transient() || tries >= config.max_tries {
        return backoff::Error::permanent(error);
    }
    match error.retry_after() {
        None => backoff::Error::transient(error),
        Some(wait)
            if wait <= config.max_retry_after()
                && elapsed.saturating_add(wait) <= config.max_retry_elapsed() =>
        {
            backoff::Error::retry_after(error, wait)
        }
        Some(_) => backoff::Error::permanent(error),
    }
}

/// Random waits from zero to a limit that doubles with each try.
struct FullJitter {
    policy: ExponentialBackoff,
    deadline: Instant,
}

impl FullJitter {
    fn new(config: &ClientConfig, started: Instant) -> Self {
        let policy = ExponentialBackoff {
            current_interval: config.initial_backoff(),
            initial_interval: config.initial_backoff(),
            max_interval: config.max_backoff(),
            multiplier: 2.0,
            // From zero to twice the interval; `next_backoff` halves it.
            randomization_factor: 1.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { policy, deadline: started + config.max_retry_elapsed() }
    }
}

impl Backoff for FullJitter {
    fn reset(&mut self) {
        self.policy.reset();
    }

    fn next_backoff(&mut self) -> Option<Duration> {
        let wait = self.policy.next_backoff()? / 2;
        (Instant::now() + wait <= self.deadline).then_some(wait)
    }
}

/// Reads `Retry-After`, in seconds or as an HTTP date, up to [`MAX_BELIEVED`].
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => wait_until(http_date(headers.get(RETRY_AFTER))?, headers),
    };
    Some(wait.min(MAX_BELIEVED))
}

/// The server's own clock is the right one for the comparison. Ours is the fallback.
fn wait_until(moment: DateTime<Utc>, headers: &HeaderMap) -> Duration {
    let now = http_date(headers.get(DATE))
        .unwrap_or_else(|| DateTime::from(std::time::SystemTime::now()));
    (moment - now).to_std().unwrap_or(Duration::ZERO)
}

fn http_date(header: Option<&HeaderValue>) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc2822(header?.to_str().ok()?.trim()).ok()?;
    Some(moment.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ClientConfig {
        ClientConfig {
            max_tries: 5,
            max_retry_elapsed_ms: 60_000,
            initial_backoff_ms: 1_000,
            max_backoff_ms: 4_000,
            max_retry_after_ms: 20_000,
            ..ClientConfig::default()
        }
    }

    fn limited(seconds: u64) -> Error {
        Error::RateLimited { retry_after: Some(Duration::from_secs(seconds)) }
    }

    fn unavailable() -> Error {
        Error::Server { status: 503, retry_after: None }
    }

    /// How often `fail` was called, and how long it took on the paused clock.
    async fn run(config: &ClientConfig, fail: impl Fn() -> Error) -> (u32, Duration) {
        let started = Instant::now();
        let mut tries = 0;
        let outcome: Result<(), Error> = retry(config, |number| {
            tries = number;
            std::future::ready(Err(fail()))
        })
        .await;
        assert!(outcome.is_err());
        (tries, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn transient_failures_end_at_the_limit_of_tries() {
        let (tries, elapsed) = run(&config(), unavailable).await;
        assert_eq!(tries, 5);
        assert!(elapsed <= Duration::from_secs(1 + 2 + 4 + 4), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_failure_is_not_repeated() {
        assert_eq!(run(&config(), || Error::NotFound).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_for_ever_ends_at_the_limit_of_tries() {
        let (tries, elapsed) = run(&config(), || limited(2)).await;
        assert_eq!(tries, 5);
        assert!(elapsed >= Duration::from_secs(8), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_for_ever_ends_at_the_limit_of_time() {
        let config = ClientConfig { max_tries: 1_000, ..config() };
        let (tries, elapsed) = run(&config, || limited(20)).await;
        assert_eq!(tries, 4);
        assert!(elapsed < Duration::from_secs(61), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn backoff_for_ever_ends_at_the_limit_of_time() {
        let config = ClientConfig { max_tries: 1_000_000, ..config() };
        let (tries, elapsed) = run(&config, unavailable).await;
        assert!(tries > 10, "{tries}");
        assert!(elapsed < Duration::from_secs(61), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_retry_after_goes_to_the_caller_at_once() {
        let (tries, elapsed) = run(&config(), || limited(21)).await;
        assert_eq!(tries, 1);
        assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    }

    #[test]
    fn waits_fill_the_whole_range_and_no_more() {
        let config = ClientConfig { max_backoff_ms: 1_000, ..config() };
        let mut waits = FullJitter::new(&config, Instant::now());
        let drawn: Vec<Duration> = (0..500).filter_map(|_| waits.next_backoff()).collect();
        assert_eq!(drawn.len(), 500);
        // The probability that 500 even draws miss a tenth at either end is below 10^-22.
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(*least < Duration::from_millis(100), "{least:?}");
        assert!(*most > Duration::from_millis(900), "{most:?}");
        assert!(*most <= Duration::from_millis(1_001), "{most:?}");
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("999999999", Some(3_600)),
            ("Thu, 31 Dec 2099 23:59:59 GMT", Some(3_600)),
            ("soon", None),
            ("-3", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            headers.insert(DATE, "Wed, 21 Oct 2015 07:28:00 GMT".parse().unwrap());
            let wait = retry_after(&headers);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
