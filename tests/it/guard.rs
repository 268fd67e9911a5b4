//! Unusually large changes: held, shown, approved or rejected.

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, dry_run, issues, one_school, sync},
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
        assert_eq!(everything(&app).await, before, "no one was changed");
        // The dry run says the same.
        assert_eq!(dry_run(&app, &school).await["guard"], job["report"]["guard"]);

        // Rejected; the list is complete again, and the next sync finds nothing to do.
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
    // Not for everyone: that would look like withdrawn access, which empties nothing anyway.
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

/// The values that each category of the guard is about, as one text each.
async fn standing(app: &TestApp) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (category, sql) in [
        ("deactivated", "SELECT count(*)::text FROM staff WHERE active"),
        ("emails_changed", "SELECT string_agg(email, ' ' ORDER BY id) FROM staff"),
        ("job_titles_emptied", "SELECT string_agg(job_title, ',' ORDER BY id) FROM staff"),
        (
            "line_managers_emptied",
            "SELECT string_agg(line_manager_id::text, ' ' ORDER BY id) FROM staff",
        ),
        (
            "classes_emptied",
            "SELECT count(*)::text FROM class WHERE active
                AND EXISTS (SELECT FROM class_staff l WHERE l.class_id = class.id)",
        ),
    ] {
        all.push((category, texts(app, sql).await.remove(0)));
    }
    all
}

#[tokio::test]
async fn a_person_approves_category_by_category() {
    let limit = json!({"line_managers_emptied": {"percent": 20, "count": 5}});
    let (app, school) = one_school(json!({"guard": limit})).await;
    sync(&app, &school).await;
    for (scenario, count) in [
        (ScenarioName::EmailChange, 60),
        (ScenarioName::RolesEmptied, 60),
        (ScenarioName::ManagersLost, 40),
        (ScenarioName::ClassesEmptied, 10),
        (ScenarioName::Leaver, 20),
    ] {
        apply(&app, &school, Scenario { count: Some(count), ..scenario.into() });
    }
    let mut left: Vec<&str> =
        standing(&app).await.into_iter().map(|(category, _)| category).collect();
    while let Some(category) = left.pop() {
        let before = standing(&app).await;
        let job = held(&app, &school).await;
        let shown: Vec<&str> = job["report"]["guard"]
            .as_array()
            .unwrap()
            .iter()
            .map(|affected| affected["category"].as_str().unwrap())
            .collect();
        let expected: Vec<&str> = left.iter().copied().chain([category]).collect();
        assert_eq!(shown, expected);
        let path = format!("/v1/jobs/{}/approve", job["id"].as_str().unwrap());
        let body = json!({ "categories": [category], "reason": "as agreed" });
        let answer = app.post(&path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["approval"]["approved"][0]["category"], category);
        let done = app.wait_until_finished(job["id"].as_str().unwrap()).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        assert_eq!(done["report"]["left_out"], answer["approval"]["left_out"]);
        assert_eq!(done["report"]["left_out"].as_array().unwrap().len(), left.len());
        let found = issues(&app, job["id"].as_str().unwrap()).await;
        let said = found.iter().filter(|(code, _)| code.ends_with("_not_approved")).count();
        assert_eq!(said, left.len(), "{found:?}");

        let changed: Vec<&str> = standing(&app)
            .await
            .into_iter()
            .zip(before)
            .filter(|(after, before)| after != before)
            .map(|(after, _)| after.0)
            .collect();
        if left.is_empty() {
            // Now nothing is left out, and what the leavers taught or managed is without them.
            assert_eq!(changed.first(), Some(&category));
        } else {
            assert_eq!(changed, [category], "and nothing else");
        }
    }
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn an_approval_of_what_is_not_held_is_refused() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, Scenario { count: Some(20), ..ScenarioName::Leaver.into() });
    let job = held(&app, &school).await;
    let path = format!("/v1/jobs/{}/approve", job["id"].as_str().unwrap());
    for (body, status, part) in [
        (json!({"categories": ["new_ids"]}), 409, "not held for new_ids"),
        (json!({"categories": ["logins"]}), 400, "has to name at least one of deactivated"),
        (json!({"categories": []}), 400, "has to name at least one of deactivated"),
        (json!({"categories": "deactivated"}), 400, "has to be a list of texts"),
        (
            json!({"category": ["deactivated"]}),
            400,
            "known are `categories`, `leave_people` and `reason`",
        ),
    ] {
        let answer = app.post(&path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body}");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    assert_eq!(app.job(job["id"].as_str().unwrap()).await["state"], "held");
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
