//! What Wonde posts.

use mis_sync_api::{WebhookSecrets, router};
use mis_sync_domain::{Role, WebhookState};
use mis_sync_store::webhooks::{self, WebhookEvent};
use mis_sync_testing::WEBHOOK_SECRET;
use serde_json::{Value, json};

use crate::support::{Answer, App, Ask, TOKEN, send};

fn approved() -> Value {
    json!({
        "payload_type": "schoolApproved",
        "school_id": "A1930499544",
        "school_name": "Oakfield School",
        "school_token": TOKEN,
        "school_urn": 123_456,
    })
}

fn path(secret: &str) -> String {
    format!("/v1/webhooks/wonde?secret={secret}")
}

async fn post(app: &App, body: &Value) -> Answer {
    app.send(Ask::post(&path(WEBHOOK_SECRET)).json(body)).await
}

async fn events(app: &App) -> Vec<WebhookEvent> {
    webhooks::list(&app.pool, 100).await.unwrap()
}

#[tokio::test]
async fn an_event_is_noted_and_its_token_sealed() {
    let app = App::start().await;
    let answer = post(&app, &approved()).await;
    assert_eq!(answer.status, 202);
    let events = events(&app).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(answer.json(), json!({ "event_id": event.id }));
    assert_eq!(event.kind, "schoolApproved");
    assert_eq!(event.wonde_school_id.as_deref(), Some("A1930499544"));
    assert_eq!((event.state, event.times_received), (WebhookState::Received, 1));
    assert_eq!(event.details, json!({ "school_name": "Oakfield School" }));
    let hex = hex::encode(TOKEN);
    app.sql(format!(
        "DO $$ BEGIN
            IF EXISTS (SELECT FROM webhook_event e WHERE e::text LIKE '%{TOKEN}%'
                OR e::text LIKE '%{hex}%' OR sealed_token IS NULL)
            THEN RAISE 'the token is there to be read, or not at all'; END IF;
        END $$"
    ))
    .await;
}

#[tokio::test]
async fn the_same_body_again_is_the_same_event() {
    let app = App::start().await;
    let first = post(&app, &approved()).await;
    let second = post(&app, &approved()).await;
    assert_eq!(first.text, second.text);
    let mut another = approved();
    another["school_token"] = "another".into();
    assert_ne!(post(&app, &another).await.text, first.text);
    let times: Vec<_> = events(&app).await.iter().map(|event| event.times_received).collect();
    assert_eq!(times, [1, 2]);
}

#[tokio::test]
async fn only_who_knows_a_secret_may_post() {
    let app = App::start().await;
    let ask = |path: &str| Ask::post(path).json(&approved());
    app.send(ask("/v1/webhooks/wonde")).await.problem(401, "webhook-secret-missing");
    let twice = format!("{}&secret={WEBHOOK_SECRET}", path(WEBHOOK_SECRET));
    app.send(ask(&twice)).await.problem(401, "webhook-secret-missing");
    let longer = format!("{WEBHOOK_SECRET}x");
    for wrong in ["", "x", &WEBHOOK_SECRET[1..], &longer] {
        let answer = app.send(ask(&path(wrong))).await;
        answer.problem(403, "webhook-secret-wrong");
        assert!(!answer.text.contains(&WEBHOOK_SECRET[1..]), "{}", answer.text);
    }
    app.admin(ask("/v1/webhooks/wonde")).await.problem(401, "webhook-secret-missing");
    // Who may not post is not told whether the body would do.
    app.send(Ask::post(&path("x")).text("application/json", "{"))
        .await
        .problem(403, "webhook-secret-wrong");
    assert!(events(&app).await.is_empty());
}

