//! A refresh beside a sync of the same school, and a worker that dies in the middle.

use mis_sync_testing::TestAppOptions;
use mis_sync_wonde_sim::SimulatorOptions;
use rustix::process::Signal;

use super::*;
use crate::process::MIS_SYNC;

#[tokio::test]
async fn a_sync_that_writes_for_long_does_not_hold_up_the_login() {
    let (app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    let person = staff_id(&app, &touched[0]).await;
    let mut sync = app.pool.begin().await.unwrap();
    crate::rows::execute_in(&mut sync, "SELECT FROM school FOR NO KEY UPDATE").await;
    let (took, answer) = timed(&app, &school, &person, 300).await;
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("timed_out")));
    assert!(took >= Duration::from_millis(300), "{took:?}");
    // The slot is given back too.
    let job = answer["job"]["id"].as_str().unwrap();
    let put_off = |job: &Value| job["error"]["type"] == "school_busy";
    let put_off = app.wait_for_job(job, "the refresh is put off", put_off).await;
    assert_eq!(put_off["attempt"], 0, "no attempt is spent");
    sync.rollback().await.unwrap();
    let job = app.wait_until_finished(job).await;
    assert_eq!(job["report"]["outcome"], "updated", "{job}");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_school_that_is_written_for_long_does_not_hold_up_the_logins_of_another() {
    let mut app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 2, staff: 150, ..SimulatorOptions::default() },
        page_size: 200,
        ..TestAppOptions::default()
    })
    .await;
    let settings = json!({ "refresh_freshness_minutes": 0 });
    let busy = app.connect_school_with(0, settings.clone()).await;
    let other = app.connect_school_with(1, settings).await;
    sync(&app, &busy).await;
    sync(&app, &other).await;
    app.stop_worker().await;
    // With the default slots and connections.
    let _worker = MIS_SYNC.start(&app, &["worker"], &[]);
    let mut apply = app.pool.begin().await.unwrap();
    let lock = format!("SELECT FROM school WHERE id = '{busy}' FOR NO KEY UPDATE");
    crate::rows::execute_in(&mut apply, &lock).await;
    let people = async |school: &SchoolId| {
        let sql = format!("SELECT id::text FROM staff WHERE active AND school_id = '{school}'");
        texts(&app, &sql).await
    };
    let (held_up, others) = (people(&busy).await, people(&other).await);
    join_all(held_up.iter().take(120).map(|person| login(&app, &busy, person, 0))).await;
    let put_off = "SELECT count(*) FROM job WHERE error ->> 'type' = 'school_busy'";
    eventually("the busy school holds all that it may", async || {
        (number(&app, put_off).await >= 20).then_some(())
    })
    .await;
    let mut outcomes = Vec::new();
    for person in others.iter().take(20) {
        outcomes.push(login(&app, &other, person, 800).await.1["outcome"].clone());
    }
    assert_eq!(outcomes, vec!["unchanged"; 20]);
    assert!(number(&app, "SELECT count(*) FROM job WHERE state = 'running'").await > 0);
    apply.rollback().await.unwrap();
}

