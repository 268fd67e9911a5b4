//! A school changes its MIS: all ids are new, the accounts stay.

use mis_sync_wonde_sim::{Mis, Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    press::{apply, one_school, sync},
    rows::{number, texts},
};

#[tokio::test]
async fn everybody_is_found_again_once_a_person_has_looked() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let accounts = "SELECT concat_ws('|', id, email, password_hash, active) FROM staff ORDER BY id";
    let before = texts(&app, accounts).await;
    let scenario = Scenario { mis: Some(Mis::Arbor), ..ScenarioName::MisMigration.into() };
    apply(&app, &school, scenario);

    let job = app.press_sync(&school).await;
    let job = app.wait_for_job(&job, "the job is held", |job| job["state"] == "held").await;
    let guard = job["report"]["guard"].as_array().unwrap();
    let new_ids = guard.iter().find(|affected| affected["category"] == "new_ids").unwrap();
    assert_eq!(new_ids["records"], before.len());
    assert_eq!((&job["report"]["created"], &job["report"]["deactivated"]), (&json!(0), &json!(0)));

    let id = job["id"].as_str().unwrap();
    let approved = app.post(&format!("/v1/jobs/{id}/approve")).send().await.unwrap();
    assert!(approved.status().is_success());
    let done: Value = app.wait_until_finished(id).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(texts(&app, accounts).await, before, "the same accounts, passwords included");
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let known = "SELECT wonde_id FROM staff WHERE active ORDER BY wonde_id";
    let mut expected: Vec<String> = truth.staff.into_iter().map(|person| person.wonde_id).collect();
    expected.sort();
    assert_eq!(texts(&app, known).await, expected);
    let history = "SELECT count(*) FROM job_change WHERE field = 'wonde_id'";
    assert_eq!(number(&app, history).await, i64::try_from(before.len()).unwrap());
}
