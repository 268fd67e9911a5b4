//! Processes that start while Redis is away work, and use it when it is there.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{connections::serving, people::assert_equal_to_truth, process::MIS_SYNC, shell};

async fn readiness(app: &TestApp) -> (u16, Value) {
    let answer = app.get("/readyz").send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn press(app: &TestApp, school: &SchoolId) {
    let job = app.press_sync(school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
}

/// The connected clients, and what each of them does.
async fn redis_clients(app: &TestApp) -> String {
    let mut redis = UnixStream::connect(app.servers.redis.socket()).await.unwrap();
    redis.write_all(b"CLIENT LIST\r\nQUIT\r\n").await.unwrap();
    let mut answer = String::new();
    redis.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn server_and_worker_start_without_redis_and_join_it_later() {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { worker: false, simulator, ..TestAppOptions::default() };
    let mut app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    app.servers.redis.kill().unwrap();
    let (_server, address) = serving(&app, &[]).await;
    // From here on requests go to the process.
    app.api_url = format!("http://{address}");
    let _worker = MIS_SYNC.start(&app, &["worker"], &[]);

    let redis = json!({ "status": "degraded", "reason": "away" });
    let (status, body) = readiness(&app).await;
    assert_eq!((status, &body["status"]), (200, &json!("degraded")), "{body}");
    assert_eq!(body["checks"]["redis"], redis);
    let (code, printed, said) = shell::command(&app, &["doctor"], None).await;
    assert_eq!(code, 3, "{printed}{said}");
    let failed = printed.lines().filter(|line| line.starts_with("FAILS ")).count();
    assert_eq!(failed, 1, "only Redis: {printed}");
    shell::assert_has(&printed, &["FAILS  redis:", "degraded, away", "works without it"]);
    press(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;

    app.servers.redis.restart().unwrap();
    eventually("the server has joined Redis", async || {
        (readiness(&app).await
            == (
                200,
                json!({
                    "status": "ready",
                    "checks": { "postgres": { "status": "ok" }, "redis": { "status": "ok" } },
                }),
            ))
            .then_some(())
    })
    .await;
    eventually("the worker has joined Redis", async || {
        redis_clients(&app).await.contains("cmd=bzpopmin").then_some(())
    })
    .await;
    press(&app, &school).await;
    let (code, printed, said) = shell::command(&app, &["doctor"], None).await;
    assert_eq!(code, 0, "{printed}{said}");
}
