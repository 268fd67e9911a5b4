//! Alerts about schools.

use std::sync::Arc;

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::{ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::{apply, sync},
    process::run,
    receiver::Receiver,
    rows::{execute, number, texts},
};

async fn app_telling(receiver: &Receiver) -> (TestApp, SchoolId) {
    let simulator = SimulatorOptions { schools: 1, staff: 12, ..SimulatorOptions::default() };
    let alert_receiver = Some(Arc::new(receiver.listen().await));
    let options = TestAppOptions { simulator, alert_receiver, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    (app, school)
}

/// Presses the button for a sync that fails for good.
async fn failing_sync(app: &TestApp, school: &SchoolId) -> String {
    let fault = json!({ "path": "/employees", "status": 403, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    let job = app.press_sync(school).await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "failed");
    job
}

/// Waits until the jobs that send messages are in these states, the oldest first.
async fn messages(app: &TestApp, states: &[&str]) {
    let found = "SELECT state FROM job WHERE kind = 'send-alert' ORDER BY id";
    eventually("messages end", async || (texts(app, found).await == states).then_some(())).await;
}

/// Waits until this many alerts are open, having looked at all schools since.
async fn open_alerts(app: &TestApp, count: i64) {
    let open = "SELECT count(*) FROM alert WHERE cleared_at IS NULL";
    eventually("alerts are open", async || (number(app, open).await == count).then_some(())).await;
}

#[tokio::test]
async fn a_failed_sync_is_told_once_and_so_is_its_recovery() {
    let receiver = Receiver::default();
    let (app, school) = app_telling(&receiver).await;
    let job = failing_sync(&app, &school).await;
    let told = receiver.wait_for(1).await.remove(0);
    assert!(told.is_signed, "{told:?}");
    let alert = texts(&app, "SELECT id::text FROM alert").await.remove(0);
    let body = told.json();
    let raised_at = body["data"]["raised_at"].clone();
    assert_eq!(body["timestamp"], raised_at);
    assert_eq!(
        body,
        json!({
            "type": "sync.failed",
            "timestamp": raised_at,
            "data": {
                "alert_id": alert,
                "school_id": school,
                "school_name": app.simulated_school(0).name,
                "job_id": job,
                "reason": "wonde_forbidden",
                "detail": "The last sync failed: The school does not grant access.",
                "link": format!("/v1/jobs/{job}"),
                "raised_at": raised_at,
                "recovered_at": null,
            },
        })
    );

    // It fails again, which is not news.
    failing_sync(&app, &school).await;
    sync(&app, &school).await;
    let told = receiver.wait_for(2).await.remove(1);
    assert!(told.is_signed);
    assert_eq!(told.kind(), "sync.failed.recovered");
    assert_eq!(told.json()["data"]["alert_id"], alert);
    assert!(told.json()["data"]["recovered_at"].is_string());
    // After a success, a failure is news again.
    failing_sync(&app, &school).await;
    receiver.wait_for(3).await;
    assert_eq!(receiver.kinds(), ["sync.failed", "sync.failed.recovered", "sync.failed"]);
}

#[tokio::test]
async fn a_refused_token_is_the_only_alert_until_there_is_a_new_one() {
    let receiver = Receiver::default();
    let (app, school) = app_telling(&receiver).await;
    apply(&app, &school, ScenarioName::RotateToken);
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["error"]["type"], "wonde_unauthorized");
    let told = receiver.wait_for(1).await.remove(0).json();
    assert_eq!(told["data"]["reason"], "token_rejected");
    assert_eq!(told["data"]["link"], format!("/v1/schools/{school}"));
    app.connect_school(0).await;
    sync(&app, &school).await;
    receiver.wait_for(2).await;
    // Any other message would have arrived before the next one.
    failing_sync(&app, &school).await;
    receiver.wait_for(3).await;
    assert_eq!(receiver.kinds(), ["token.rejected", "token.rejected.recovered", "sync.failed"]);
}

#[tokio::test]
async fn a_stale_school_is_told_of_unless_nobody_expects_a_sync() {
    let receiver = Receiver::default();
    let (app, school) = app_telling(&receiver).await;
    sync(&app, &school).await;
    let off = json!({ "schedule": { "enabled": false } });
    app.connect_school_with(0, off).await;
    let old = "UPDATE school SET created_at = created_at - interval '9 days',
        last_synced_at = now() - interval '27 hours'";
    execute(&app, old).await;
    failing_sync(&app, &school).await;
    open_alerts(&app, 1).await;
    assert_eq!(receiver.wait_for(1).await[0].kind(), "sync.failed");

    app.connect_school_with(0, json!({ "schedule": {} })).await;
    let told = receiver.wait_for(2).await.remove(1).json();
    assert_eq!(
        (&told["type"], &told["data"]["reason"]),
        (&json!("sync.stale"), &json!("no_good_sync"))
    );
    sync(&app, &school).await;
    receiver.wait_for(4).await;
    let mut kinds = receiver.kinds();
    kinds.sort();
    assert_eq!(
        kinds,
        ["sync.failed", "sync.failed.recovered", "sync.stale", "sync.stale.recovered"]
    );
}

#[tokio::test]
async fn a_held_sync_is_told_of_until_someone_has_decided() {
    let receiver = Receiver::default();
    let (mut app, school) = app_telling(&receiver).await;
    sync(&app, &school).await;
    app.stop_worker().await;
    let job = app.press_sync(&school).await;
    execute(&app, &format!("UPDATE job SET state = 'held' WHERE id = '{job}'")).await;
    app.start_worker();
    let told = receiver.wait_for(1).await.remove(0).json();
    assert_eq!((&told["type"], &told["data"]["job_id"]), (&json!("sync.held"), &json!(job)));
    let rejected =
        format!("UPDATE job SET state = 'cancelled', finished_at = now() WHERE id = '{job}'");
    execute(&app, &rejected).await;
    assert_eq!(receiver.wait_for(2).await[1].kind(), "sync.held.recovered");
}

#[tokio::test]
async fn a_receiver_that_fails_gets_the_same_message_again() {
    let receiver = Receiver::answering(&[500, 302, 429]);
    let (app, school) = app_telling(&receiver).await;
    failing_sync(&app, &school).await;
    let posts = receiver.wait_for(4).await;
    assert!(posts.iter().all(|told| told.is_signed), "{posts:?}");
    assert!(posts.iter().all(|told| (&told.id, &told.body) == (&posts[0].id, &posts[0].body)));
    assert!(posts[0].timestamp.parse::<i64>().unwrap() > 1_700_000_000);
    messages(&app, &["succeeded"]).await;
    let attempts = "SELECT concat_ws(' ', a.attempt, a.outcome, a.error ->> 'detail') \
        FROM job_attempt a JOIN job j ON j.id = a.job_id WHERE kind = 'send-alert' \
        ORDER BY a.attempt";
    let attempts = texts(&app, attempts).await;
    assert_eq!(
        attempts,
        [
            "1 retry The receiver answered 500 Internal Server Error.",
            "2 retry The receiver answered 302 Found.",
            "3 retry The receiver answered 429 Too Many Requests.",
            "4 succeeded",
        ]
    );
}

#[tokio::test]
async fn that_it_is_over_is_told_after_that_it_began() {
    // Away until both messages wait.
    let receiver = Receiver::answering(&[503; 400]);
    let (app, school) = app_telling(&receiver).await;
    failing_sync(&app, &school).await;
    receiver.wait_for(2).await;
    sync(&app, &school).await;
    open_alerts(&app, 0).await;
    eventually("both messages wait", async || {
        let waiting = "SELECT count(*) FROM job WHERE kind = 'send-alert' AND finished_at IS NULL";
        (number(&app, waiting).await == 2).then_some(())
    })
    .await;
    assert!(!receiver.kinds().contains(&"sync.failed.recovered".to_owned()));
    receiver.answers.lock().unwrap().clear();
    let recovered = eventually("it is told to be over", async || {
        let kinds = receiver.kinds();
        (kinds.last().unwrap() == "sync.failed.recovered").then_some(kinds)
    })
    .await;
    assert_eq!(recovered.iter().filter(|kind| **kind == "sync.failed.recovered").count(), 1);
}

#[tokio::test]
async fn a_message_that_nobody_takes_is_given_up() {
    let receiver = Receiver::answering(&[410]);
    let (app, school) = app_telling(&receiver).await;
    failing_sync(&app, &school).await;
    messages(&app, &["failed"]).await;
    receiver.answers.lock().unwrap().extend([503; 400]);
    sync(&app, &school).await;
    receiver.wait_for(2).await;
    // A day later.
    execute(&app, "UPDATE job SET deadline_at = now() WHERE kind = 'send-alert'").await;
    messages(&app, &["failed", "failed"]).await;
}

#[tokio::test]
async fn two_workers_tell_it_once() {
    let receiver = Receiver::default();
    let (app, school) = app_telling(&receiver).await;
    let second = app.another_worker();
    for _ in 0..3 {
        failing_sync(&app, &school).await;
        open_alerts(&app, 1).await;
        sync(&app, &school).await;
        open_alerts(&app, 0).await;
    }
    receiver.wait_for(6).await;
    messages(&app, &["succeeded"; 6]).await;
    assert_eq!(receiver.kinds().len(), 6);
    second.stop().await;
}

#[tokio::test]
async fn without_a_receiver_alerts_are_noted_and_listed() {
    let simulator = SimulatorOptions { schools: 1, staff: 12, ..SimulatorOptions::default() };
    let app = TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let school = app.connect_school(0).await;
    let job = failing_sync(&app, &school).await;
    open_alerts(&app, 1).await;
    let database = app.servers.database_url();
    let variables = [("DATABASE_URL", database.as_str())];
    let list = async |arguments: &[&str]| {
        let arguments = [&["alerts", "list"], arguments].concat();
        String::from_utf8(run(&arguments, &variables).await.stdout).unwrap()
    };
    let listed: Value = serde_json::from_str(&list(&["--json"]).await).unwrap();
    assert_eq!((&listed[0]["kind"], &listed[0]["job_id"]), (&json!("sync.failed"), &json!(job)));
    let table = list(&[]).await;
    assert!(table.contains("The school does not grant access") && table.contains(school.as_str()));

    sync(&app, &school).await;
    open_alerts(&app, 0).await;
    assert!(list(&[]).await.contains("No alert is open."));
    let all: Value = serde_json::from_str(&list(&["--all", "--json"]).await).unwrap();
    assert!(all[0]["cleared_at"].is_string());
    assert_eq!(number(&app, "SELECT count(*) FROM job WHERE kind = 'send-alert'").await, 0);
}

#[tokio::test]
async fn alerts_from_before_there_was_a_receiver_are_told_once_there_is_one() {
    let simulator = SimulatorOptions { schools: 2, staff: 12, ..SimulatorOptions::default() };
    let mut app =
        TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let (first, second) = (app.connect_school(0).await, app.connect_school(1).await);
    failing_sync(&app, &first).await;
    open_alerts(&app, 1).await;
    failing_sync(&app, &second).await;
    open_alerts(&app, 2).await;
    // That one was over before, so it is no news.
    sync(&app, &first).await;
    open_alerts(&app, 1).await;
    app.stop_worker().await;
    assert_eq!(number(&app, "SELECT count(*) FROM job WHERE kind = 'send-alert'").await, 0);

    let receiver = Receiver::default();
    let worker = app.worker_with_alerts(receiver.listen().await);
    let told = receiver.wait_for(1).await.remove(0);
    assert_eq!(
        (told.kind(), &told.json()["data"]["school_id"]),
        ("sync.failed".into(), &json!(second))
    );
    messages(&app, &["succeeded"]).await;
    sync(&app, &second).await;
    receiver.wait_for(2).await;
    assert_eq!(receiver.kinds(), ["sync.failed", "sync.failed.recovered"]);
    worker.stop().await;
}
