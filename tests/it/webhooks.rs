//! Webhooks from Wonde, and what a worker does with them.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, WEBHOOK_SECRET, eventually, http_client};
use mis_sync_wonde_sim::{Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::sync,
    process::{MIS_SYNC, run},
    rows::{number, texts},
};

async fn app() -> TestApp {
    let simulator = SimulatorOptions { schools: 2, staff: 12, ..SimulatorOptions::default() };
    TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await
}

/// Runs a scenario at Wonde, and returns what it posts.
pub(crate) fn webhook_of(app: &TestApp, school: &str, scenario: impl Into<Scenario>) -> Value {
    let simulator = app.simulator.simulator();
    simulator.apply_scenario(school, scenario).unwrap().webhook.unwrap()
}

/// Posts it and waits for the result: state and reason.
pub(crate) async fn outcome(app: &TestApp, body: &Value) -> (String, Option<String>) {
    let id = app.post_webhook(body).await;
    let sql = format!(
        "SELECT state || ' ' || coalesce(reason, '') FROM webhook_event
         WHERE id = '{id}' AND state <> 'received'"
    );
    let said = eventually("the event is handled", async || texts(app, &sql).await.pop()).await;
    let (state, reason) = said.split_once(' ').unwrap();
    (state.to_owned(), Some(reason.to_owned()).filter(|reason| !reason.is_empty()))
}

pub(crate) fn applied() -> (String, Option<String>) {
    ("applied".into(), None)
}

pub(crate) fn kept() -> (String, Option<String>) {
    ("kept".into(), None)
}

fn because(state: &str, reason: &str) -> (String, Option<String>) {
    (state.into(), Some(reason.into()))
}

async fn shown(app: &TestApp, school: &SchoolId) -> Value {
    let answer = app.get(&format!("/v1/schools/{school}")).send().await.unwrap();
    answer.json().await.unwrap()
}

/// No token waits in the inbox.
async fn assert_no_token_is_left(app: &TestApp) {
    let left = "SELECT count(*) FROM webhook_event WHERE sealed_token IS NOT NULL";
    assert_eq!(number(app, left).await, 0);
}

#[tokio::test]
async fn a_new_token_of_a_known_school_is_taken_once_wonde_confirms_it() {
    let app = app().await;
    let school = app.connect_school(0).await;
    let rotated = webhook_of(&app, school.as_str(), ScenarioName::RotateToken);
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["error"]["type"], "wonde_unauthorized");
    assert_eq!(shown(&app, &school).await["token_state"], "rejected");

    assert_eq!(outcome(&app, &rotated).await, applied());
    assert_eq!(shown(&app, &school).await["token_state"], "held");
    sync(&app, &school).await;
    assert_no_token_is_left(&app).await;
    // The same body again changes nothing, not even the time.
    let before = shown(&app, &school).await;
    assert_eq!(outcome(&app, &rotated).await, applied());
    assert_eq!(shown(&app, &school).await["updated_at"], before["updated_at"]);
}

#[tokio::test]
async fn a_forged_token_is_not_trusted() {
    let app = app().await;
    let school = app.connect_school(0).await;
    let mut forged = json!({ "payload_type": "schoolApproved", "school_id": school.as_str(),
        "school_token": "0123456789abcdef0123456789abcdef01234567" });
    assert_eq!(outcome(&app, &forged).await, because("refused", "wonde_unauthorized"));
    // A token of another school is not valid for this one.
    forged["school_token"] = app.simulated_school(1).token.into();
    let refused = outcome(&app, &forged).await;
    assert_eq!(refused.0, "refused", "{refused:?}");
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded", "it has its own token");
    assert_no_token_is_left(&app).await;
}

#[tokio::test]
async fn an_approval_of_a_school_that_ip_does_not_have_waits_for_it() {
    let app = app().await;
    let simulated = app.simulated_school(0);
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, kept());
    let body = json!({ "name": "Oakfield", "wonde_school_id": simulated.id });
    let connected = app.put("/v1/schools/oak").json(&body).send().await.unwrap();
    assert_eq!(connected.status(), 201);
    assert_no_token_is_left(&app).await;
    sync(&app, &"oak".parse().unwrap()).await;
}

