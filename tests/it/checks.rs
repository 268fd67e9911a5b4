//! Whether Wonde accepts a school's token, and what the school grants.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Fault, Feature, Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::{apply, one_school},
    process::run,
};

async fn check(app: &TestApp, school: &SchoolId) -> Value {
    let answer = app.post(&format!("/v1/schools/{school}/check")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

async fn shown(app: &TestApp, school: &SchoolId) -> Value {
    app.get(&format!("/v1/schools/{school}")).send().await.unwrap().json().await.unwrap()
}

fn state<'a>(check: &'a Value, part: &str) -> &'a Value {
    let grants = check["grants"].as_array().unwrap();
    &grants.iter().find(|grant| grant["part"] == part).unwrap()["state"]
}

fn withdraw(app: &TestApp, school: &SchoolId, feature: Feature) {
    apply(app, school, Scenario { scope: Some(feature), ..ScenarioName::WithdrawScope.into() });
}

#[tokio::test]
async fn a_school_that_grants_everything_misses_nothing() {
    let (app, school) = one_school(json!({ "import_subjects": true, "import_photos": true })).await;
    let check = check(&app, &school).await;
    assert_eq!((&check["token"], &check["missing"]), (&json!("accepted"), &json!([])), "{check}");
    let states: Vec<_> = check["grants"].as_array().unwrap().iter().map(|g| &g["state"]).collect();
    assert_eq!(states, ["granted"; 9]);
    let school = shown(&app, &school).await;
    assert_eq!(school["last_check"], check);
}

#[tokio::test]
async fn a_withdrawn_scope_is_named_in_words() {
    let (app, school) = one_school(json!({})).await;
    withdraw(&app, &school, Feature::LineManager);
    let check = check(&app, &school).await;
    assert_ne!(state(&check, "line_managers"), "granted");
    assert_eq!(state(&check, "job_titles"), "granted");
    assert_eq!(state(&check, "subjects"), "not_imported");
    let missing = check["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 1, "{check}");
    let words = missing[0].as_str().unwrap();
    assert!(words.starts_with("Line managers: "), "{words}");
    assert!(words.ends_with(" Line managers stay as they are in iP."), "{words}");
}

#[tokio::test]
async fn a_refused_token_is_said_and_a_good_one_heals_the_school() {
    let (app, school) = one_school(json!({})).await;
    apply(&app, &school, ScenarioName::RotateToken);
    let refused = check(&app, &school).await;
    assert_eq!((&refused["token"], &refused["grants"]), (&json!("refused"), &json!([])));
    assert_eq!(shown(&app, &school).await["token_state"], "rejected");
    // Stored and checked in one request.
    let simulated = app.simulated_school(0);
    let body = json!({
        "name": "Oak", "wonde_school_id": simulated.id, "token": simulated.token,
    });
    let path = format!("/v1/schools/{school}?verify=true");
    let answer = app.put(&path).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let stored: Value = answer.json().await.unwrap();
    assert_eq!(stored["token_state"], "held");
    assert_eq!(stored["last_check"]["token"], "accepted", "{stored}");
    assert!(stored["links"]["check"].as_str().unwrap().starts_with("/v1/jobs/"));

    let wrong = json!({ "token": "nonsense" });
    let answer = app.patch(&path).json(&wrong).send().await.unwrap();
    let stored: Value = answer.json().await.unwrap();
    assert_eq!(stored["token_state"], "rejected");
    assert_eq!(stored["last_check"]["token"], "refused");
}

#[tokio::test]
async fn without_a_worker_the_answer_is_the_job() {
    let simulator = SimulatorOptions { schools: 1, staff: 5, ..SimulatorOptions::default() };
    let options = TestAppOptions { simulator, worker: false, ..TestAppOptions::default() };
    let mut app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    let answer = app.post(&format!("/v1/schools/{school}/check")).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let job: Value = answer.json().await.unwrap();
    assert_eq!((&job["kind"], &job["state"]), (&json!("check-school"), &json!("queued")));
    app.start_worker();
    let id = job["id"].as_str().unwrap();
    assert_eq!(app.wait_until_finished(id).await["state"], "succeeded");
    assert_eq!(shown(&app, &school).await["last_check"]["token"], "accepted");
    app.delete(&format!("/v1/schools/{school}")).send().await.unwrap();
    let answer = app.post(&format!("/v1/schools/{school}/check")).send().await.unwrap();
    assert_eq!(answer.status(), 409);
}

#[tokio::test]
async fn a_wonde_that_is_away_is_not_an_answer() {
    let (app, school) = one_school(json!({})).await;
    let fault = Fault { status: Some(500), count: 1000, ..Fault::default() };
    app.simulator.simulator().add_fault(fault);
    let answer = app.post(&format!("/v1/schools/{school}/check")).send().await.unwrap();
    assert!([202, 503].contains(&answer.status().as_u16()), "{}", answer.status());
    assert_eq!(shown(&app, &school).await["last_check"], Value::Null);
}

#[tokio::test]
async fn the_command_says_the_same() {
    let (app, school) = one_school(json!({})).await;
    withdraw(&app, &school, Feature::Roles);
    let environment = app.environment();
    let variables: Vec<_> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let say = async |arguments: &[&str]| {
        String::from_utf8(run(arguments, &variables).await.stdout).unwrap()
    };
    let said = say(&["schools", "check", school.as_str()]).await;
    assert!(said.contains("Wonde accepts the token.") && said.contains("Job titles: "), "{said}");
    let shown = say(&["schools", "show", school.as_str()]).await;
    assert!(shown.contains("Job titles: "), "{shown}");
}