#[tokio::test]
async fn several_secrets_are_valid_at_once_and_without_any_nothing_is_taken() {
    let app = App::start().await;
    let with = |secrets: &str| {
        let secrets = WebhookSecrets::parse(&secrets.into()).unwrap();
        router(app.state.clone().with_webhook_secrets(secrets))
    };
    let both = with("the-old-secret-of-us,the-new+secret-of-us");
    for good in ["the-old-secret-of-us", "the-new+secret-of-us", "the-new%2Bsecret-of-us"] {
        let answer = send(&both, Ask::post(&path(good)).json(&approved())).await;
        assert_eq!(answer.status, 202, "{good}");
    }
    let wrong = send(&both, Ask::post(&path(WEBHOOK_SECRET)).json(&approved())).await;
    wrong.problem(403, "webhook-secret-wrong");
    let off = send(&with(""), Ask::post(&path("")).json(&approved())).await;
    off.problem(404, "webhooks-off");
}

#[tokio::test]
async fn a_body_that_cannot_be_understood_is_refused_without_being_quoted() {
    let app = App::start().await;
    let without = |field: &str| {
        let mut body = approved();
        body.as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    let with = |field: &str, value: Value| {
        let mut body = approved();
        body[field] = value;
        body.to_string()
    };
    for (body, word) in [
        (String::new(), "ends too early"),
        (format!("[\"{TOKEN}\"]"), "no JSON object"),
        (without("payload_type"), "`payload_type` is missing"),
        (with("payload_type", json!("two words")), "`payload_type`"),
        (with("payload_type", json!(1)), "`payload_type`"),
        (without("school_id"), "`school_id` is missing"),
        (with("school_id", json!("A/1")), "`school_id`"),
        (without("school_token"), "`school_token` is missing"),
        (with("school_token", json!("a b")), "`school_token`"),
        (with("school_token", Value::Null), "`school_token` is missing"),
    ] {
        let answer = app.send(Ask::post(&path(WEBHOOK_SECRET)).text("text/plain", body)).await;
        let problem = answer.problem(400, "malformed-body");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        assert!(!answer.text.contains(TOKEN));
    }
    let large = "x".repeat(70_000);
    app.send(Ask::post(&path(WEBHOOK_SECRET)).text("application/json", large))
        .await
        .problem(413, "body-too-large");
    assert!(events(&app).await.is_empty());
}

#[tokio::test]
async fn kinds_that_are_not_known_are_noted_without_what_they_say() {
    let app = App::start().await;
    let writeback = json!({"payload_type": "writeback", "writeback_id": "W1", "status": "done",
        "school_token": TOKEN, "name": "Ada Day", "school_id": 7});
    assert_eq!(post(&app, &writeback).await.status, 202);
    let event = events(&app).await.remove(0);
    assert_eq!((event.kind.as_str(), &event.details), ("writeback", &json!({})));
    assert_eq!(event.wonde_school_id, None);
    app.sql(
        "DO $$ BEGIN IF EXISTS (SELECT FROM webhook_event WHERE sealed_token IS NOT NULL) \
        THEN RAISE 'a token without a request'; END IF; END $$"
            .into(),
    )
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_asks_to_send_again() {
    let mut app = App::start().await;
    app.servers.postgres.kill().unwrap();
    let answer = post(&app, &approved()).await;
    answer.problem(503, "dependency-away");
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn a_key_that_is_bound_to_a_school_cannot_take_an_approval() {
    let app = App::start().await;
    post(&app, &approved()).await;
    app.sql("UPDATE webhook_event SET state = 'kept'".into()).await;
    let body = json!({ "name": "Oakfield School", "wonde_school_id": "A1930499544" });
    let bound = app.key(Role::App, Some("oak")).await;
    let ask = || Ask::put("/v1/schools/oak").json(&body);
    app.send(ask().key(&bound)).await.problem(403, "wonde-id-fixed");
    let unbound = app.key(Role::App, None).await;
    let school = app.send(ask().key(&unbound)).await;
    assert_eq!(school.status, 201);
    assert_eq!(school.json()["token_state"], "held");
    assert_eq!(events(&app).await[0].state, WebhookState::Applied);
    // What is taken is gone.
    let elm = Ask::put("/v1/schools/elm").json(&body);
    app.send(elm.key(&unbound)).await.problem(422, "token-missing");
}
