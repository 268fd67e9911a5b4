//! Workers die, stop and sleep; Redis loses its data; nothing is lost, and nothing happens twice.

use std::{num::NonZeroU8, time::Duration};

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    process::MIS_SYNC,
    rows::{number, texts},
};

/// One school of a hundred on pages of ten, so that there is a middle in which to kill a worker,
/// and a short lease. There is no worker yet.
async fn app_without_worker() -> TestApp {
    TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 100, ..SimulatorOptions::default() },
        worker: false,
        lease: Duration::from_secs(3),
        // The pages that are requested again are counted.
        parallel_requests: NonZeroU8::MIN,
        ..TestAppOptions::default()
    })
    .await
}

/// Makes the fourth page hang for longer than the test, and waits until a worker has reached it.
async fn stuck_in_the_middle(app: &TestApp, school: &SchoolId) -> String {
    held_up_in_the_middle(app, school, 600_000).await
}

/// Makes the fourth page hang for this long, and waits until a worker has reached it.
async fn held_up_in_the_middle(app: &TestApp, school: &SchoolId, hang_ms: u32) -> String {
    let fault = json!({ "path": "employees?*page=4", "hang_ms": hang_ms, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    let job = app.press_sync(school).await;
    let kept = "SELECT count(*) FROM fetched_page WHERE list = 'employees'";
    eventually("three pages are kept, and the fourth is asked for", async || {
        (number(app, kept).await == 3 && staff_pages_asked(app) >= 4).then_some(())
    })
    .await;
    job
}

/// How many pages of staff were requested.
fn staff_pages_asked(app: &TestApp) -> u64 {
    let asked = app.simulator.simulator().requests().by_path;
    asked.get("schools/{id}/employees").copied().unwrap_or_default()
}

/// Asserts that the job succeeded after this many attempts, and that everyone was created once.
async fn finished_once(app: &TestApp, school: &SchoolId, job: &str, attempts: i64) -> Value {
    let job = app.wait_until_finished(job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(job["attempt"], attempts);
    assert_equal_to_truth(app, school).await;
    let created = "SELECT count(*) FROM job_change WHERE field = 'created' AND record = 'staff'";
    let created = number(app, created).await;
    assert_eq!(job["report"]["created"], created, "each person was created once");
    let timed = "SELECT count(*) FROM job_attempt WHERE outcome = 'succeeded'
        AND comparing_at BETWEEN started_at AND ended_at";
    assert_eq!(number(app, timed).await, 1, "it is known where the time went");
    job
}

#[tokio::test]
async fn a_worker_killed_in_mid_sync_is_replaced_by_another() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let first = MIS_SYNC.start(&app, &["worker"], &[]);
    let job = stuck_in_the_middle(&app, &school).await;
    let asked_before = staff_pages_asked(&app);

    first.signal(Signal::KILL);
    app.start_worker();
    finished_once(&app, &school, &job, 2).await;

    let outcomes = texts(&app, "SELECT outcome FROM job_attempt ORDER BY fence").await;
    assert_eq!(outcomes, ["lost", "succeeded"]);
    let asked_after = staff_pages_asked(&app) - asked_before;
    assert!(asked_after <= 7, "the second worker went on from page 4: {asked_after} requests");
}

#[tokio::test]
async fn a_worker_that_slept_past_its_lease_changes_nothing_any_more() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let sleeper = MIS_SYNC.start(&app, &["worker"], &[]);
    let job = stuck_in_the_middle(&app, &school).await;
    sleeper.signal(Signal::STOP);
    app.start_worker();
    let done = finished_once(&app, &school, &job, 2).await;

    let versions = "SELECT id::text || xmin::text FROM staff ORDER BY id";
    let before = texts(&app, versions).await;
    sleeper.signal(Signal::CONT);
    // Its log shows that it has noticed.
    eventually("the sleeper sees that its lease is lost", async || {
        sleeper.printed().contains("\"job.outcome\":\"lost\"").then_some(())
    })
    .await;
    assert_eq!(texts(&app, versions).await, before);
    assert_eq!(app.job(done["id"].as_str().unwrap()).await, done);
}

#[tokio::test]
async fn a_job_that_outlives_its_lease_stays_with_its_worker() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    app.start_worker();
    let job = stuck_in_the_middle(&app, &school).await;
    let expiry = "SELECT lease_until::text FROM job";
    let first = texts(&app, expiry).await;
    // Two renewals take longer than the lease: without them it would have expired.
    for _ in 0..4 {
        let last = texts(&app, expiry).await;
        eventually("the lease is renewed", async || {
            (texts(&app, expiry).await != last).then_some(())
        })
        .await;
    }
    assert_ne!(texts(&app, expiry).await, first);
    assert_eq!(number(&app, "SELECT count(*) FROM job_attempt").await, 1);
    assert_eq!(app.job(&job).await["state"], "running");
}

#[tokio::test]
async fn a_stopped_worker_hands_its_job_back_without_spending_the_attempt() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let mut first = MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__WORKER__DRAIN_SECONDS", "0")]);
    let job = stuck_in_the_middle(&app, &school).await;

    first.signal(Signal::TERM);
    assert_eq!(first.ended().await.code(), Some(0), "{}", first.printed());
    let handed_back = app.job(&job).await;
    assert_eq!((&handed_back["state"], &handed_back["attempt"]), (&json!("queued"), &json!(0)));

    app.start_worker();
    finished_once(&app, &school, &job, 1).await;
    let outcomes = texts(&app, "SELECT outcome FROM job_attempt ORDER BY fence").await;
    assert_eq!(outcomes, ["released", "succeeded"]);
}

#[tokio::test]
async fn a_stopped_worker_lets_a_running_job_finish_in_time() {
    let app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let mut worker =
        MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__WORKER__DRAIN_SECONDS", "60")]);
    let job = held_up_in_the_middle(&app, &school, 1_500).await;

    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().await.code(), Some(0), "{}", worker.printed());
    finished_once(&app, &school, &job, 1).await;
}

#[tokio::test]
async fn redis_may_forget_a_queued_job() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let job = app.press_sync(&school).await;
    app.servers.empty_redis().await;
    app.start_worker();
    finished_once(&app, &school, &job, 1).await;
}

#[tokio::test]
async fn a_press_while_redis_is_away_is_accepted_and_runs() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    app.servers.redis.kill().unwrap();
    let job = app.press_sync(&school).await;
    assert_eq!(app.job(&job).await["state"], "queued");
    app.start_worker();
    finished_once(&app, &school, &job, 1).await;
    app.servers.redis.restart().unwrap();
}

#[tokio::test]
async fn postgres_may_crash_in_mid_sync() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    app.start_worker();
    let job = held_up_in_the_middle(&app, &school, 1_500).await;
    app.servers.postgres.kill().unwrap();
    app.servers.postgres.restart().unwrap();
    let ended = eventually("the job ends", async || {
        let answer = app.get(&format!("/v1/jobs/{job}")).send().await.ok()?;
        let job: Value = answer.json().await.ok()?;
        (job["state"] == "succeeded").then_some(job)
    })
    .await;
    assert_equal_to_truth(&app, &school).await;
    assert_eq!(ended["report"]["fetched"], 100, "half a fetch did not count as a whole one");
}
