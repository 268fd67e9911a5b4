//! A person logs in, and their data are brought up to date on the way.

mod doubts;
mod outages;
mod races;
mod rates;
mod rules;

use std::time::{Duration, Instant};

use futures::future::join_all;
use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, eventually};
use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, issues, one_school, sync, sync_with},
    rows::{execute, number, texts},
};

/// Longer than any refresh without trouble takes.
const PATIENT: u32 = 5000;

/// As if the last sync were longer ago than the freshness window.
const LATER: &str = "UPDATE school SET last_full_sync_at = now() - interval '16 minutes',
    updated_at = now() - interval '1 day'";

/// A school whose people are read at each login, synced once.
async fn synced_school() -> (TestApp, SchoolId) {
    synced_school_with(json!({})).await
}

/// The same with some of its own settings.
async fn synced_school_with(mut settings: Value) -> (TestApp, SchoolId) {
    settings["refresh_freshness_minutes"] = json!(0);
    let (app, school) = one_school(settings).await;
    sync(&app, &school).await;
    app.simulator.simulator().reset_requests();
    (app, school)
}

/// iP's id of a person.
async fn staff_id(app: &TestApp, wonde_id: &str) -> String {
    texts(app, &format!("SELECT id::text FROM staff WHERE wonde_id = '{wonde_id}'")).await.remove(0)
}

/// iP's id of a person who is active and teaches.
async fn anybody(app: &TestApp) -> String {
    everybody(app).await.remove(0)
}

/// iP's ids of all active people.
async fn everybody(app: &TestApp) -> Vec<String> {
    let sql = "SELECT id::text FROM staff WHERE active AND wonde_id IS NOT NULL ORDER BY id";
    texts(app, sql).await
}

