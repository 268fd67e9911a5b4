//! The button, and its effects.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Scenario, SimulatorOptions};
use serde_json::{Value, json};

/// One simulated school, connected with these settings.
pub(crate) async fn one_school(settings: Value) -> (TestApp, SchoolId) {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let app = TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let school = app.connect_school_with(0, settings).await;
    (app, school)
}

/// A sync that succeeds; returns its report.
pub(crate) async fn sync(app: &TestApp, school: &SchoolId) -> Value {
    sync_job(app, school).await.1
}

/// The same; returns the job's id as well.
pub(crate) async fn sync_job(app: &TestApp, school: &SchoolId) -> (String, Value) {
    sync_with(app, school, json!({})).await
}

/// A sync with these options.
pub(crate) async fn sync_with(app: &TestApp, school: &SchoolId, options: Value) -> (String, Value) {
    let pressed = app.post(&format!("/v1/schools/{school}/sync")).json(&options).send().await;
    let pressed = pressed.unwrap();
    assert_eq!(pressed.status(), 202, "{}", pressed.text().await.unwrap());
    let job: Value = pressed.json().await.unwrap();
    let id = job["id"].as_str().unwrap().to_owned();
    let job = app.wait_until_finished(&id).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    (id, job["report"].clone())
}

/// A dry run; returns its report.
pub(crate) async fn dry_run(app: &TestApp, school: &SchoolId) -> Value {
    sync_with(app, school, json!({ "dry_run": true })).await.1
}

/// Runs a scenario in the MIS, and returns the Wonde ids of the affected records.
pub(crate) fn apply(
    app: &TestApp,
    school: &SchoolId,
    scenario: impl Into<Scenario>,
) -> Vec<String> {
    app.simulator.simulator().apply_scenario(school.as_str(), scenario).unwrap().touched
}

/// Code and Wonde id of each issue of a job.
pub(crate) async fn issues(app: &TestApp, job: &str) -> Vec<(String, Option<String>)> {
    let page = app.get(&format!("/v1/jobs/{job}/issues?limit=200")).send().await.unwrap();
    let page: Value = page.json().await.unwrap();
    assert!(page["next_cursor"].is_null(), "more issues than a page holds");
    let pair = |issue: &Value| {
        let wonde_id = issue["wonde_id"].as_str().map(str::to_owned);
        (issue["code"].as_str().unwrap().to_owned(), wonde_id)
    };
    page["issues"].as_array().unwrap().iter().map(pair).collect()
}
