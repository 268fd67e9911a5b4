//! Liveness and readiness.

use mis_sync_testing::eventually;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::support::{App, Ask};

async fn readiness(app: &App) -> (u16, Value) {
    let answer = app.send(Ask::get("/readyz")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    (answer.status, serde_json::from_str(&answer.text).unwrap())
}

/// The body; `redis` is the reason if Redis has a problem.
fn checks(status: &str, postgres: &str, redis: Option<&str>) -> Value {
    let redis = match redis {
        None => json!({"status": "ok"}),
        Some(reason) => json!({"status": "degraded", "reason": reason}),
    };
    json!({"status": status, "checks": {"postgres": {"status": postgres}, "redis": redis}})
}

#[tokio::test]
async fn readiness_follows_postgres_and_redis() {
    let mut app = App::start().await;
    assert_eq!(readiness(&app).await, (200, checks("ready", "ok", None)));

    app.servers.redis.kill().unwrap();
    assert_eq!(readiness(&app).await, (200, checks("degraded", "ok", Some("away"))));
    app.servers.redis.restart().unwrap();
    let ready = (200, checks("ready", "ok", None));
    eventually("Redis is back", async || (readiness(&app).await == ready).then_some(())).await;

    app.servers.postgres.kill().unwrap();
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "away", None)));
    let alive = app.send(Ask::get("/healthz")).await.json();
    assert_eq!(alive, json!({"status": "ok"}));
    app.servers.postgres.restart().unwrap();
    eventually("Postgres is back", async || Some(readiness(&app).await).filter(|r| r.0 == 200))
        .await;
}

#[tokio::test]
async fn what_hangs_counts_as_away() {
    let mut app = App::start().await;
    // A connection each, so that only the answer is missing.
    assert_eq!(readiness(&app).await.0, 200);
    app.servers.postgres.pause().unwrap();
    app.servers.redis.pause().unwrap();
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "away", Some("away"))));
    app.servers.postgres.resume().unwrap();
    app.servers.redis.resume().unwrap();
}

#[tokio::test]
async fn a_redis_that_refuses_writes_is_named() {
    let app = App::start().await;
    for (trouble, end, reason) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "full"),
        (
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
            "refuses-writes",
        ),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read-only"),
    ] {
        tell_redis(&app, trouble).await;
        assert_eq!(readiness(&app).await, (200, checks("degraded", "ok", Some(reason))));
        tell_redis(&app, end).await;
        let ready = (200, checks("ready", "ok", None));
        eventually("it is well", async || (readiness(&app).await == ready).then_some(())).await;
    }
}

async fn tell_redis(app: &App, command: &str) {
    let mut redis = UnixStream::connect(app.servers.redis.socket()).await.unwrap();
    redis.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    let mut answer = [0; 5];
    redis.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+OK\r\n", "{command}");
}

#[tokio::test]
async fn an_old_schema_is_told_apart() {
    let app = App::start().await;
    app.sql("DELETE FROM _sqlx_migrations".to_owned()).await;
    assert_eq!(readiness(&app).await, (503, checks("unavailable", "schema-behind", None)));
}

#[tokio::test]
async fn a_database_that_takes_no_writes_counts_as_away() {
    let app = App::start().await;
    app.sql("ALTER SYSTEM SET default_transaction_read_only = on".to_owned()).await;
    app.sql("SELECT pg_reload_conf()".to_owned()).await;
    let away = checks("unavailable", "away", None);
    eventually("it is known", async || {
        Some(readiness(&app).await).filter(|found| *found == (503, away.clone()))
    })
    .await;
    app.sql("ALTER SYSTEM RESET default_transaction_read_only".to_owned()).await;
    app.sql("SELECT pg_reload_conf()".to_owned()).await;
    eventually("it takes writes", async || Some(readiness(&app).await).filter(|r| r.0 == 200))
        .await;
}
