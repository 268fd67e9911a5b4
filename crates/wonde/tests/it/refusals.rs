use std::sync::Arc;
use std::time::Duration;

use mis_sync_wonde::{AnyAddress, ClientConfig, Error, School, Unlimited, WondeClient};
use secrecy::SecretString;

use crate::fake::{
    Fake, RecordingLimit, Reply, TOKEN, config, id, json, page, school, school_with,
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
    assert!(matches!(refused(json(401, "{}")).await, Error::Unauthorized));
    assert!(matches!(refused(json(404, "{}")).await, Error::NotFound));
    for status in [400, 409, 410, 422] {
        let error = refused(json(status, "{}")).await;
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
    match refused(json(403, "<html>no</html>")).await {
        Error::Forbidden { scope } => assert_eq!(scope, None),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let foreign = Fake::start(vec![page("A2", None)]).await;
    for location in [foreign.base.as_str(), "{base}/schools/A200"] {
        let error = refused(json(302, "").header("location", location)).await;
        assert!(matches!(error, Error::Other { status: 302 }), "{error:?}");
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
