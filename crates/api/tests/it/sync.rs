//! Requesting a sync.

use mis_sync_domain::{JobFailure, Report, Role, SyncMode, SyncOptions};
use mis_sync_store::{jobs, schools};
use mis_sync_testing::a_person;
use serde_json::{Value, json};

use crate::support::{Answer, App, Ask};

fn press() -> Ask {
    Ask::post("/v1/schools/oak/sync")
}

fn with_key(key: &str) -> Ask {
    press().header("idempotency-key", key)
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_press_makes_a_job_and_a_second_one_finds_it() {
    let app = App::start().await;
    let school = app.school("oak").await;
    let first = app.admin(press()).await;
    assert_eq!(first.status, 202);
    assert_eq!(first.header("location"), format!("/v1/jobs/{}", id(&first)));
    assert_eq!(first.header("retry-after"), "1");
    assert_eq!(first.header("cache-control"), "no-store");

    let second = app.admin(press()).await;
    assert_eq!((second.status, &second.text), (200, &first.text));
    assert_eq!(second.header("location"), first.header("location"));
    let stored = app.all_jobs().await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].school_id, Some(school));
    assert_eq!(stored[0].requested_by.to_string(), "admin");
    assert!(!stored[0].options.dry_run);

    let lease = app.claim(stored[0].id).await;
    app.succeed(lease, &Report::default()).await;
    let after = app.admin(press()).await;
    assert_eq!(after.status, 202, "the first has ended");
    assert_ne!(id(&after), id(&first));
}

#[tokio::test]
async fn presses_at_the_same_time_make_one_job() {
    let app = App::start().await;
    app.school("oak").await;
    let presses: [Answer; 4] = tokio::join!(
        app.admin(press()),
        app.admin(press()),
        app.admin(press()),
        app.admin(press())
    )
    .into();
    let new = presses.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(new, 1);
    assert!(presses.iter().all(|answer| id(answer) == id(&presses[0])));
}

#[tokio::test]
async fn a_dry_run_stands_beside_a_sync() {
    let app = App::start().await;
    app.school("oak").await;
    let real = app.admin(press()).await;
    let dry = app.admin(press().json(&json!({"dry_run": true}))).await;
    let dry_again = app.admin(press().json(&json!({"dry_run": true, "mode": "full"}))).await;
    assert_eq!((real.status, dry.status, dry_again.status), (202, 202, 200));
    assert_ne!(id(&real), id(&dry));
    assert_eq!(id(&dry), id(&dry_again));
    let stored = jobs::get(&app.pool, id(&dry).parse().unwrap()).await.unwrap().unwrap();
    assert!(stored.options.dry_run);
}

#[tokio::test]
async fn a_body_is_optional_and_defaults_may_be_said() {
    let app = App::start().await;
    app.school("oak").await;
    let first = app.admin(press()).await;
    for ask in [
        press().text("application/json", ""),
        press().json(&json!({})),
        press().text("application/json; charset=utf-8", "{}"),
        press().json(&json!({"dry_run": false, "photos": false, "mode": "full"})),
        press().json(&json!({"dry_run": null, "photos": null, "mode": null})),
    ] {
        let answer = app.admin(ask).await;
        assert_eq!((answer.status, id(&answer)), (200, id(&first)));
    }
}

#[tokio::test]
async fn what_is_asked_for_is_stored_with_the_job() {
    let app = App::start().await;
    app.school("oak").await;
    let full = SyncMode::Full;
    for (body, dry_run, photos, mode) in [
        (json!({}), false, false, full),
        (json!({"photos": true}), false, true, full),
        (json!({"mode": "delta"}), false, false, SyncMode::Delta),
        (json!({"dry_run": true, "photos": true, "mode": "delta"}), true, true, SyncMode::Delta),
    ] {
        let answer = app.admin(press().json(&body)).await;
        assert_eq!(answer.status, 202, "{body}");
        let job = id(&answer).parse().unwrap();
        let stored = jobs::get(&app.pool, job).await.unwrap().unwrap();
        assert_eq!(stored.options, SyncOptions { dry_run, photos, mode });
        let lease = app.claim(job).await;
        app.succeed(lease, &Report::default()).await;
    }
}

