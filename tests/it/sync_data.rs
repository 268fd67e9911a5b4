//! Press *Sync Data*, poll, read the table.

use std::collections::BTreeMap;

use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Fault, Mis, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};
use sqlx::Row;

use crate::{
    people::assert_equal_to_truth,
    rows::{number, select},
};

#[tokio::test]
async fn every_mis_arrives_person_by_person() {
    let app = TestApp::start().await;
    for index in 0..Mis::ALL.len() {
        let school = app.connect_school(index).await;
        let job = app.press_sync(&school).await;
        let job = app.wait_until_finished(&job).await;
        assert_eq!(job["state"], "succeeded", "{job}");
        assert_equal_to_truth(&app, &school).await;
    }
}

#[tokio::test]
async fn the_report_adds_up_and_every_skipped_person_has_a_reason() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    let report = |field: &str| job["report"][field].as_u64().unwrap();
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();

    assert_eq!(report("fetched"), app.simulated_school(0).staff as u64);
    assert_eq!(report("created"), truth.staff.len() as u64);
    assert_eq!(report("current"), report("created") + report("skipped"));
    assert_eq!((report("updated"), report("unchanged")), (0, 0));
    assert_eq!(job["progress"]["percent"], 100);
    assert_eq!(job["attempt"], 1);

    let page = format!("/v1/jobs/{}/issues?limit=200", job["id"].as_str().unwrap());
    let issues: Value = app.get(&page).send().await.unwrap().json().await.unwrap();
    let is_imported = |id: &str| truth.staff.iter().any(|person| person.wonde_id == id);
    let found: BTreeMap<&str, &str> = issues["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| (issue["wonde_id"].as_str().unwrap(), issue["code"].as_str().unwrap()))
        // A person whose manager was skipped is not skipped because of that, and neither is a
        // class.
        .filter(|(_, code)| !["manager_missing", "class_staff_missing"].contains(code))
        // Neither is a person with one name.
        .filter(|(id, code)| *code != "name_missing" || !is_imported(id))
        .collect();
    let reasons: Vec<(String, Value)> = truth
        .not_imported
        .iter()
        .map(|person| (person.wonde_id.clone(), json!(person.reason)))
        .filter(|(_, reason)| reason != "not_current")
        .collect();
    let wanted: BTreeMap<&str, &str> =
        reasons.iter().map(|(id, reason)| (id.as_str(), reason.as_str().unwrap())).collect();
    assert!(!wanted.is_empty(), "a school without problems proves nothing");
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn new_people_cannot_log_in_before_they_press_forgot_password() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    app.wait_until_finished(&job).await;
    let rows = select(&app, "SELECT password_hash, password_reset_required FROM staff").await;
    let mut hashes = std::collections::HashSet::new();
    for row in &rows {
        let hash: String = row.get("password_hash");
        assert!(hash.starts_with("$pbkdf2-sha256$"), "not a PHC string: {hash}");
        assert!(row.get::<bool, _>("password_reset_required"));
        hashes.insert(hash);
    }
    assert_eq!(hashes.len(), rows.len(), "no two people share a password");
}

#[tokio::test]
async fn an_unchanged_school_is_not_written() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let first = app.press_sync(&school).await;
    let created = app.wait_until_finished(&first).await["report"]["created"].clone();
    let versions = "SELECT id::text || xmin::text AS version FROM staff ORDER BY id";
    let before = crate::rows::texts(&app, versions).await;

    let second = app.press_sync(&school).await;
    assert_ne!(first, second, "the first job had ended");
    let second = app.wait_until_finished(&second).await;
    assert_eq!(second["report"]["unchanged"], created);
    assert_eq!(second["report"]["updated"], 0);
    assert_eq!(second["report"]["created"], 0);
    assert_eq!(crate::rows::texts(&app, versions).await, before);
}

#[tokio::test]
async fn changes_in_the_mis_arrive_and_nobody_else_is_touched() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let first = app.press_sync(&school).await;
    app.wait_until_finished(&first).await;
    let simulator = app.simulator.simulator();
    let scenarios = [
        (ScenarioName::Rename, "updated"),
        (ScenarioName::EmailChange, "updated"),
        (ScenarioName::EmailSwap, "updated"),
        (ScenarioName::NewInitials, "updated"),
        (ScenarioName::RoleChange, "updated"),
        (ScenarioName::TeachingChange, "updated"),
        (ScenarioName::ReAdded, "updated"),
        (ScenarioName::Joiner, "created"),
    ];
    for (scenario, counted_as) in scenarios {
        let touched = simulator.apply_scenario(school.as_str(), scenario).unwrap().touched.len();
        assert!(touched > 0, "{scenario:?} changed no one");
        let job = app.press_sync(&school).await;
        let job = app.wait_until_finished(&job).await;
        assert_eq!(job["report"][counted_as], touched, "{scenario:?}: {job}");
        assert_equal_to_truth(&app, &school).await;
    }
}

#[tokio::test]
async fn a_second_press_finds_the_running_job() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let hang: Fault =
        serde_json::from_value(json!({ "path": "employees", "hang_ms": 600_000, "count": 1 }))
            .unwrap();
    app.simulator.simulator().add_fault(hang);
    let first = app.press_sync(&school).await;
    app.wait_for_job(&first, "the job runs", |job| job["state"] == "running").await;

    let again = app.post(&format!("/v1/schools/{school}/sync")).send().await.unwrap();
    assert_eq!(again.status(), 200);
    let again: Value = again.json().await.unwrap();
    assert_eq!((&again["id"], &again["state"]), (&json!(first), &json!("running")));
    assert_eq!(number(&app, "SELECT count(*) FROM job").await, 1);
}

#[tokio::test]
async fn a_dry_run_reports_everything_and_changes_nobody() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let pressed = app
        .post(&format!("/v1/schools/{school}/sync"))
        .json(&json!({ "dry_run": true }))
        .send()
        .await
        .unwrap();
    let job: Value = pressed.json().await.unwrap();
    let job = app.wait_until_finished(job["id"].as_str().unwrap()).await;
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    assert_eq!(job["report"]["created"], truth.staff.len());
    assert_eq!(number(&app, "SELECT count(*) FROM staff").await, 0);
}

#[tokio::test]
async fn a_large_school_arrives_whole() {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 5_000, ..SimulatorOptions::default() },
        page_size: 200,
        ..TestAppOptions::default()
    })
    .await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(job["report"]["fetched"], 5_000);
    // 25 pages of staff and 13 of classes, with the count for the progress bar, and at the end of
    // each list up to three pages that were only guessed.
    let requests = job["report"]["requests"].as_u64().unwrap();
    assert!((39..=45).contains(&requests), "{requests}");
    assert_equal_to_truth(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM fetched_page").await, 0);
}
