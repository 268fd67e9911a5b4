//! Pauses of lanes and schools, and workers that should take no more jobs.

use mis_sync_domain::{BulkId, Lane};
use mis_sync_store::{
    audit::Actor,
    bulk::{self, Bulk, BulkAction},
    jobs::{self, JobFilter},
    pauses::{self, Scope},
    workers::{self, WorkerRow, WorkerState},
};
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;
use serde_json::{Value, json};

use crate::{
    press::{one_school, sync},
    rows::{execute, texts},
    shell::{assert_has, command, done, json_of},
};

async fn workers(app: &TestApp) -> Vec<WorkerRow> {
    workers::list(&app.pool).await.unwrap()
}

/// Waits until the only worker is in this state, and returns its name.
async fn worker_is(app: &TestApp, state: WorkerState) -> String {
    eventually(&format!("the worker is {state:?}"), async || {
        let workers = workers(app).await;
        workers.into_iter().find(|worker| worker.state == state).map(|worker| worker.name)
    })
    .await
}

#[tokio::test]
async fn a_drained_worker_takes_nothing_until_it_may_again_and_says_when_it_stops() {
    let (mut app, school) = one_school(json!({})).await;
    let name = worker_is(&app, WorkerState::Alive).await;
    let listed = json_of(&app, &["workers", "list"]).await;
    assert_eq!(listed[0]["slots"], json!({ "bulk": 2, "interactive": 8 }));
    assert_eq!(listed[0]["pid"], std::process::id());

    let said = done(&app, &["workers", "drain", &name, "--reason", "new kernel"]).await;
    assert_has(&said, &["takes no new ones"]);
    worker_is(&app, WorkerState::Drained).await;
    assert_has(&done(&app, &["workers", "list"]).await, &["drained", "bulk 2, interactive 8"]);
    let press = app.post(&format!("/v1/schools/{school}/sync")).send().await.unwrap();
    let job: Value = press.json().await.unwrap();
    // Another worker finds it, and the drained one does not.
    let other = app.another_worker();
    let id = job["id"].as_str().unwrap();
    let ended = format!("SELECT worker FROM job WHERE id = '{id}' AND state = 'succeeded'");
    let ran = eventually("a worker ran it", async || texts(&app, &ended).await.pop()).await;
    assert!(!ran.starts_with(&name), "{ran}");
    other.stop().await;

    done(&app, &["workers", "undrain", &name]).await;
    sync(&app, &school).await;
    let (code, _, said) = command(&app, &["workers", "drain", "nobody"], None).await;
    assert_eq!(code, 1);
    assert_has(&said, &["workers list"]);
    app.stop_worker().await;
    assert!(workers(&app).await.iter().all(|worker| worker.state == WorkerState::Stopped));
}

#[tokio::test]
async fn a_paused_school_waits_and_its_logins_are_stale_at_once() {
    let (app, school) = one_school(json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    let id = school.to_string();
    done(&app, &["queues", "pause", "--school", &id, "--reason", "exams"]).await;
    let press = app.post(&format!("/v1/schools/{school}/sync")).send().await.unwrap();
    assert_eq!(press.status(), 202);

    let person = texts(&app, "SELECT id::text FROM staff WHERE active LIMIT 1").await.remove(0);
    let login = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    let answer = app.post(&login).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("paused")));
    assert!(answer["as_of"].is_string() && answer["job"].is_null(), "{answer}");

    let shown = json_of(&app, &["queues"]).await;
    assert_eq!(shown["pauses"][0]["school_id"], id);
    assert_eq!(
        (&shown["pauses"][0]["waiting"], &shown["lanes"][0]["queued"]),
        (&json!(1), &json!(1))
    );
    assert_has(&done(&app, &["queues"]).await, &["exams", "command line", &id]);
    done(&app, &["queues", "resume", "--school", &id]).await;
    let waiting = "SELECT state FROM job WHERE state <> 'succeeded'";
    eventually("it goes on", async || texts(&app, waiting).await.is_empty().then_some(())).await;
    let answer: Value = app.post(&login).send().await.unwrap().json().await.unwrap();
    assert_ne!(answer["outcome"], "stale", "{answer}");
}