/// The answer to a login.
async fn login(app: &TestApp, school: &SchoolId, person: &str, wait_ms: u32) -> (u16, Value) {
    let path = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms={wait_ms}");
    let answer = app.post(&path).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// A login whose refresh finishes in time; returns its outcome and its job's id.
async fn refreshed(app: &TestApp, school: &SchoolId, person: &str) -> (String, String) {
    let (status, answer) = login(app, school, person, PATIENT).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["job"]["kind"], "refresh-user", "{answer}");
    assert_eq!(answer["job"]["staff_id"], person);
    assert!(answer["age_seconds"].as_u64() < Some(30) && answer["as_of"].is_string(), "{answer}");
    let active = format!("SELECT count(*) FROM staff WHERE id = '{person}' AND active");
    assert_eq!(answer["active"], number(app, &active).await == 1, "{answer}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["outcome"]), text(&answer["job"]["id"]))
}

/// How many requests Wonde has seen.
fn requests(app: &TestApp) -> u64 {
    app.simulator.simulator().requests().total
}

async fn jobs(app: &TestApp) -> i64 {
    number(app, "SELECT count(*) FROM job WHERE kind = 'refresh-user'").await
}

/// The names of the fields that a job changed, each once.
async fn changed_fields(app: &TestApp, job: &str) -> Vec<String> {
    let sql = format!("SELECT DISTINCT field FROM job_change WHERE job_id = '{job}' ORDER BY 1");
    texts(app, &sql).await
}

#[tokio::test]
async fn whatever_changed_in_the_mis_is_there_after_the_login() {
    let (app, school) = synced_school().await;
    let table = [
        (ScenarioName::Rename, "surname"),
        (ScenarioName::EmailChange, "email"),
        (ScenarioName::NewInitials, "initials"),
        (ScenarioName::RoleChange, "job_title"),
        (ScenarioName::TeachingChange, "non_teaching"),
        (ScenarioName::ManagerChange, "line_manager_id"),
    ];
    for (scenario, field) in table {
        let touched = apply(&app, &school, scenario);
        for wonde_id in &touched {
            let person = staff_id(&app, wonde_id).await;
            let (outcome, job) = refreshed(&app, &school, &person).await;
            assert_eq!(outcome, "updated", "{scenario:?}");
            assert!(changed_fields(&app, &job).await.contains(&field.to_owned()), "{scenario:?}");
            let changed = texts(
                &app,
                "SELECT DISTINCT c.staff_id::text FROM job_change c
                JOIN job j ON j.id = c.job_id WHERE j.kind = 'refresh-user' AND c.record = 'staff'",
            )
            .await;
            assert!(changed.contains(&person));
        }
        assert_equal_to_truth(&app, &school).await;
    }
    // And a full sync finds nothing left to do.
    let report = sync(&app, &school).await;
    for count in ["created", "updated", "deactivated", "restored"] {
        assert_eq!(report[count], 0, "{report}");
    }
}

#[tokio::test]
async fn one_person_is_one_request_with_what_the_settings_need() {
    let (app, school) = synced_school_with(json!({ "import_classes": false })).await;
    let (outcome, job) = refreshed(&app, &school, &anybody(&app).await).await;
    assert_eq!(outcome, "unchanged");
    let asked = app.simulator.simulator().requests();
    assert_eq!(asked.total, 1, "{asked:?}");
    let includes: Vec<&String> = asked.includes["schools/{id}/employees/{id}"].keys().collect();
    assert_eq!(includes, ["contact_details", "employment_details", "hierarchy", "roles"]);
    assert!(changed_fields(&app, &job).await.is_empty());
    let report = app.job(&job).await["report"].clone();
    assert_eq!(report["outcome"], "unchanged");
    assert_eq!((&report["fetched"], &report["requests"]), (&json!(1), &json!(1)), "{report}");
}

#[tokio::test]
async fn provenance_names_the_refresh() {
    let (app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    let person = staff_id(&app, &touched[0]).await;
    let (_, job) = refreshed(&app, &school, &person).await;
    let shown = app.get(&format!("/v1/schools/{school}/staff/{person}")).send().await.unwrap();
    let shown: Value = shown.json().await.unwrap();
    let surname = shown["fields"].as_array().unwrap().iter().find(|f| f["field"] == "surname");
    let surname = surname.unwrap();
    assert_eq!(surname["last_set_by_job"], job);
    assert_eq!(surname["ip_value"], surname["mis_value"]);
}

#[tokio::test]
async fn who_is_no_longer_current_is_told_so_and_the_schools_policy_applies() {
    for (policy, active, answer) in
        [("deactivate", 0, "no_longer_current"), ("keep", 1, "unchanged")]
    {
        for scenario in [ScenarioName::Leaver, ScenarioName::Deleted] {
            let (app, school) = synced_school_with(json!({ "leaver_policy": policy })).await;
            let touched = apply(&app, &school, scenario);
            let person = staff_id(&app, &touched[0]).await;
            let (outcome, job) = refreshed(&app, &school, &person).await;
            assert_eq!(outcome, answer, "{scenario:?} {policy}");
            let still = format!("SELECT count(*) FROM staff WHERE id = '{person}' AND active");
            assert_eq!(number(&app, &still).await, active, "{scenario:?} {policy}");
            let changed = changed_fields(&app, &job).await;
            assert_eq!(changed.len(), usize::from(active == 0), "{changed:?}");
            let others = "SELECT count(*) FROM staff WHERE NOT active";
            assert_eq!(number(&app, others).await, 1 - active);
        }
    }
}

#[tokio::test]
async fn who_comes_back_is_restored_at_the_login() {
    let (app, school) = synced_school().await;
    let leaver = apply(&app, &school, ScenarioName::Leaver);
    let person = staff_id(&app, &leaver[0]).await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "no_longer_current");
    apply(&app, &school, Scenario { staff: leaver, ..ScenarioName::Restored.into() });
    let (outcome, job) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "updated");
    assert!(changed_fields(&app, &job).await.contains(&"active".to_owned()));
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn who_is_not_linked_is_told_how_to_be_and_wonde_is_not_asked() {
    let (app, school) = synced_school().await;
    execute(
        &app,
        &format!(
            "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
             VALUES (gen_random_uuid(), '{school}', 'by@hand.example', 'By', 'Hand', 'x')"
        ),
    )
    .await;
    let person = texts(&app, "SELECT id::text FROM staff WHERE wonde_id IS NULL").await.remove(0);
    let (status, answer) = login(&app, &school, &person, PATIENT).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("not_linked")));
    assert!(answer["hint"].as_str().unwrap().contains("work email"), "{answer}");
    assert!(answer["job"].is_null() && answer["as_of"].is_null());
    assert_eq!((requests(&app), jobs(&app).await), (0, 0));
}

#[tokio::test]
async fn who_was_read_a_short_while_ago_is_fresh_without_any_work() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let person = anybody(&app).await;
    app.simulator.simulator().reset_requests();
    let (status, answer) = login(&app, &school, &person, PATIENT).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("fresh")), "the sync delivered them");
    assert!(answer["age_seconds"].as_u64() < Some(60), "{answer}");
    assert_eq!((requests(&app), jobs(&app).await), (0, 0));

    // Sixteen minutes later the sync is too old, and then the refresh is fresh.
    execute(&app, LATER).await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged");
    let asked = requests(&app);
    assert_eq!(login(&app, &school, &person, PATIENT).await.1["outcome"], "fresh");
    assert_eq!(requests(&app), asked);
    let other = everybody(&app).await.pop().unwrap();
    assert_eq!(refreshed(&app, &school, &other).await.0, "unchanged", "the other was not read");

    // A person who was read under other settings is read again.
    app.connect_school_with(0, json!({ "job_title_editable": true })).await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged");
}

