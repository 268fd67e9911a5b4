//! Messages about syncs that have ended or are held.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::{Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::{apply, dry_run, sync, sync_job},
    receiver::{Received, Receiver, secret},
    rows::{execute, number, texts},
};

async fn app_telling(installation: Option<&Receiver>) -> (TestApp, SchoolId) {
    let simulator = SimulatorOptions { schools: 1, staff: 40, ..SimulatorOptions::default() };
    let callback_receiver = match installation {
        Some(receiver) => Some(receiver.listen().await),
        None => None,
    };
    let options = TestAppOptions { simulator, callback_receiver, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let on = i64::from(installation.is_some());
    eventually("the leader has noted whether there is a receiver", async || {
        let is_on = "SELECT is_on::int::bigint FROM installation_callbacks";
        (number(&app, is_on).await == on).then_some(())
    })
    .await;
    let school = app.connect_school(0).await;
    (app, school)
}

/// Gives the school a receiver of its own.
async fn set_receiver(app: &TestApp, school: &SchoolId, url: &str) -> Value {
    let body = json!({ "callback_url": url, "callback_secret": secret() });
    let answer = app.patch(&format!("/v1/schools/{school}")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(!text.contains("whsec_"), "{text}");
    serde_json::from_str(&text).unwrap()
}

fn of<'a>(received: &'a [Received], kind: &str) -> &'a Received {
    received.iter().find(|message| message.kind() == kind).unwrap()
}

#[tokio::test]
async fn a_sync_that_succeeded_is_told_to_the_installation_and_to_the_school() {
    let (installation, own) = (Receiver::default(), Receiver::default());
    let (app, school) = app_telling(Some(&installation)).await;
    let url = own.address().await;
    let shown = set_receiver(&app, &school, &url).await;
    assert_eq!(shown["callback_url"], url);
    let (job, report) = sync_job(&app, &school).await;
    let told = installation.wait_for(1).await.remove(0);
    assert!(told.is_signed);
    let body = told.json();
    let finished = app.job(&job).await["finished_at"].clone();
    assert_eq!(
        body,
        json!({
            "type": "job.succeeded",
            "timestamp": finished,
            "data": {
                "job_id": job,
                "school_id": school,
                "state": "succeeded",
                "mode": "full",
                "dry_run": false,
                "report": {
                    "fetched": report["fetched"],
                    "current": report["current"],
                    "created": report["created"],
                    "updated": report["updated"],
                    "unchanged": report["unchanged"],
                    "deactivated": report["deactivated"],
                    "restored": report["restored"],
                    "skipped": report["skipped"],
                    "issues": report["issues"],
                    "guard": [],
                },
                "error_type": null,
                "retry_of": null,
                "undo_of": null,
                "link": format!("/v1/jobs/{job}"),
            },
        })
    );
    let to_school = own.wait_for(1).await.remove(0);
    assert!(to_school.is_signed);
    assert_eq!(to_school.body, told.body);
    assert_ne!(to_school.id, told.id);
    // The undo is a sync that has ended.
    let undone = app.post(&format!("/v1/jobs/{job}/undo")).send().await.unwrap();
    assert_eq!(undone.status(), 200);
    let undo = installation.wait_for(2).await.remove(1).json();
    assert_eq!((&undo["type"], &undo["data"]["undo_of"]), (&json!("job.succeeded"), &json!(job)));

    // Without an address nothing more is sent.
    let off = json!({ "callback_url": null });
    let off = app.patch(&format!("/v1/schools/{school}")).json(&off).send().await.unwrap();
    assert_eq!(off.json::<Value>().await.unwrap()["callback_url"], Value::Null);
    dry_run(&app, &school).await;
    let dry = installation.wait_for(3).await.remove(2).json();
    assert_eq!(dry["data"]["dry_run"], true);
    let own_jobs = "SELECT count(*) FROM job WHERE kind = 'send-callback'
        AND options ->> 'receiver' = 'school'";
    assert_eq!(number(&app, own_jobs).await, 2);
}

