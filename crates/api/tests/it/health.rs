//! Liveness and readiness.

use mis_sync_testing::eventually;
use serde_json::{Value, json};

use crate::support::{App, Ask};

async fn readiness(app: &App) -> (u16, Value) {
    let answer = app.send(Ask::get("/readyz")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    (answer.status, serde_json::from_str(&answer.text).unwrap())
}

fn checks(status: &str, postgres: &str, redis: &str) -> Value {
    json!({
        "status": status,
        "checks": {"postgres": {"status": postgres}, "redis": {"status": redis}},
    })
}

#[tokio::test]
async fn readiness_follows_postgres_and_redis() {
    let mut app = App::start().await;
    assert_eq!(readiness(&app).await, (200, checks("ready", "ok", "ok")));

    app.servers.redis.kill().unwrap();
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "ok", "away")));
    app.servers.redis.restart().unwrap();
    eventually("Redis is back", async || Some(readiness(&app).await).filter(|r| r.0 == 200)).await;

    app.servers.postgres.kill().unwrap();
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "away", "ok")));
    let alive = app.send(Ask::get("/healthz")).await.json();
    assert_eq!(alive, json!({"status": "ok"}));
    app.servers.postgres.restart().unwrap();
    eventually("Postgres is back", async || Some(readiness(&app).await).filter(|r| r.0 == 200))
        .await;
}

#[tokio::test]
async fn what_hangs_counts_as_away() {
    let mut app = App::start().await;
    // A connection each, so that it is the answer that does not come.
    assert_eq!(readiness(&app).await.0, 200);
    app.servers.postgres.pause().unwrap();
    app.servers.redis.pause().unwrap();
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "away", "away")));
    app.servers.postgres.resume().unwrap();
    app.servers.redis.resume().unwrap();
}

#[tokio::test]
async fn an_old_schema_is_told_apart() {
    let app = App::start().await;
    app.sql("DELETE FROM _sqlx_migrations".to_owned()).await;
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "schema-behind", "ok")));
}

#[tokio::test]
async fn a_database_that_takes_no_writes_counts_as_away() {
    let app = App::start().await;
    app.sql("ALTER SYSTEM SET default_transaction_read_only = on".to_owned()).await;
    app.sql("SELECT pg_reload_conf()".to_owned()).await;
    let away = checks("unavailable", "away", "ok");
    eventually("it is known", async || {
        Some(readiness(&app).await).filter(|found| *found == (503, away.clone()))
    })
    .await;
    app.sql("ALTER SYSTEM RESET default_transaction_read_only".to_owned()).await;
    app.sql("SELECT pg_reload_conf()".to_owned()).await;
    eventually("it takes writes", async || Some(readiness(&app).await).filter(|r| r.0 == 200))
        .await;
}