#[tokio::test]
async fn a_delta_makes_fresh_whom_it_delivers_and_nobody_else() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    execute(&app, LATER).await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    sync_with(&app, &school, json!({ "mode": "delta" })).await;
    let renamed = staff_id(&app, &touched[0]).await;
    assert_eq!(login(&app, &school, &renamed, PATIENT).await.1["outcome"], "fresh");
    let other = everybody(&app).await.into_iter().find(|id| *id != renamed).unwrap();
    assert_eq!(refreshed(&app, &school, &other).await.0, "unchanged");
}

#[tokio::test]
async fn a_sync_that_did_not_deliver_someone_does_not_make_them_fresh() {
    let (app, school) = one_school(json!({ "leaver_policy": "keep" })).await;
    sync(&app, &school).await;
    let touched = apply(&app, &school, ScenarioName::Leaver);
    execute(&app, LATER).await;
    sync(&app, &school).await;
    let person = staff_id(&app, &touched[0]).await;
    let (outcome, job) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "unchanged");
    assert_eq!(issues(&app, &job).await, []);
}

#[tokio::test]
async fn whoever_has_lost_the_work_email_logs_in_as_before_and_is_brought_up_to_date() {
    let (app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::EmailLost);
    let person = staff_id(&app, &touched[0]).await;
    let edit =
        format!("UPDATE staff SET initials = 'ZZZ', job_title = 'By hand' WHERE id = '{person}'");
    execute(&app, &edit).await;
    let of_person = format!("SELECT login FROM staff WHERE id = '{person}'");
    let login = texts(&app, &of_person).await;
    let (outcome, job) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "updated");
    let code = ("no_work_email".to_owned(), Some(touched[0].clone()));
    assert_eq!(issues(&app, &job).await, [code]);
    assert_eq!(texts(&app, &of_person).await, login);
    let title = format!("SELECT coalesce(job_title, '') FROM staff WHERE id = '{person}'");
    assert_ne!(texts(&app, &title).await, ["By hand"]);
}

#[tokio::test]
async fn many_logins_of_one_person_are_one_job_and_one_request() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    let hang = json!({ "path": "employees/", "hang_ms": 700, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    let answers = join_all((0..100).map(|_| login(&app, &school, &person, PATIENT))).await;
    let ids: std::collections::BTreeSet<String> =
        answers.iter().map(|(_, answer)| answer["job"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "one job");
    for (status, answer) in answers {
        assert_eq!((status, &answer["outcome"]), (200, &json!("unchanged")), "{answer}");
    }
    assert_eq!((requests(&app), jobs(&app).await), (1, 1));
}

#[tokio::test]
async fn syncs_that_fill_their_lane_do_not_delay_a_login() {
    let app = TestApp::start().await;
    let settings = json!({ "refresh_freshness_minutes": 0 });
    let school = app.connect_school_with(0, settings).await;
    sync(&app, &school).await;
    // Lists hang, single records do not.
    let hang = json!({ "path": "employees?", "hang_ms": 600_000, "count": 1000 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    let mut syncs = vec![app.press_sync(&school).await];
    for index in 1..6 {
        syncs.push(app.press_sync(&app.connect_school(index).await).await);
    }
    let running = "SELECT count(*) FROM job WHERE lane = 'bulk' AND state = 'running'";
    eventually("the lane of syncs is full", async || {
        (number(&app, running).await == 2).then_some(())
    })
    .await;
    for person in everybody(&app).await.iter().take(5) {
        assert_eq!(refreshed(&app, &school, person).await.0, "unchanged");
    }
    assert_eq!(number(&app, running).await, 2, "they are still at it");
}

#[tokio::test]
async fn who_does_not_wait_gets_the_job_and_the_age() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    let path = format!("/v1/schools/{school}/staff/{person}/refresh");
    let answer = app.post(&path).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["outcome"], &body["reason"]), (&json!("stale"), &json!("not_awaited")));
    assert!(body["age_seconds"].is_u64() && body["as_of"].is_string(), "{body}");
    let id = body["job"]["id"].as_str().unwrap();
    assert_eq!(location, format!("/v1/jobs/{id}"));
    let job = app.wait_until_finished(id).await;
    assert_eq!(job["report"]["outcome"], "unchanged", "{job}");
}

/// How long a login took.
async fn timed(app: &TestApp, school: &SchoolId, person: &str, wait: u32) -> (Duration, Value) {
    let started = Instant::now();
    let (_, answer) = login(app, school, person, wait).await;
    (started.elapsed(), answer)
}
