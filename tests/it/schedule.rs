//! Scheduled syncs: which are due, requested once, by one leader.

use chrono::{DateTime, Utc};
use mis_sync_domain::{ManualClock, SchoolId};
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::{ScenarioName, SimulatorOptions};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    press::{apply, sync},
    process::MIS_SYNC,
    rows::{execute, number, texts},
};

/// The number of sessions of leaders and candidates.
const CANDIDATES: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'mis-sync leader' AND query LIKE '%pg_try_advisory_lock%'";
/// The session of the leader.
const LEADER: &str = "SELECT pid::text FROM pg_locks WHERE locktype = 'advisory' AND granted";
/// Modes of the scheduled syncs, in order.
const SCHEDULED: &str = "SELECT options ->> 'mode' FROM job WHERE requested_by = 'schedule' \
    AND kind = 'sync-school' ORDER BY id";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Noon of a day long after the schools of a test are made.
fn clock() -> ManualClock {
    ManualClock::at(at("2037-01-10T12:00:00Z"))
}

async fn app_with(clock: &ManualClock, schools: usize, worker: bool) -> TestApp {
    TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools, staff: 12, ..SimulatorOptions::default() },
        clock: clock.clone().into(),
        scheduler: true,
        worker,
        ..TestAppOptions::default()
    })
    .await
}

/// Connects a school as if its last night had been served.
async fn connect(app: &TestApp, index: usize, schedule: Value) -> SchoolId {
    let off = json!({ "schedule": { "enabled": false } });
    let school = app.connect_school_with(index, off).await;
    let noon = "2037-01-10T12:00:00Z";
    execute(app, &format!("INSERT INTO school_schedule VALUES ('{school}', '{noon}', '{noon}')"))
        .await;
    app.connect_school_with(index, json!({ "schedule": schedule })).await
}

fn nightly() -> Value {
    json!({ "nightly_from": "02:00", "nightly_until": "02:01" })
}

/// Waits until this many scheduled syncs were requested and all have finished; returns their modes.
async fn scheduled(app: &TestApp, count: usize) -> Vec<String> {
    let what = format!("{count} scheduled syncs are done");
    eventually(&what, async || {
        let unfinished = "SELECT count(*) FROM job WHERE finished_at IS NULL";
        let modes = texts(app, SCHEDULED).await;
        (modes.len() >= count && number(app, unfinished).await == 0).then_some(modes)
    })
    .await
}

#[tokio::test]
async fn each_night_brings_one_full_sync_and_missed_ones_are_made_up_once() {
    let clock = clock();
    let app = app_with(&clock, 1, true).await;
    connect(&app, 0, nightly()).await;

    clock.set(at("2037-01-11T02:01:00Z"));
    assert_eq!(scheduled(&app, 1).await, ["full"]);
    let job = texts(&app, "SELECT id::text FROM job").await.remove(0);
    let job = app.job(&job).await;
    assert_eq!(job["requested_by"], "schedule");
    assert_eq!(job["state"], "succeeded", "{job}");

    // No worker ran for three nights.
    clock.set(at("2037-01-14T09:00:00Z"));
    assert_eq!(scheduled(&app, 2).await.len(), 2);
    // The next night comes in its time. A second sync for the past would have come before it.
    clock.set(at("2037-01-15T02:01:00Z"));
    assert_eq!(scheduled(&app, 3).await.len(), 3);
    let slot = "SELECT full_until::text FROM school_schedule";
    assert!(texts(&app, slot).await[0].starts_with("2037-01-15 02:00"));
}

#[tokio::test]
async fn an_hourly_delta_follows_the_full_sync() {
    let clock = clock();
    let app = app_with(&clock, 1, true).await;
    let mut schedule = nightly();
    schedule["hourly_delta"] = true.into();
    connect(&app, 0, schedule).await;
    clock.set(at("2037-01-11T02:01:00Z"));
    scheduled(&app, 1).await;
    clock.set(at("2037-01-11T03:30:00Z"));
    assert_eq!(scheduled(&app, 2).await, ["full", "delta"]);
}

#[tokio::test]
async fn who_has_no_good_token_or_no_schedule_is_left_alone() {
    let clock = clock();
    let app = app_with(&clock, 4, true).await;
    let off = connect(&app, 0, json!({ "enabled": false })).await;
    let rejected = connect(&app, 1, nightly()).await;
    execute(&app, &format!("UPDATE school SET token_rejected_at = now() WHERE id = '{rejected}'"))
        .await;
    let disconnected = connect(&app, 2, nightly()).await;
    execute(&app, &format!("UPDATE school SET wonde_token = NULL WHERE id = '{disconnected}'"))
        .await;
    let good = connect(&app, 3, nightly()).await;
    // By the second night everything of the first one has been requested.
    for (night, count) in [("2037-01-11T06:00:00Z", 1), ("2037-01-12T06:00:00Z", 2)] {
        clock.set(at(night));
        scheduled(&app, count).await;
    }
    let asked_for = texts(&app, "SELECT school_id FROM job").await;
    assert_eq!(asked_for, [good.to_string(), good.to_string()]);
    for (school, is_planned) in
        [(off, false), (rejected, false), (disconnected, false), (good, true)]
    {
        let shown = app.get(&format!("/v1/schools/{school}")).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        assert_eq!(shown["next_sync_at"].is_string(), is_planned, "{shown}");
    }
}

