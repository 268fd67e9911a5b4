use std::sync::Arc;
use std::time::{Duration, Instant};

use mis_sync_wonde::{
    AnyAddress, ClientConfig, EmployeeInclude, Error, School, Unlimited, WondeClient,
};
use secrecy::SecretString;

use crate::fake::{
    Fake, RecordingLimit, Reply, TOKEN, config, id, including, json, page, school, school_with,
};

const PADDED: &[u8] = include_bytes!("padded.json.gz");

async fn refused(reply: Reply) -> Error {
    let fake = Fake::start(vec![reply]).await;
    let error = school(&fake).school().await.unwrap_err();
    assert_eq!(fake.seen().len(), 1, "a refusal is final: {error:?}");
    assert!(!error.is_transient());
    error
}

#[tokio::test]
async fn refusals_are_told_apart_and_not_repeated() {
    let gone = r#"{"error":"resource_not_found","error_description":"Resource not found"}"#;
    assert!(matches!(refused(json(404, gone)).await, Error::NotFound));
    let include = r#"{"error":"invalid_include","error_description":"cbds"}"#;
    assert!(matches!(refused(json(400, include)).await, Error::InvalidInclude { .. }));
    for status in [400, 422] {
        let error = refused(json(status, r#"{"error":"invalid"}"#)).await;
        assert!(matches!(error, Error::Other { status: s } if s == status), "{error:?}");
    }
}

#[tokio::test]
async fn a_forbidden_scope_is_named() {
    let body = r#"{"error":"invalid_permissions","error_description":"needs employees.read"}"#;
    match refused(json(403, body)).await {
        Error::Forbidden { scope } => assert_eq!(scope.as_deref(), Some("employees.read")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_include_is_named_where_it_was_asked_for() {
    let body = r#"{"error":"invalid_include","error_description":"hierarchy.employment_details"}"#;
    let fake = Fake::start(vec![json(400, body)]).await;
    let query = including(&[EmployeeInclude::Roles, EmployeeInclude::Hierarchy]);
    match school(&fake).employee(&id("A7"), &query).await {
        Err(Error::InvalidInclude { named }) => assert_eq!(named, ["hierarchy"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(fake.seen().len(), 1);
}

/// A good answer to a request for the school.
fn good() -> Reply {
    json(200, r#"{"data":{"id":"A100"}}"#)
}

#[tokio::test]
async fn a_token_is_refused_only_after_a_second_look() {
    let refusal = || json(401, r#"{"error":"unauthorized"}"#);
    // The school itself was requested first, and is requested again.
    let fake = Fake::start(vec![refusal()]).await;
    let client = school(&fake);
    assert!(matches!(client.school().await, Err(Error::Unauthorized)));
    assert_eq!((fake.seen().len(), client.requests_made()), (2, 2));

    // A 401 elsewhere makes the client request the school. The school answers, so the request is
    // tried again.
    let fake = Fake::start(vec![refusal(), good(), json(200, r#"{"data":{"id":"A7"}}"#)]).await;
    let employee = school(&fake).employee(&id("A7"), &including(&[])).await.unwrap();
    assert_eq!(employee.id.as_str(), "A7");
    let seen: Vec<String> = fake.seen().into_iter().map(|seen| seen.target).collect();
    let person = "/v1.0/schools/A100/employees/A7";
    assert_eq!(seen, [person, "/v1.0/schools/A100", person]);

    let fake = Fake::start(vec![refusal()]).await;
    let refused = school(&fake).employee(&id("A7"), &including(&[])).await;
    assert!(matches!(refused, Err(Error::Unauthorized)), "{refused:?}");
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_401_that_the_school_itself_does_not_confirm_is_a_passing_fault() {
    for second in [good(), json(403, r#"{"error":"invalid_permissions"}"#), json(503, "")] {
        let mut script = vec![json(401, "{}"), second];
        script.extend(script.clone());
        let fake = Fake::start(script).await;
        let twice = ClientConfig { max_tries: 2, ..config() };
        let client = school_with(&fake, twice, Arc::new(Unlimited));
        let error = client.employee(&id("A7"), &including(&[])).await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert_eq!(fake.seen().len(), 4, "{error:?}");
    }
}

#[tokio::test]
async fn the_second_look_waits_a_moment() {
    let fake = Fake::start(vec![json(401, "{}")]).await;
    let slow = ClientConfig { second_look_ms: 300, ..config() };
    let started = Instant::now();
    school_with(&fake, slow, Arc::new(Unlimited)).school().await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let foreign = Fake::start(vec![page("A2", None)]).await;
    for location in [foreign.base.as_str(), "{base}/schools/A200"] {
        let fake = Fake::start(vec![json(302, "").header("location", location), good()]).await;
        school(&fake).school().await.unwrap();
        let seen: Vec<String> = fake.seen().into_iter().map(|seen| seen.target).collect();
        assert_eq!(seen, ["/v1.0/schools/A100", "/v1.0/schools/A100"], "tried again where it was");
    }
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn the_token_goes_out_as_bearer() {
    let fake = Fake::start(vec![json(200, r#"{"data":{"id":"A100"}}"#)]).await;
    school(&fake).school().await.unwrap();
    assert_eq!(fake.seen()[0].authorization, Some(format!("Bearer {TOKEN}")));
}

async fn with_limit(reply: Reply, max_body_bytes: usize) -> (Result<School, Error>, u64) {
    let fake = Fake::start(vec![reply]).await;
    let limited = ClientConfig { max_body_bytes, ..config() };
    let school = school_with(&fake, limited, Arc::new(Unlimited));
    (school.school().await, school.requests_made())
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
    let body = r#"{"data":{"id":"A100"}}"#;
    let (outcome, _) = with_limit(json(200, body), body.len()).await;
    assert_eq!(outcome.unwrap().id.as_str(), "A100");
    let (outcome, requests) = with_limit(json(200, body), body.len() - 1).await;
    assert!(matches!(outcome, Err(Error::BodyTooLarge { limit }) if limit == body.len() - 1));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn the_limit_counts_bytes_after_decompression() {
    let padded = Reply::Whole {
        status: 200,
        headers: vec![("content-encoding", "gzip".to_owned())],
        body: PADDED.into(),
    };
    let (outcome, _) = with_limit(padded.clone(), 200_000).await;
    assert_eq!(outcome.unwrap().id.as_str(), "A1");
    assert!(PADDED.len() < 50_000, "small on the wire");
    let (outcome, _) = with_limit(padded, 50_000).await;
    assert!(matches!(outcome, Err(Error::BodyTooLarge { .. })), "{outcome:?}");
}

#[tokio::test]
async fn every_request_is_granted_by_the_limiter_and_none_without() {
    let fake = Fake::start(vec![json(500, ""), json(200, r#"{"data":{"id":"A100"}}"#)]).await;
    let limit = Arc::new(RecordingLimit::default());
    school_with(&fake, config(), limit.clone()).school().await.unwrap();
    let granted = limit.granted.lock().unwrap().clone();
    assert_eq!(granted.len(), 2);
    assert_eq!(granted[0], granted[1]);
    assert!(!granted[0].contains(TOKEN));

    let fake = Fake::start(vec![json(200, r#"{"data":{"id":"A100"}}"#)]).await;
    let limit = Arc::new(RecordingLimit {
        refuse: Some(Duration::from_mins(5)),
        ..RecordingLimit::default()
    });
    let client = school_with(&fake, config(), limit);
    let error = client.school().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
    assert!(matches!(error, Error::RateLimited { .. }));
    assert!(fake.seen().is_empty());
    assert_eq!(client.requests_made(), 0);
}

#[tokio::test]
async fn an_unusable_base_or_token_is_refused_before_any_request() {
    mis_sync_wonde::install_crypto_provider();
    mis_sync_wonde::install_crypto_provider();
    let client = WondeClient::new(config(), Arc::new(Unlimited), Arc::new(AnyAddress)).unwrap();
    let mail = "mailto:x@school.example".parse().unwrap();
    let token = SecretString::from(TOKEN);
    let refused = client.school(&id("A100"), &token, Some(&mail));
    assert!(matches!(refused, Err(Error::Config { .. })));
    let refused = client.school(&id("A100"), &SecretString::from("a\nb"), None);
    assert!(matches!(refused, Err(Error::Unauthorized)));
    let odd = ClientConfig { base_url: "ftp://api.example".parse().unwrap(), ..config() };
    assert!(matches!(
        WondeClient::new(odd, Arc::new(Unlimited), Arc::new(AnyAddress)),
        Err(Error::Config { .. })
    ));
}