#[tokio::test]
async fn a_paused_lane_leaves_the_other_alone() {
    let (app, school) = one_school(json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    let actor = Actor::command("test", None);
    pauses::pause(&app.pool, &Scope::Lane(Lane::Bulk), &actor).await.unwrap();
    let person = texts(&app, "SELECT id::text FROM staff WHERE active LIMIT 1").await.remove(0);
    let login = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    let answer: Value = app.post(&login).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["outcome"], "unchanged", "{answer}");
    app.post(&format!("/v1/schools/{school}/sync")).send().await.unwrap();
    let states = "SELECT state FROM job WHERE kind = 'sync-school' AND state <> 'succeeded'";
    assert_eq!(texts(&app, states).await, ["queued"]);
}

#[tokio::test]
async fn what_cannot_be_paused_says_so() {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { worker: false, simulator, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    for (arguments, code, part) in [
        (&["queues", "pause", "--school", "nobody"][..], 1, "schools list"),
        (&["queues", "resume", "--lane", "bulk"][..], 1, "not paused"),
        (&["queues", "pause", "--lane", "slow"][..], 2, "not a valid lane"),
        (&["queues", "pause"][..], 2, "--lane"),
    ] {
        let (found, _, said) = command(&app, arguments, None).await;
        assert_eq!(found, code, "{arguments:?}: {said}");
        assert_has(&said, &[part]);
    }
}

#[tokio::test]
async fn jobs_are_listed_by_whatever_the_command_line_says() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let id = school.to_string();
    let found = async |filter: &[&str]| {
        let listed = json_of(&app, &[&["jobs", "list"], filter].concat()).await;
        listed.as_array().unwrap().len()
    };
    assert_eq!(found(&["--school", &id, "--state", "failed,succeeded"]).await, 1);
    assert_eq!(found(&["--kind", "refresh-user"]).await, 0);
    assert_eq!(found(&["--error", "database"]).await, 0);
    assert_eq!(found(&["--since", "2020-01-01T00:00:00Z"]).await, 1);
    assert_eq!(found(&["--until", "2020-01-01T00:00:00Z"]).await, 0);
}

#[tokio::test]
async fn many_jobs_are_called_off_and_done_again_whichever_worker_goes_away() {
    let (mut app, school) = one_school(json!({})).await;
    app.stop_worker().await;
    let new = "INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, max_attempts,
            deadline_at)
        SELECT gen_random_uuid(), 'sync-school', 'bulk', id, 'job ' || n, 'test', 5,
            now() + interval '1 hour'
        FROM school, generate_series(1, 250) n";
    execute(&app, new).await;
    let actor = Actor::command("opal", Some("a mistake".into()));
    // No worker takes them; the action itself is never paused.
    pauses::pause(&app.pool, &Scope::Lane(Lane::Bulk), &actor).await.unwrap();
    let filter = JobFilter { schools: vec![school], ..JobFilter::default() };
    let (id, _) = bulk::start(&app.pool, BulkAction::Cancel, &filter, &actor).await.unwrap();
    // The count is stored with the action: a worker that stops after that changes nothing.
    let [job] = bulk::next(&app.pool, id, 1).await.unwrap()[..] else { panic!("250 jobs") };
    let for_it = Actor { bulk: Some(id), ..actor.clone() };
    jobs::cancel(&app.pool, job, &for_it).await.unwrap().unwrap();
    assert_eq!(bulk::get(&app.pool, id).await.unwrap().unwrap().done, 1);
    let first = app.another_worker();
    eventually("it has begun", async || {
        (bulk::get(&app.pool, id).await.unwrap().unwrap().done > 1).then_some(())
    })
    .await;
    first.stop().await;
    app.start_worker();
    let done = finished(&app, id).await;
    assert_eq!((done.total, done.done, done.refused, done.failed), (250, 250, 0, 0));
    let lines = "SELECT count(*)::text FROM audit_log WHERE action = 'cancel' AND actor = 'opal'
        AND reason = 'a mistake' AND job_id IS NOT NULL";
    assert_eq!(texts(&app, lines).await, ["250"]);

    let (id, _) = bulk::start(&app.pool, BulkAction::Retry, &filter, &actor).await.unwrap();
    assert_eq!(finished(&app, id).await.done, 250);
    let again = "SELECT count(DISTINCT retry_of)::text FROM job WHERE state = 'queued'";
    assert_eq!(texts(&app, again).await, ["250"]);
}

async fn finished(app: &TestApp, id: BulkId) -> Bulk {
    eventually("the bulk is done", async || {
        let bulk = bulk::get(&app.pool, id).await.unwrap().unwrap();
        bulk.finished_at.is_some().then_some(bulk)
    })
    .await
}
