//! What people feel of a Redis that is away or frozen, in figures. They depend on the machine, so
//! they are for reading:
//!
//! `cargo test -p mis-sync-tests --test it -- redis_figures --ignored --nocapture`

use std::time::{Duration, Instant};

use futures::future::join_all;
use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;
use serde_json::{Value, json};
use tokio::time::interval;

use crate::{connections::serving, process::Process, rows::texts};

const SCHOOLS: usize = 6;
const LOGINS: usize = 400;
const PER_SECOND: u32 = 20;

/// Six schools, a server and one worker, each a process of its own.
async fn system() -> (TestApp, Vec<SchoolId>, [Process; 2]) {
    let simulator = SimulatorOptions { schools: SCHOOLS, ..SimulatorOptions::default() };
    let mut app = TestApp::start_with(TestAppOptions {
        simulator,
        worker: false,
        page_size: 200,
        ..TestAppOptions::default()
    })
    .await;
    let mut schools = Vec::new();
    for index in 0..SCHOOLS {
        let settings = json!({ "refresh_freshness_minutes": 0 });
        schools.push(app.connect_school_with(index, settings).await);
    }
    let (server, address) = serving(&app, &[]).await;
    app.api_url = format!("http://{address}");
    let worker = Process::start(&app, &["worker"], &[]);
    sync_all(&app, &schools).await;
    (app, schools, [server, worker])
}

/// How long it takes from the first press until every school is synced.
async fn sync_all(app: &TestApp, schools: &[SchoolId]) -> Duration {
    let started = Instant::now();
    for job in join_all(schools.iter().map(|school| app.press_sync(school))).await {
        let job = app.wait_until_finished(&job).await;
        assert_eq!(job["state"], "succeeded", "{job}");
    }
    started.elapsed()
}

async fn until_redis_is(app: &TestApp, status: &str) {
    eventually(status, async || {
        let body: Value = app.get("/readyz").send().await.ok()?.json().await.ok()?;
        (body["status"] == status).then_some(())
    })
    .await;
}

/// How many logins of a hundred get what iP holds because nobody was quick enough.
async fn stale_percent(app: &TestApp) -> f64 {
    let sql = "SELECT school_id || '/staff/' || id FROM staff WHERE active AND wonde_id IS NOT NULL
        ORDER BY md5(id::text)";
    let people = texts(app, sql).await;
    let mut tick = interval(Duration::from_secs(1) / PER_SECOND);
    let mut logins = Vec::new();
    for person in people.iter().cycle().take(LOGINS) {
        tick.tick().await;
        let login = app.post(&format!("/v1/schools/{person}/refresh?wait_ms=800")).send();
        logins.push(tokio::spawn(async { login.await.unwrap().json::<Value>().await.unwrap() }));
    }
    let answers = join_all(logins).await;
    let stale = answers.iter().filter(|answer| answer.as_ref().unwrap()["outcome"] == "stale");
    let share = |count: usize| u32::try_from(count).map(f64::from).unwrap();
    share(stale.count()) * 100.0 / share(LOGINS)
}

#[tokio::test]
#[ignore = "figures, for reading"]
async fn redis_away_and_frozen() {
    let (mut app, schools, _processes) = system().await;
    app.simulator.simulator().set_latency(Duration::from_millis(150));
    println!("all well: {:.1} % of logins stale", stale_percent(&app).await);
    app.servers.redis.kill().unwrap();
    println!("Redis dead: {:.1} % of logins stale", stale_percent(&app).await);
    app.servers.redis.restart().unwrap();
    until_redis_is(&app, "ready").await;
    app.simulator.simulator().set_latency(Duration::ZERO);
    println!("all well: six schools in {:?}", sync_all(&app, &schools).await);

    app.servers.redis.pause().unwrap();
    let started = Instant::now();
    let job = app.press_sync(&schools[0]).await;
    println!("Redis frozen: the first press is answered in {:?}", started.elapsed());
    app.wait_until_finished(&job).await;
    println!("Redis frozen: six schools in {:?}", sync_all(&app, &schools).await);
    app.servers.redis.resume().unwrap();
}