#[tokio::test]
async fn held_failed_and_cancelled_syncs_are_told_and_logins_are_not() {
    let receiver = Receiver::default();
    let (app, school) = app_telling(Some(&receiver)).await;
    sync(&app, &school).await;
    let person =
        texts(&app, "SELECT id::text FROM staff WHERE wonde_id IS NOT NULL").await.remove(0);
    let always = json!({ "settings": { "refresh_freshness_minutes": 0 } });
    app.patch(&format!("/v1/schools/{school}")).json(&always).send().await.unwrap();
    let refresh = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    app.post(&refresh).send().await.unwrap();

    apply(&app, &school, Scenario { keep: Some(5), ..ScenarioName::Shrink.into() });
    let held = app.press_sync(&school).await;
    app.wait_for_job(&held, "it is held", |job| job["state"] == "held").await;
    let told = receiver.wait_for(2).await;
    let message = of(&told, "job.held").json();
    assert_eq!(message["data"]["job_id"], held);
    assert_eq!(message["data"]["error_type"], "implausible_change");
    assert!(message["data"]["report"]["guard"][0]["records"].as_u64() > Some(1), "{message}");
    app.post(&format!("/v1/jobs/{held}/reject")).send().await.unwrap();
    let told = receiver.wait_for(3).await;
    assert_eq!(of(&told, "job.cancelled").json()["data"]["error_type"], "rejected");

    let fault = json!({ "path": "/employees", "status": 403, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    let failed = app.press_sync(&school).await;
    app.wait_until_finished(&failed).await;
    let told = receiver.wait_for(4).await;
    let message = of(&told, "job.failed").json();
    assert_eq!(message["data"]["error_type"], "wonde_forbidden");
    assert_eq!(message["data"]["report"], Value::Null);
    assert!(told.iter().all(|message| message.is_signed));
    let kinds = "SELECT DISTINCT kind FROM job ORDER BY 1";
    assert_eq!(texts(&app, kinds).await, ["refresh-user", "send-callback", "sync-school"]);
    assert_eq!(number(&app, "SELECT count(*) FROM job WHERE kind = 'send-callback'").await, 4);
}

#[tokio::test]
async fn a_worker_that_is_killed_loses_no_message_and_sends_none_under_another_id() {
    let receiver = Receiver::answering(&[500, 503]);
    let (mut app, school) = app_telling(Some(&receiver)).await;
    sync(&app, &school).await;
    // The worker dies while it sends.
    receiver.wait_for(1).await;
    app.kill_worker();
    execute(&app, "UPDATE job SET lease_until = now() - interval '1 hour' WHERE state = 'running'")
        .await;
    app.start_worker();
    let posts = receiver.wait_for(3).await;
    assert!(posts.iter().all(|post| (&post.id, &post.body) == (&posts[0].id, &posts[0].body)));
    let states = "SELECT state FROM job WHERE kind = 'send-callback'";
    eventually("it is sent", async || (texts(&app, states).await == ["succeeded"]).then_some(()))
        .await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_or_no_longer_allowed_gets_nothing() {
    let own = Receiver::answering(&[410]);
    let (app, school) = app_telling(None).await;
    set_receiver(&app, &school, &own.address().await).await;
    sync(&app, &school).await;
    let ends = "SELECT concat_ws(' ', state, error ->> 'type') FROM job
        WHERE kind = 'send-callback' ORDER BY id";
    let ended = async |wanted: &[&str]| {
        eventually("messages end", async || (texts(&app, ends).await == wanted).then_some(()))
            .await;
    };
    ended(&["failed callback_not_taken"]).await;
    // Stored under other rules.
    execute(&app, "UPDATE school SET callback_url = 'https://169.254.169.254/latest'").await;
    sync(&app, &school).await;
    ended(&["failed callback_not_taken", "failed callback_refused"]).await;
    assert_eq!(own.wait_for(1).await.len(), 1);
}

#[tokio::test]
async fn only_allowed_addresses_and_good_secrets_are_stored() {
    let (app, school) = app_telling(None).await;
    let path = format!("/v1/schools/{school}");
    let wrong = async |body: Value| {
        let answer = app.patch(&path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{body}");
        let problem: Value = answer.json().await.unwrap();
        problem["errors"][0]["field"].as_str().unwrap().to_owned()
    };
    for url in [
        "https://evil.example/hook",
        "http://hooks.ip.example/x",
        "https://hooks.ip.example:8443/x",
        "https://169.254.169.254/latest",
        "https://user@hooks.ip.example/",
    ] {
        let body = json!({ "callback_url": url, "callback_secret": secret() });
        assert_eq!(wrong(body).await, "callback_url", "{url}");
    }
    let good = "https://hooks.ip.example/x";
    assert_eq!(wrong(json!({ "callback_url": good })).await, "callback_secret");
    let short = json!({ "callback_url": good, "callback_secret": "whsec_c2hvcnQ=" });
    assert_eq!(wrong(short).await, "callback_secret");
    set_receiver(&app, &school, good).await;
    let sealed = "SELECT count(*) FROM school WHERE callback_secret IS NOT NULL
        AND position('whsec'::bytea IN callback_secret) = 0";
    assert_eq!(number(&app, sealed).await, 1);
}
