use std::sync::Arc;
use std::time::{Duration, Instant};

use mis_sync_wonde::{ClientConfig, Error, Unlimited};

use crate::fake::{Fake, RecordingLimit, Reply, config, json, school, school_with};

fn good() -> Reply {
    json(200, r#"{"data":{"id":"A100"}}"#)
}

/// The reply is followed by a good one, so one more try must succeed.
async fn heals(reply: Reply) {
    let fake = Fake::start(vec![reply, good()]).await;
    let school = school(&fake);
    assert_eq!(school.school().await.unwrap().id.as_str(), "A100");
    assert_eq!(school.requests_made(), 2);
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn passing_failures_heal() {
    for status in [408, 425, 429, 500, 502, 503, 504, 520] {
        heals(json(status, "<html>later</html>")).await;
    }
    // Answers of a gateway, with its own words.
    for status in [204, 302, 400, 402, 403, 404, 405, 407, 409, 421, 451] {
        let reply = json(status, if status == 204 { "" } else { "<html>no</html>" });
        heals(reply.header("content-type", "text/html")).await;
    }
    heals(Reply::Truncated).await;
    heals(json(200, "<html>maintenance</html>")).await;
    heals(json(200, r#"{"data":{"id":"A1"#)).await;
    let unzippable = Reply::Whole {
        status: 200,
        headers: vec![("content-encoding", "gzip".to_owned())],
        body: "this is not gzip".into(),
    };
    heals(unzippable).await;
}

#[tokio::test]
async fn lasting_failures_come_back_after_the_last_try() {
    let fake = Fake::start(vec![json(503, "")]).await;
    let error = school(&fake).school().await.unwrap_err();
    assert!(matches!(error, Error::Server { status: 503, .. }));
    assert_eq!(fake.seen().len(), 4);

    let fake = Fake::start(vec![Reply::Truncated]).await;
    let error = school(&fake).school().await.unwrap_err();
    assert!(matches!(error, Error::Network(_)) && error.is_transient(), "{error:?}");
    assert_eq!(fake.seen().len(), 4);

    let fake = Fake::start(vec![json(200, "nonsense")]).await;
    let error = school(&fake).school().await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }) && error.is_transient());
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn nobody_listening_is_a_network_error() {
    let mut fake = Fake::start(vec![good()]).await;
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    fake.base.set_port(Some(port)).unwrap();
    drop(free);
    let school = school(&fake);
    let error = school.school().await.unwrap_err();
    assert!(matches!(error, Error::Network(_)), "{error:?}");
    assert_eq!(school.requests_made(), 4);
}

#[tokio::test]
async fn a_hanging_server_is_a_timeout() {
    let fake = Fake::start(vec![Reply::Hang]).await;
    let impatient = ClientConfig { request_timeout_ms: 50, max_tries: 2, ..config() };
    let error = school_with(&fake, impatient, Arc::new(Unlimited)).school().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)) && error.is_transient(), "{error:?}");
    assert_eq!(fake.seen().len(), 2);
    fake.given_up(2).await;
}

/// Requests once, gets 429 with these headers and then a good answer. Returns the pauses and the
/// time.
async fn paused(headers: &[(&'static str, &str)]) -> (Vec<Duration>, Duration) {
    let mut limited = json(429, "{}");
    for (name, value) in headers {
        limited = limited.header(name, value);
    }
    let fake = Fake::start(vec![limited, good()]).await;
    let limit = Arc::new(RecordingLimit::default());
    let started = Instant::now();
    school_with(&fake, config(), limit.clone()).school().await.unwrap();
    assert_eq!(fake.seen().len(), 2);
    let pauses = limit.pauses.lock().unwrap().clone();
    (pauses, started.elapsed())
}

#[tokio::test]
async fn retry_after_is_waited_for_and_told_to_the_limiter() {
    let second = Duration::from_secs(1);
    let (pauses, elapsed) = paused(&[("retry-after", "1")]).await;
    assert_eq!(pauses, [second]);
    assert!(elapsed >= second, "{elapsed:?}");

    let dates = [
        ("date", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("retry-after", "Wed, 21 Oct 2015 07:28:01 GMT"),
    ];
    let (pauses, elapsed) = paused(&dates).await;
    assert_eq!(pauses, [second]);
    assert!(elapsed >= second, "{elapsed:?}");

    let (pauses, _) = paused(&[]).await;
    assert_eq!(pauses, [Duration::from_millis(1)], "the first backoff stands in");
}

#[tokio::test]
async fn limited_for_ever_stops_at_the_number_of_tries() {
    let fake = Fake::start(vec![json(429, "{}").header("retry-after", "0")]).await;
    let error = school(&fake).school().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::ZERO));
    assert_eq!(fake.seen().len(), 4);
}

#[tokio::test]
async fn limited_for_ever_stops_at_the_total_time() {
    let fake = Fake::start(vec![json(429, "{}").header("retry-after", "1")]).await;
    let short = ClientConfig { max_tries: 1_000, max_retry_elapsed_ms: 1_900, ..config() };
    let error = school_with(&fake, short, Arc::new(Unlimited)).school().await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { .. }));
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_long_retry_after_goes_to_the_caller_and_the_limiter() {
    let fake = Fake::start(vec![json(429, "{}").header("retry-after", "120")]).await;
    let limit = Arc::new(RecordingLimit::default());
    let error = school_with(&fake, config(), limit.clone()).school().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_mins(2)));
    assert_eq!(fake.seen().len(), 1);
    assert_eq!(*limit.pauses.lock().unwrap(), [Duration::from_mins(2)]);

    let fake = Fake::start(vec![json(503, "{}").header("retry-after", "120")]).await;
    let limit = Arc::new(RecordingLimit::default());
    let error = school_with(&fake, config(), limit.clone()).school().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_mins(2)));
    assert!(limit.pauses.lock().unwrap().is_empty(), "503 is no limit on us");
}
