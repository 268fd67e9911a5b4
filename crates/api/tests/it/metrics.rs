//! Figures for Prometheus.

use mis_sync_domain::{JobFailure, Report};
use mis_sync_store::jobs;
use mis_sync_telemetry::metrics;

use crate::support::{App, Ask};

async fn page(app: &App) -> String {
    let answer = app.send(Ask::get("/metrics")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    answer.text
}

#[track_caller]
fn assert_has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "`{line}` is missing in\n{text}");
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)).unwrap();
    line.trim().parse().unwrap()
}

#[tokio::test]
async fn the_ledger_is_told_in_numbers() {
    let app = App::start().await;
    let school = app.school("oakfield").await;
    let empty = page(&app).await;
    assert_has(&empty, "mis_sync_ledger_up 1");
    assert_has(&empty, r#"mis_sync_jobs{kind="sync-school",state="queued"} 0"#);
    assert_has(&empty, r#"mis_sync_oldest_queued_seconds{lane="bulk"} 0"#);

    let waiting = app.job(&school).await.id;
    app.sql(format!(
        "UPDATE job SET created_at = now() - interval '90 seconds' WHERE id = '{waiting}'"
    ))
    .await;
    let (running, good, bad) =
        (app.job(&school).await.id, app.job(&school).await.id, app.job(&school).await.id);
    app.claim(running).await;
    let lease = app.claim(good).await;
    app.succeed(lease, &Report::default()).await;
    let lease = app.claim(bad).await;
    let why = JobFailure { code: "c".into(), title: "T".into(), detail: "D".into() };
    jobs::fail(&app.pool, lease, &why).await.unwrap();
    app.sql(
        "INSERT INTO worker (name, host, pid, version, lanes) VALUES ('w', 'h', 1, '1', '{}');
        INSERT INTO pause (scope, target, actor) VALUES ('lane', 'bulk', 'test');
        INSERT INTO alert (id, school_id, kind, reason, detail)
            SELECT gen_random_uuid(), id, 'token.rejected', 'r', 'd' FROM school"
            .into(),
    )
    .await;
    let text = page(&app).await;
    for line in [
        r#"mis_sync_jobs{kind="sync-school",state="queued"} 1"#,
        r#"mis_sync_jobs{kind="sync-school",state="running"} 1"#,
        r#"mis_sync_jobs{kind="sync-school",state="held"} 0"#,
        "mis_sync_workers 1",
        "mis_sync_busy_workers 1",
        "mis_sync_schools_connected 1",
        "mis_sync_schools_failed 1",
        "mis_sync_schools_held 0",
        r#"mis_sync_open_alerts{type="token.rejected"} 1"#,
        r#"mis_sync_lane_paused{lane="bulk"} 1"#,
        r#"mis_sync_lane_paused{lane="interactive"} 0"#,
        "mis_sync_redis_up 1",
        "mis_sync_pool_max_connections 12",
    ] {
        assert_has(&text, line);
    }
    let age = value(&text, r#"mis_sync_oldest_queued_seconds{lane="bulk"}"#);
    assert!((90.0..150.0).contains(&age), "{age}");
    for secret in ["oakfield", "Oakfield", &good.to_string(), "worker\"", &app.admin] {
        assert!(!text.contains(secret), "`{secret}` is in\n{text}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_paths_are_not_told() {
    metrics::start();
    let app = App::start().await;
    app.school("oak").await;
    for path in ["/v1/schools/oak", "/v1/schools/elm", "/nowhere/a-word", "/v1/jobs?state=a-word"] {
        app.admin(Ask::get(path)).await;
    }
    for method in ["BREW", "STEEP"] {
        app.admin(Ask::new(method, "/healthz")).await;
    }
    let text = page(&app).await;
    // Other tests of this process count there too.
    for (method, route, status) in [
        ("GET", "/v1/schools/{school_id}", 200),
        ("GET", "/v1/schools/{school_id}", 404),
        ("GET", "unmatched", 404),
        ("GET", "/v1/jobs", 400),
        ("other", "/healthz", 405),
    ] {
        let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
        let name = "mis_sync_http_request_duration_seconds";
        assert!(value(&text, &format!("{name}_count{{{labels}}}")) >= 1.0);
        assert!(value(&text, &format!("{name}_bucket{{{labels},le=\"+Inf\"}}")) >= 1.0);
    }
    for invented in ["a-word", "elm", "BREW", "STEEP"] {
        assert!(!text.contains(invented), "{text}");
    }
}

#[tokio::test]
async fn without_a_database_the_other_figures_come() {
    let mut app = App::start().await;
    app.servers.postgres.kill().unwrap();
    let text = page(&app).await;
    assert_has(&text, "mis_sync_ledger_up 0");
    assert!(text.contains("mis_sync_pool_max_connections"));
    assert!(!text.contains("mis_sync_jobs{"), "an unknown number is not told as zero");
}