#[tokio::test]
async fn an_approval_that_ended_before_the_school_was_connected_is_forgotten() {
    let app = app().await;
    let simulated = app.simulated_school(0);
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, kept());
    let declined = json!({ "payload_type": "accessDeclined", "school_id": simulated.id,
        "decline_reason": "Not this year." });
    assert_eq!(outcome(&app, &declined).await, applied());
    assert_no_token_is_left(&app).await;
    let body = json!({ "name": "Oakfield", "wonde_school_id": simulated.id });
    let refused = app.put("/v1/schools/oak").json(&body).send().await.unwrap();
    assert_eq!(refused.status(), 422);
}

#[tokio::test]
async fn revoked_access_stops_the_syncs_and_keeps_the_people() {
    let app = app().await;
    let school = app.connect_school(0).await;
    sync(&app, &school).await;
    let people = "SELECT count(*) FROM staff WHERE active";
    let before = number(&app, people).await;
    let revoked = webhook_of(&app, school.as_str(), ScenarioName::Revoke);
    assert_eq!(outcome(&app, &revoked).await, applied());
    assert_eq!(shown(&app, &school).await["token_state"], "rejected");
    let pressed = app.press_sync(&school).await;
    let pressed = app.wait_until_finished(&pressed).await;
    assert_eq!(pressed["error"]["type"], "wonde_unauthorized");
    assert_eq!(number(&app, people).await, before);
    let reason = "SELECT details ->> 'revoke_reason' FROM webhook_event";
    assert_eq!(texts(&app, reason).await, ["Revoked by the school."]);

    // Approved again; the old event arrives once more, late.
    let approved = webhook_of(&app, school.as_str(), ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, applied());
    assert_eq!(outcome(&app, &revoked).await, because("ignored", "still_granted"));
    assert_eq!(shown(&app, &school).await["token_state"], "held");
    // And when it is true again it counts again.
    let again = webhook_of(&app, school.as_str(), ScenarioName::Revoke);
    assert_eq!(again, revoked);
    assert_eq!(outcome(&app, &again).await, applied());
    assert_eq!(shown(&app, &school).await["token_state"], "rejected");
}

#[tokio::test]
async fn a_job_that_waits_ends_when_access_is_revoked() {
    let mut app = app().await;
    let school = app.connect_school(0).await;
    app.stop_worker().await;
    let job = app.press_sync(&school).await;
    // What a worker does with the event.
    webhook_of(&app, school.as_str(), ScenarioName::Revoke);
    let sql = format!("UPDATE school SET token_rejected_at = now() WHERE id = '{school}'");
    crate::rows::execute(&app, &sql).await;
    app.simulator.simulator().reset_requests();
    app.start_worker();
    let job = app.wait_until_finished(&job).await;
    assert_eq!(
        (&job["state"], &job["error"]["type"]),
        (&json!("failed"), &json!("wonde_unauthorized"))
    );
    assert_eq!(app.simulator.simulator().requests().total, 1, "the school, and nothing else");
}

#[tokio::test]
async fn an_approval_that_comes_again_does_not_bring_back_what_was_destroyed() {
    let app = app().await;
    let school = app.connect_school(0).await;
    let approved = webhook_of(&app, school.as_str(), ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, applied());
    let path = format!("{}/v1/schools/{school}", app.api_url);
    let key = secrecy::ExposeSecret::expose_secret(&app.admin_key);
    http_client().delete(path).bearer_auth(key).send().await.unwrap();
    assert_eq!(outcome(&app, &approved).await, kept());
    assert_eq!(shown(&app, &school).await["token_state"], "missing");
}

