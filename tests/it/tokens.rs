//! A token that Wonde refuses: for a moment, for a while, for good.

use std::time::Duration;

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::{Fault, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{sync, sync_with},
    rows::{number, texts},
};

async fn one_school(token_probe_after: Duration) -> (TestApp, SchoolId) {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { simulator, token_probe_after, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    (app, school)
}

const NOT_TODAY: Duration = Duration::from_hours(24);

/// Answers the next `count` requests whose path contains `path` with 401.
fn refuse(app: &TestApp, path: &str, count: u32) {
    let fault = Fault { path: Some(path.into()), status: Some(401), count, ..Fault::default() };
    app.simulator.simulator().add_fault(fault);
}

async fn token_state(app: &TestApp, school: &SchoolId) -> Value {
    let answer = app.get(&format!("/v1/schools/{school}")).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["token_state"].clone()
}

async fn ended(app: &TestApp, school: &SchoolId) -> (Value, Value) {
    let job = app.press_sync(school).await;
    let job = app.wait_until_finished(&job).await;
    (job["state"].clone(), job["error"]["type"].clone())
}

fn unauthorized() -> (Value, Value) {
    (json!("failed"), json!("wonde_unauthorized"))
}

#[tokio::test]
async fn one_401_anywhere_is_a_fault_that_passes() {
    let (app, school) = one_school(NOT_TODAY).await;
    for path in ["employees", "page=2", "subjects", "include=employees", "photo", "counts"] {
        refuse(&app, path, 1);
        let everything = json!({ "photos": true });
        let id = sync_with(&app, &school, everything).await.0;
        assert_eq!(app.job(&id).await["attempt"], 1, "{path}");
        assert_eq!(token_state(&app, &school).await, "held", "{path}");
        app.simulator.simulator().clear_faults();
    }
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_list_that_answers_401_while_the_school_does_not_never_marks_the_token() {
    let (app, school) = one_school(NOT_TODAY).await;
    refuse(&app, "employees", 1000);
    let (state, error) = ended(&app, &school).await;
    assert_eq!((state, error), (json!("failed"), json!("wonde_unavailable")));
    assert_eq!(token_state(&app, &school).await, "held");
    app.simulator.simulator().clear_faults();
    sync(&app, &school).await;
}

#[tokio::test]
async fn one_401_at_a_login_marks_nothing() {
    let (app, school) = one_school(NOT_TODAY).await;
    sync(&app, &school).await;
    let person = texts(&app, "SELECT id::text FROM staff WHERE active LIMIT 1").await.remove(0);
    refuse(&app, "employees/", 1);
    let path = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    let answer: Value = app.post(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["outcome"], "unchanged", "{answer}");
    assert_eq!(token_state(&app, &school).await, "held");
}

#[tokio::test]
async fn a_press_at_a_school_whose_token_is_refused_tries_it_first() {
    let (app, school) = one_school(NOT_TODAY).await;
    refuse(&app, "", 1000);
    assert_eq!(ended(&app, &school).await, unauthorized());
    assert_eq!(token_state(&app, &school).await, "rejected");

    // Still refused: the school is requested twice, and nothing else is.
    app.simulator.simulator().reset_requests();
    assert_eq!(ended(&app, &school).await, unauthorized());
    let asked = app.simulator.simulator().requests().by_path;
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), [("schools/{id}".to_owned(), 2)]);

    // Accepted again: the same press restores the school.
    app.simulator.simulator().clear_faults();
    sync(&app, &school).await;
    assert_eq!(token_state(&app, &school).await, "held");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_job_that_failed_for_the_token_is_done_again_on_demand() {
    let (app, school) = one_school(NOT_TODAY).await;
    refuse(&app, "", 1000);
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["error"]["type"], "wonde_unauthorized");
    app.simulator.simulator().clear_faults();
    let again = app.post(&format!("/v1/jobs/{job}/retry")).send().await.unwrap();
    assert_eq!(again.status(), 202);
    let again: Value = again.json().await.unwrap();
    let again = app.wait_until_finished(again["id"].as_str().unwrap()).await;
    assert_eq!(again["state"], "succeeded", "{again}");
    assert_eq!(token_state(&app, &school).await, "held");
}

#[tokio::test]
async fn a_school_comes_back_by_itself_once_wonde_accepts_its_token() {
    let (app, school) = one_school(Duration::from_millis(50)).await;
    refuse(&app, "", 100_000);
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["error"]["type"], "wonde_unauthorized");
    let open = "SELECT kind FROM alert WHERE cleared_at IS NULL";
    eventually("the refused token is told of", async || {
        Some(texts(&app, open).await).filter(|kinds| kinds == &["token.rejected"])
    })
    .await;
    // It was tried, and refused again.
    let tried = "SELECT count(*) FROM school WHERE token_probed_at IS NOT NULL";
    eventually("the token is tried again", async || {
        Some(number(&app, tried).await).filter(|n| *n == 1)
    })
    .await;
    assert_eq!(token_state(&app, &school).await, "rejected");

    app.simulator.simulator().clear_faults();
    eventually("the school is back", async || {
        Some(token_state(&app, &school).await).filter(|state| state == "held")
    })
    .await;
    eventually("nothing is wrong any more", async || {
        Some(texts(&app, open).await).filter(Vec::is_empty)
    })
    .await;
    assert_eq!(number(&app, tried).await, 0);
    sync(&app, &school).await;
}

#[tokio::test]
async fn a_revoked_access_that_wonde_grants_again_brings_the_school_back_too() {
    let (app, school) = one_school(Duration::from_millis(50)).await;
    let revoked = app
        .simulator
        .simulator()
        .apply_scenario(school.as_str(), mis_sync_wonde_sim::ScenarioName::Revoke)
        .unwrap();
    app.post_webhook(&revoked.webhook.unwrap()).await;
    eventually("access has ended", async || {
        Some(token_state(&app, &school).await).filter(|state| state == "rejected")
    })
    .await;
    assert_eq!(ended(&app, &school).await, unauthorized());
    // The webhook of the new approval is lost.
    let granted = mis_sync_wonde_sim::ScenarioName::RestoreAccess;
    app.simulator.simulator().apply_scenario(school.as_str(), granted).unwrap();
    eventually("the school is back", async || {
        Some(token_state(&app, &school).await).filter(|state| state == "held")
    })
    .await;
}