/// A school of four pages, whose fourth hangs for this long.
async fn sync_in_the_middle(settings: Value) -> (TestApp, SchoolId, String) {
    let (app, school) = synced_school_with(settings).await;
    let hang = json!({ "path": "employees?*page=4", "hang_ms": 3000, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    let job = app.press_sync(&school).await;
    let pages = "SELECT count(*) FROM fetched_page WHERE list = 'employees'";
    eventually("three pages are kept", async || (number(&app, pages).await == 3).then_some(()))
        .await;
    (app, school, job)
}

/// Wonde ids of people that the sync has already read and who fit a scenario.
async fn kept(app: &TestApp) -> Vec<String> {
    let sql = "SELECT r -> 1 ->> 'wonde_id'
        FROM fetched_page p CROSS JOIN jsonb_array_elements(p.records::jsonb -> 'staff') r
        JOIN staff s ON s.wonde_id = r -> 1 ->> 'wonde_id' AND s.active
        WHERE p.list = 'employees' ORDER BY p.page, r -> 0";
    texts(app, sql).await
}

#[tokio::test]
async fn a_sync_that_read_someone_earlier_does_not_undo_their_refresh() {
    let (app, school, sync) = sync_in_the_middle(json!({})).await;
    let people = kept(&app).await;
    for (scenario, at) in [
        (ScenarioName::Rename, 0),
        (ScenarioName::RoleChange, 1),
        (ScenarioName::ManagerChange, 2),
        (ScenarioName::Leaver, 3),
    ] {
        let staff = vec![people[at].clone()];
        apply(&app, &school, Scenario { staff, ..scenario.into() });
        let person = staff_id(&app, &people[at]).await;
        let (outcome, _) = refreshed(&app, &school, &person).await;
        let expected =
            if scenario == ScenarioName::Leaver { "no_longer_current" } else { "updated" };
        assert_eq!(outcome, expected, "{scenario:?}");
    }
    assert_eq!(app.job(&sync).await["state"], "running", "it still reads");
    assert_eq!(app.wait_until_finished(&sync).await["state"], "succeeded");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_sync_that_began_later_is_not_undone_by_a_refresh() {
    let (app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    let person = staff_id(&app, &touched[0]).await;
    let hang = json!({ "path": "employees/", "hang_ms": 1500, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    let (_, answer) = login(&app, &school, &person, 0).await;
    let refresh = answer["job"]["id"].as_str().unwrap().to_owned();
    app.wait_for_job(&refresh, "the refresh reads", |job| job["state"] == "running").await;
    eventually("Wonde is asked", async || (requests(&app) > 0).then_some(())).await;
    sync(&app, &school).await;
    let versions = "SELECT id::text || xmin::text FROM staff ORDER BY id";
    let before = texts(&app, versions).await;
    let job = app.wait_until_finished(&refresh).await;
    assert_eq!(job["report"]["outcome"], "unchanged", "{job}");
    assert_eq!(texts(&app, versions).await, before);
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_refresh_leaves_the_place_of_the_next_delta_alone() {
    let (app, school) = synced_school().await;
    let stamps = "SELECT concat_ws(' ', last_synced_at, changes_seen_until, last_full_sync_at)
        FROM school";
    let before = texts(&app, stamps).await;
    let touched = apply(&app, &school, Scenario { count: Some(2), ..ScenarioName::Rename.into() });
    refreshed(&app, &school, &staff_id(&app, &touched[0]).await).await;
    assert_eq!(texts(&app, stamps).await, before);
    let (_, report) = sync_with(&app, &school, json!({ "mode": "delta" })).await;
    assert_eq!(report["updated"], 1, "the other one is still found: {report}");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_is_replaced_by_another() {
    let mut app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, ..SimulatorOptions::default() },
        lease: Duration::from_secs(1),
        ..TestAppOptions::default()
    })
    .await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    app.stop_worker().await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    let person = staff_id(&app, &touched[0]).await;
    let worker =
        MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__WORKER__REFRESH_TIMEOUT_MS", "600000")]);
    let hang = json!({ "path": "employees/", "hang_ms": 600_000, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    app.simulator.simulator().reset_requests();
    let (_, answer) = login(&app, &school, &person, 0).await;
    let job = answer["job"]["id"].as_str().unwrap().to_owned();
    eventually("Wonde is asked", async || (requests(&app) > 0).then_some(())).await;
    worker.signal(Signal::KILL);
    app.start_worker();
    let job = app.wait_until_finished(&job).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("succeeded"), &json!(2)), "{job}");
    assert_eq!(job["report"]["outcome"], "updated");
    let outcomes = texts(
        &app,
        "SELECT outcome FROM job_attempt a JOIN job j ON j.id = a.job_id
         WHERE kind = 'refresh-user' ORDER BY a.fence",
    )
    .await;
    assert_eq!(outcomes, ["lost", "succeeded"]);
    assert_equal_to_truth(&app, &school).await;
}