#[tokio::test]
async fn a_migration_is_noted_and_the_mis_changes_when_it_is_done() {
    let app = app().await;
    let school = app.connect_school(0).await;
    let done = webhook_of(&app, school.as_str(), ScenarioName::MisMigration);
    let mut announced = done.clone();
    announced["completed_at"] = Value::Null;
    let noted = "SELECT concat_ws(' | ', migrating_from, migrating_to, migration_completed, mis,
        migration_noted_at IS NOT NULL) FROM school";
    let (from, to) = (done["migrate_from"].as_str().unwrap(), done["migrate_to"].as_str().unwrap());
    let mis = shown(&app, &school).await["mis"].as_str().unwrap().to_owned();
    assert_eq!(outcome(&app, &announced).await, applied());
    assert_eq!(texts(&app, noted).await, [format!("{from} | {to} | f | {mis} | t")]);
    assert_eq!(outcome(&app, &done).await, applied());
    assert_eq!(texts(&app, noted).await, [format!("{from} | {to} | t | {to} | t")]);
    // An old event that comes again reverses nothing.
    assert_eq!(outcome(&app, &announced).await, applied());
    assert_eq!(texts(&app, noted).await, [format!("{from} | {to} | t | {to} | t")]);
}

#[tokio::test]
async fn events_of_schools_and_kinds_that_nobody_knows_are_ignored() {
    let app = app().await;
    for (body, reason) in [
        (json!({ "payload_type": "writeback", "writeback_id": "W1" }), "unknown_kind"),
        (json!({ "payload_type": "accessRevoked", "school_id": "A404" }), "school_not_connected"),
        (
            json!({ "payload_type": "schoolMigration", "school_id": "A404", "migrate_to": "Arbor" }),
            "school_not_connected",
        ),
    ] {
        assert_eq!(outcome(&app, &body).await, because("ignored", reason));
    }
}

#[tokio::test]
async fn a_wonde_that_is_away_is_asked_again() {
    let app = app().await;
    let school = app.connect_school(0).await;
    let rotated = webhook_of(&app, school.as_str(), ScenarioName::RotateToken);
    // More often than the client itself tries.
    let away = json!({ "status": 503, "count": 7 });
    app.simulator.simulator().add_fault(serde_json::from_value(away).unwrap());
    assert_eq!(outcome(&app, &rotated).await, applied());
    let attempts = "SELECT count(*) FROM job_attempt a JOIN job j ON j.id = a.job_id
        WHERE kind = 'handle-webhook'";
    assert!(number(&app, attempts).await >= 2);
    sync(&app, &school).await;
}

#[tokio::test]
async fn the_command_line_lists_events_and_no_secret_is_logged() {
    let simulator = SimulatorOptions { schools: 1, staff: 12, ..SimulatorOptions::default() };
    let options = TestAppOptions { simulator, worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let worker = MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__LOG__LEVEL", "trace")]);
    let simulated = app.simulated_school(0);
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, kept());
    outcome(&app, &json!({ "payload_type": "writeback" })).await;

    let logged = worker.printed();
    assert!(logged.contains("webhook handled"), "{logged}");
    let database = app.servers.database_url();
    let variables = [("DATABASE_URL", database.as_str())];
    let json = run(&["webhooks", "list", "--json"], &variables).await;
    let listed: Value = serde_json::from_slice(&json.stdout).unwrap();
    let (writeback, approval) = (&listed[0], &listed[1]);
    assert_eq!((&writeback["kind"], &writeback["state"]), (&json!("writeback"), &json!("ignored")));
    assert_eq!(approval["wonde_school_id"], simulated.id);
    assert_eq!(approval["details"]["school_name"], simulated.name);
    let table = run(&["webhooks", "list", "--limit", "1"], &variables).await;
    let table = String::from_utf8(table.stdout).unwrap();
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("unknown_kind"), "{table}");
    let json = String::from_utf8(json.stdout).unwrap();
    for secret in [&simulated.token, WEBHOOK_SECRET] {
        assert!(!logged.contains(secret) && !json.contains(secret) && !table.contains(secret));
    }
    assert!(!logged.contains(&simulated.name));
}
