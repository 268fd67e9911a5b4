use mis_sync_testing::{RedisServer, TestApp, another_redis, free_port, sentinel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::{app_without_worker, doctor};

/// Sends a command to a Redis, which has to accept it.
async fn tell(redis: &RedisServer, command: &str) {
    let mut connection = UnixStream::connect(redis.socket()).await.unwrap();
    connection.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("+OK"), "{command}: {answer}");
}

async fn with(app: &TestApp, url: &str) -> (i32, super::Findings) {
    doctor(app, &[("REDIS_URL", url)]).await
}

#[tokio::test]
async fn a_redis_that_evicts_is_a_warning_and_a_lost_snapshot_too() {
    let app = app_without_worker().await;
    let redis = another_redis(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]).await;
    let (code, findings) = with(&app, &redis.url()).await;
    assert_eq!(code, 0);
    findings.expect_texts("redis.eviction", "warn", &["allkeys-lru", "noeviction"]);
    findings.expect("redis.clock", "ok");
    tell(&redis, "CONFIG SET appendonly yes").await;
    let (_, findings) = with(&app, &redis.url()).await;
    findings.expect_texts("redis.persistence", "ok", &["logs every write"]);
}

#[tokio::test]
async fn rights_that_the_user_lacks_are_named() {
    let app = app_without_worker().await;
    let port = free_port();
    let redis = another_redis(&["--port", &port.to_string(), "--bind", "127.0.0.1"]).await;
    let url = format!("redis://app:s3cret@127.0.0.1:{port}");
    // What the advice permits is enough.
    let advice = "ACL SETUSER app on >s3cret ~test:* &test:* +@all -@admin -@dangerous +info";
    tell(&redis, advice).await;
    let (code, findings) = with(&app, &url).await;
    assert_eq!(code, 0, "{findings:?}");
    findings.expect("redis.rights", "ok");
    for (right, missing) in [
        ("-zadd", "ZADD"),
        ("-rpush", "RPUSH"),
        ("-eval", "EVAL"),
        ("-publish", "PUBLISH"),
        ("resetchannels", "SUBSCRIBE"),
        ("resetkeys ~other:*", "SET"),
    ] {
        tell(&redis, &format!("{advice} {right}")).await;
        let (code, findings) = with(&app, &url).await;
        assert_eq!(code, 2, "{right}: {findings:?}");
        findings.expect_texts("redis.rights", "fail", &[missing, "ACL SETUSER"]);
        tell(&redis, "ACL SETUSER app reset").await;
    }
    let (code, findings) = with(&app, &url).await;
    assert_eq!(code, 3, "the login is refused");
    findings.expect_texts("redis", "fail", &["not-permitted", "redis.url"]);
}

#[tokio::test]
async fn a_sentinel_and_a_cluster_have_their_own_form_of_address() {
    let app = app_without_worker().await;
    let (port, master) = (free_port(), free_port());
    let configuration = format!("port {port}\nsentinel monitor ip-main 127.0.0.1 {master} 1\n");
    let _sentinel = sentinel(configuration).await;
    let (code, findings) = with(&app, &format!("redis://127.0.0.1:{port}")).await;
    assert_eq!(code, 2);
    let right = format!("redis+sentinel://127.0.0.1:{port}/ip-main");
    findings.expect_texts("redis", "fail", &["a Sentinel", &right]);

    let port = free_port().to_string();
    let _node = another_redis(&["--port", &port, "--cluster-enabled", "yes"]).await;
    let (code, findings) = with(&app, &format!("redis://127.0.0.1:{port}")).await;
    assert_eq!(code, 2);
    let right = format!("redis+cluster://127.0.0.1:{port}");
    findings.expect_texts("redis", "fail", &["a node of a cluster", &right]);
}

#[tokio::test]
async fn a_plain_redis_is_neither_a_sentinel_nor_a_cluster() {
    let app = app_without_worker().await;
    let port = free_port();
    let _redis = another_redis(&["--port", &port.to_string(), "--bind", "127.0.0.1"]).await;
    for (form, part) in [("cluster", "no cluster"), ("sentinel", "no Sentinel")] {
        let path = if form == "sentinel" { "/main" } else { "" };
        let (code, findings) = with(&app, &format!("redis+{form}://127.0.0.1:{port}{path}")).await;
        assert_eq!(code, 2, "{form}");
        findings.expect_texts("redis", "fail", &[part, "redis://"]);
    }
}