#[tokio::test]
async fn an_unfinished_sync_is_the_answer_whatever_else_is_asked_for() {
    let app = App::start().await;
    app.school("oak").await;
    let first = app.admin(press()).await;
    for body in [json!({"photos": true}), json!({"mode": "delta"})] {
        let answer = app.admin(press().json(&body)).await;
        assert_eq!((answer.status, id(&answer)), (200, id(&first)), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_understood_is_refused_by_name() {
    let app = App::start().await;
    app.school("oak").await;
    for (body, wanted) in [
        (r#"{"dry_rum":true}"#, "`dry_rum` is not known"),
        (r#"{"dry_run":"yes"}"#, "`dry_run` has to be true or false"),
        (r#"{"mode":"weekly"}"#, "`mode` has to be"),
        (r#"{"mode":"Delta"}"#, "`mode` has to be"),
        (r#"{"mode":1}"#, "`mode` has to be a text"),
        (r#"{"photos":"yes"}"#, "`photos` has to be true or false"),
        ("[]", "no JSON object"),
        ("{", "ends too early (line 1, column 1)"),
    ] {
        let answer = app.admin(press().text("application/json", body)).await;
        let problem = answer.problem(400, "malformed-body");
        assert!(problem["detail"].as_str().unwrap().contains(wanted), "{problem}");
    }
    assert!(app.all_jobs().await.is_empty(), "nothing was enqueued");
}

#[tokio::test]
async fn a_school_that_cannot_be_synced_is_refused() {
    let app = App::start().await;
    for path in ["/v1/schools/oak/sync", "/v1/schools/o%20k/sync", "/v1/schools/%ff/sync"] {
        let answer = app.admin(Ask::post(path)).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    app.admin(press()).await.problem(404, "unknown-school");

    let oak = app.school("oak").await;
    schools::disconnect(&app.pool, &oak, &schools::OnlyIf::Always, &a_person()).await.unwrap();
    app.admin(press()).await.problem(409, "school-not-connected");
    assert!(app.all_jobs().await.is_empty(), "nothing was enqueued");
}

#[tokio::test]
async fn a_school_whose_token_was_refused_can_be_pressed_for() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    reject_token(&app.pool, &oak).await;
    assert_eq!(app.admin(press()).await.status, 202);
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_job_whatever_became_of_it() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let first = app.admin(with_key("one")).await;
    assert_eq!(first.status, 202);
    let job = id(&first).parse().unwrap();
    let lease = app.claim(job).await;
    let failure = JobFailure {
        code: "wonde_unauthorized".into(),
        title: "Wonde refused the token".into(),
        detail: "Connect the school again.".into(),
    };
    jobs::fail(&app.pool, lease, &failure).await.unwrap();
    let spelled_out = with_key("one").json(&json!({"mode": "full", "dry_run": false}));
    for ask in [with_key("one"), spelled_out] {
        let again = app.admin(ask).await;
        assert_eq!((again.status, id(&again)), (200, id(&first)));
        assert_eq!(again.json()["state"], "failed");
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("retry-after"), "", "it has ended");
    }

    // The answer to an old request stays, even if the school has lost its token meanwhile.
    schools::disconnect(&app.pool, &oak, &schools::OnlyIf::Always, &a_person()).await.unwrap();
    assert_eq!(app.admin(with_key("one")).await.status, 200);
    app.admin(with_key("two")).await.problem(409, "school-not-connected");
    assert_eq!(app.all_jobs().await.len(), 1);
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_request_of_one_caller() {
    let app = App::start().await;
    app.school("oak").await;
    app.school("elm").await;
    let first = app.admin(with_key("one")).await;
    let other = |body| with_key("one").json(&body);
    for ask in [
        other(json!({"dry_run": true})),
        other(json!({"photos": true})),
        other(json!({"mode": "delta"})),
        Ask::post("/v1/schools/elm/sync").header("idempotency-key", "one"),
    ] {
        app.admin(ask).await.problem(422, "idempotency-key-reused");
    }
    assert_eq!(app.all_jobs().await.len(), 1, "nothing was enqueued");

    let operator = app.key(Role::Operator, None).await;
    let elm = Ask::post("/v1/schools/elm/sync").header("idempotency-key", "one").key(&operator);
    let other = app.send(elm).await;
    assert_eq!(other.status, 202);
    assert_ne!(id(&other), id(&first));
}

#[tokio::test]
async fn an_idempotency_key_has_a_shape() {
    let app = App::start().await;
    app.school("oak").await;
    let longest = "x".repeat(255);
    for good in ["a", "\"6f1c\"", &longest] {
        assert!(app.admin(with_key(good)).await.status < 300, "{good}");
    }
    let jobs = app.all_jobs().await.len();
    for bad in ["", "a b", "é", &"x".repeat(256)] {
        app.admin(with_key(bad)).await.problem(400, "invalid-idempotency-key");
    }
    app.admin(with_key("a").header("idempotency-key", "b"))
        .await
        .problem(400, "invalid-idempotency-key");
    assert_eq!(app.all_jobs().await.len(), jobs, "nothing was enqueued");
}

#[tokio::test]
async fn a_press_is_accepted_while_redis_is_away() {
    let mut app = App::start().await;
    app.school("oak").await;
    app.servers.redis.kill().unwrap();
    let answer = app.admin(press()).await;
    assert_eq!(answer.status, 202);
    let shown: Value = app.admin(Ask::get(answer.header("location"))).await.json();
    assert_eq!(shown["state"], "queued");
}

/// Records that Wonde refused the token that the school has now.
async fn reject_token(pool: &mis_sync_store::Pool, id: &mis_sync_domain::SchoolId) {
    let school = schools::get(pool, id).await.unwrap().unwrap();
    schools::mark_token_rejected(pool, &school).await.unwrap();
}
