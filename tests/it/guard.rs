//! Implausible changes: held, shown, approved or rejected.

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, dry_run, one_school, sync},
    rows::{number, texts},
};

/// Presses the button and waits for the job to be held.
async fn held(app: &TestApp, school: &SchoolId) -> Value {
    let job = app.press_sync(school).await;
    let has_ended = |job: &Value| !["queued", "running"].iter().any(|state| job["state"] == *state);
    let job = app.wait_for_job(&job, "the job is held", has_ended).await;
    assert_eq!(job["state"], "held", "{job}");
    job
}

async fn act(app: &TestApp, job: &Value, action: &str) -> Value {
    let path = format!("/v1/jobs/{}/{action}", job["id"].as_str().unwrap());
    let answer = app.post(&path).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    app.wait_until_finished(job["id"].as_str().unwrap()).await
}

/// Everything of the school that a sync writes.
async fn everything(app: &TestApp) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["staff", "class", "class_staff"] {
        let sql = format!("SELECT t::text FROM {table} t ORDER BY 1");
        rows.extend(texts(app, &sql).await);
    }
    rows
}

fn assert_held_for(job: &Value, category: &str) {
    let guard = job["report"]["guard"].as_array().unwrap();
    let named = guard.iter().any(|affected| affected["category"] == category);
    assert!(named, "{category}: {guard:?}");
}

#[tokio::test]
async fn a_list_that_is_empty_or_shrank_is_held_and_changes_nobody() {
    for (scenario, left) in [(ScenarioName::Empty, 0), (ScenarioName::Shrink, 5)] {
        let (app, school) = one_school(json!({})).await;
        sync(&app, &school).await;
        let before = everything(&app).await;
        apply(&app, &school, Scenario { keep: Some(left), ..scenario.into() });
        let job = held(&app, &school).await;
        assert_held_for(&job, "deactivated");
        assert_eq!(job["error"]["type"], "implausible_change");
        assert_eq!(job["finished_at"], Value::Null);
        assert_eq!(everything(&app).await, before, "nobody was touched");
        // The dry run says the same.
        assert_eq!(dry_run(&app, &school).await["guard"], job["report"]["guard"]);

        // Rejected; the list is whole again, and the next sync finds nothing to do.
        let rejected = act(&app, &job, "reject").await;
        assert_eq!(
            (&rejected["state"], &rejected["error"]["type"]),
            (&json!("cancelled"), &json!("rejected"))
        );
        apply(&app, &school, ScenarioName::Refill);
        sync(&app, &school).await;
        assert_equal_to_truth(&app, &school).await;
        assert_eq!(everything(&app).await, before);
    }
}

#[tokio::test]
async fn what_a_person_approves_is_applied() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let leavers = Scenario { count: Some(20), ..ScenarioName::Leaver.into() };
    apply(&app, &school, leavers);
    let job = held(&app, &school).await;
    let done = act(&app, &job, "approve").await;
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(done["report"]["deactivated"], job["report"]["deactivated"]);
    assert_equal_to_truth(&app, &school).await;
    let said = "SELECT string_agg(actor || ' ' || action, ',') FROM audit_log
        WHERE job_id IS NOT NULL";
    assert_eq!(texts(&app, said).await, ["test approve"]);
}

#[tokio::test]
async fn emptied_titles_lost_managers_emptied_classes_and_new_logins_are_held() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let before = everything(&app).await;
    // Not of everybody: that would look like access withdrawn, which empties nothing anyway.
    for (scenario, count, expected) in [
        (ScenarioName::RolesEmptied, 20, "job_titles_emptied"),
        (ScenarioName::ManagersLost, 20, "line_managers_emptied"),
        (ScenarioName::ClassesEmptied, 10, "classes_emptied"),
        (ScenarioName::EmailChange, 20, "emails_changed"),
    ] {
        apply(&app, &school, Scenario { count: Some(count), ..scenario.into() });
        let job = held(&app, &school).await;
        assert_held_for(&job, expected);
        assert_eq!(everything(&app).await, before, "{expected}");
    }
    // All of it at once, approved.
    let job = held(&app, &school).await;
    assert_eq!(act(&app, &job, "approve").await["state"], "succeeded");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_summer_rollover_goes_through_by_itself() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Rollover);
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
    let taught =
        "SELECT count(DISTINCT class_id) FROM class_staff JOIN class ON class.id = class_id
        WHERE class.active";
    assert!(number(&app, taught).await > 0, "classes are not empty");
}

#[tokio::test]
async fn a_school_sets_its_own_limits() {
    let limit = json!({"guard": {"deactivated": {"percent": 0, "count": 0}}});
    let (app, school) = one_school(limit).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Leaver);
    assert_held_for(&held(&app, &school).await, "deactivated");

    let (app, school) = one_school(json!({"guard": {"enabled": false}})).await;
    sync(&app, &school).await;
    apply(&app, &school, Scenario { count: Some(20), ..ScenarioName::Leaver.into() });
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_new_press_looks_again() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Empty);
    let job = held(&app, &school).await;
    apply(&app, &school, ScenarioName::Refill);
    sync(&app, &school).await;
    let old = app.job(job["id"].as_str().unwrap()).await;
    assert_eq!((&old["state"], &old["error"]["type"]), (&json!("cancelled"), &json!("superseded")));
}