#[tokio::test]
async fn a_full_sync_that_someone_pressed_for_serves_the_night_too() {
    let clock = clock();
    let app = app_with(&clock, 1, true).await;
    let school = connect(&app, 0, nightly()).await;
    let hang = json!({ "path": "employees", "hang_ms": 600_000, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    app.press_sync(&school).await;
    clock.set(at("2037-01-11T02:01:00Z"));
    eventually("the night is served", async || {
        let slot = "SELECT full_until::text FROM school_schedule";
        texts(&app, slot).await[0].starts_with("2037-01-11").then_some(())
    })
    .await;
    assert_eq!(number(&app, "SELECT count(*) FROM job").await, 1);
}

#[tokio::test]
async fn two_workers_ask_for_one_sync_and_the_next_sync_is_shown() {
    let clock = clock();
    let app = app_with(&clock, 1, true).await;
    let second = app.another_worker();
    eventually("both would lead", async || (number(&app, CANDIDATES).await == 2).then_some(()))
        .await;
    assert_eq!(texts(&app, LEADER).await.len(), 1, "one of them leads");
    let school = connect(&app, 0, nightly()).await;
    for day in 11..=13 {
        clock.set(at(&format!("2037-01-{day}T02:01:00Z")));
        let done = usize::try_from(day - 10).unwrap();
        assert_eq!(scheduled(&app, done).await.len(), done);
    }
    let shown = app.get(&format!("/v1/schools/{school}")).send().await.unwrap();
    let shown: Value = shown.json().await.unwrap();
    let next = shown["next_sync_at"].as_str().unwrap();
    assert!(next.starts_with("2037-01-14T02:00:"), "{next}");
    second.stop().await;
}

#[tokio::test]
async fn a_killed_leader_is_replaced() {
    let clock = clock();
    let mut app = app_with(&clock, 1, false).await;
    connect(&app, 0, nightly()).await;
    let first = MIS_SYNC.start(&app, &["worker"], &[]);
    let leader = eventually("the process leads", async || texts(&app, LEADER).await.pop()).await;
    // By the clock of this process the night is over; by that of the other it is far away.
    clock.set(at("2037-01-11T03:00:00Z"));
    app.start_worker();
    eventually("this one would lead", async || (number(&app, CANDIDATES).await == 2).then_some(()))
        .await;
    assert_eq!(texts(&app, LEADER).await, std::slice::from_ref(&leader));
    assert_eq!(texts(&app, SCHEDULED).await.len(), 0, "it does not lead");

    first.signal(Signal::KILL);
    assert_eq!(scheduled(&app, 1).await, ["full"]);
    let now_leads = texts(&app, LEADER).await;
    assert!(now_leads.len() == 1 && now_leads[0] != leader);
}

#[tokio::test]
async fn a_postgres_that_crashes_brings_a_new_election() {
    let clock = clock();
    let mut app = app_with(&clock, 1, true).await;
    connect(&app, 0, nightly()).await;
    eventually("the worker leads", async || texts(&app, LEADER).await.pop()).await;
    app.servers.postgres.kill().unwrap();
    app.servers.postgres.restart().unwrap();
    clock.set(at("2037-01-11T03:00:00Z"));
    let done = eventually("the sync is done", async || {
        let answer = app.get("/v1/jobs?state=succeeded").send().await.ok()?;
        let jobs: Value = answer.json().await.ok()?;
        jobs["jobs"].as_array().filter(|jobs| !jobs.is_empty()).cloned()
    })
    .await;
    assert_eq!(done[0]["requested_by"], "schedule");
}

#[tokio::test]
async fn only_so_many_scheduled_syncs_are_unfinished_at_once() {
    let clock = clock();
    let mut app = app_with(&clock, 3, false).await;
    for index in 0..3 {
        connect(&app, index, nightly()).await;
    }
    // All that is known about a sync that waits long for Wonde is that it is unfinished.
    let busy = format!(
        "INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, max_attempts,
            deadline_at, state, next_attempt_at)
         SELECT gen_random_uuid(), 'sync-school', 'bulk', '{}', 'busy' || n, 'schedule', 1,
            now() + interval '1 day', 'retrying', now() + interval '1 day'
         FROM generate_series(1, 98) n",
        app.simulated_school(0).id
    );
    execute(&app, &busy).await;
    // Two may run; the third has to wait for longer than this test.
    for _ in 0..2 {
        let hang = json!({ "path": "employees", "hang_ms": 600_000, "count": 1 });
        app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    }
    clock.set(at("2037-01-11T03:00:00Z"));
    app.start_worker();
    let running = "SELECT count(*) FROM job WHERE state = 'running'";
    eventually("two run", async || (number(&app, running).await == 2).then_some(())).await;
    assert_eq!(number(&app, "SELECT count(*) FROM job").await, 100);
    execute(&app, "DELETE FROM job WHERE unique_key LIKE 'busy%'").await;
    eventually("the third is asked for", async || {
        (number(&app, "SELECT count(*) FROM job").await == 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_night_that_a_delta_stands_in_the_way_of_comes_after_it() {
    let clock = clock();
    let mut app = app_with(&clock, 1, false).await;
    let school = connect(&app, 0, nightly()).await;
    app.start_worker();
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Joiner);
    app.stop_worker().await;
    let pressed = app.post(&format!("/v1/schools/{school}/sync")).json(&json!({ "mode": "delta" }));
    assert_eq!(pressed.send().await.unwrap().status(), 202);
    clock.set(at("2037-01-11T03:00:00Z"));
    app.start_worker();
    assert_eq!(scheduled(&app, 1).await, ["full"]);
    let modes = "SELECT options ->> 'mode' FROM job ORDER BY id";
    assert_eq!(texts(&app, modes).await, ["full", "delta", "full"]);
}
