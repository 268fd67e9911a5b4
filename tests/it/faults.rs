//! Wonde answers late, wrongly, or not at all.

use mis_sync_testing::{TestApp, TestAppOptions, http_client};
use serde_json::{Value, json};

use crate::{people::assert_equal_to_truth, process::MIS_SYNC, rows::texts};

/// Adds a fault through the simulator's control route, as an operator of it would.
async fn add_fault(app: &TestApp, fault: Value) {
    let url = format!("{}/faults", app.simulator.control_url());
    let answer = http_client().post(url).json(&fault).send().await;
    assert!(answer.unwrap().status().is_success(), "{fault}");
}

/// Presses *Sync Data* with a fault; the job must succeed in its first attempt.
async fn survives(fault: Value) {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    add_fault(&app, fault.clone()).await;
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(
        (&job["state"], &job["attempt"]),
        (&json!("succeeded"), &json!(1)),
        "{fault}: {job}"
    );
    assert_equal_to_truth(&app, &school).await;
    let status = &app.simulator.simulator().requests().by_status;
    assert!(status.values().sum::<u64>() > 4, "the fault cost at least one more request");
}

#[tokio::test]
async fn a_429_with_a_short_retry_after_is_waited_for() {
    survives(json!({ "path": "employees", "status": 429, "retry_after": 1, "count": 1 })).await;
}

#[tokio::test]
async fn a_500_then_good() {
    survives(json!({ "path": "employees", "status": 500, "count": 2 })).await;
}

#[tokio::test]
async fn a_truncated_body_then_good() {
    survives(json!({ "path": "page=2", "truncate": true, "count": 2 })).await;
}

#[tokio::test]
async fn a_long_retry_after_puts_the_job_off_without_spending_an_attempt() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    add_fault(&app, json!({ "path": "page=3", "status": 429, "retry_after": 120, "count": 1 }))
        .await;
    let job = app.press_sync(&school).await;
    let job = app.wait_for_job(&job, "the job is put off", |job| job["state"] == "retrying").await;
    assert_eq!(job["attempt"], 0, "no attempt is spent");
    assert_eq!(job["error"]["type"], "wonde_rate_limited");
    let seconds = "SELECT extract(epoch FROM next_attempt_at - now())::int::text FROM job";
    let wait: i64 = texts(&app, seconds).await[0].parse().unwrap();
    assert!((60..=120).contains(&wait), "due in {wait} s");
}

#[tokio::test]
async fn a_wonde_that_stays_broken_fails_the_job_in_the_end_and_says_why() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    add_fault(&app, json!({ "path": "employees", "status": 500, "count": 1000 })).await;
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("failed"), &json!(5)));
    assert_eq!(job["error"]["type"], "wonde_unavailable");
    let outcomes = texts(&app, "SELECT outcome FROM job_attempt ORDER BY fence").await;
    assert_eq!(outcomes, ["retry", "retry", "retry", "retry", "failed"]);

    // The next press is a new job, and Wonde works again.
    app.simulator.simulator().clear_faults();
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded");
}

#[tokio::test]
async fn no_second_sees_more_requests_than_the_limit_however_many_workers() {
    let options = TestAppOptions { rate_per_second: 5, ..Default::default() };
    assert_the_limit_is_kept(TestApp::start_with(options).await).await;
}

#[tokio::test]
async fn nor_does_it_without_redis() {
    let options = TestAppOptions { rate_per_second: 5, worker: false, ..Default::default() };
    let mut app = TestApp::start_with(options).await;
    app.servers.redis.kill().unwrap();
    app.start_worker();
    assert_the_limit_is_kept(app).await;
}

/// Syncs with three workers, two of them processes of their own.
async fn assert_the_limit_is_kept(app: TestApp) {
    let others = [(); 2].map(|()| MIS_SYNC.start(&app, &["worker"], &[]));
    let jobs = [app.connect_school(0).await, app.connect_school(1).await];
    // The same school twice, once as a dry run: two jobs share one token.
    let dry = app.post(&format!("/v1/schools/{}/sync", jobs[0])).json(&json!({ "dry_run": true }));
    let dry: Value = dry.send().await.unwrap().json().await.unwrap();
    for school in &jobs {
        let job = app.press_sync(school).await;
        assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded");
    }
    app.wait_until_finished(dry["id"].as_str().unwrap()).await;
    drop(others);
    for token in app.simulator.simulator().requests().per_token.values() {
        assert!(token.max_per_second <= 5, "{token:?}");
    }
}

#[tokio::test]
async fn a_401_stops_the_school_until_it_has_a_new_token() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let control = |name: &str| json!({ "name": name });
    let url = format!("{}/schools/{school}/scenario", app.simulator.control_url());
    let http = http_client();
    let rotated = http.post(url).json(&control("rotate_token")).send().await.unwrap();
    assert!(rotated.status().is_success());

    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("failed"), &json!(1)), "no use in trying");
    assert_eq!(job["error"]["type"], "wonde_unauthorized");
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(
        job["error"]["type"], "wonde_unauthorized",
        "the press is taken, and the token tried"
    );

    app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_403_fails_the_job_and_changes_nobody() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    app.wait_until_finished(&job).await;
    add_fault(&app, json!({ "path": "employees", "status": 403, "count": 1000 })).await;
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("failed"), &json!(1)));
    assert_eq!(job["error"]["type"], "wonde_forbidden");
    assert_equal_to_truth(&app, &school).await;
}
