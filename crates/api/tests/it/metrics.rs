//! Figures for Prometheus.

use mis_sync_domain::{JobFailure, Report};
use mis_sync_store::jobs;

use crate::support::{App, Ask};

async fn metrics(app: &App) -> String {
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
    let empty = metrics(&app).await;
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
    let text = metrics(&app).await;
    for line in [
        r#"mis_sync_jobs{kind="sync-school",state="queued"} 1"#,
        r#"mis_sync_jobs{kind="sync-school",state="running"} 1"#,
        r#"mis_sync_jobs{kind="sync-school",state="held"} 0"#,
        r#"mis_sync_jobs_ended_last_hour{kind="sync-school",state="succeeded"} 1"#,
        r#"mis_sync_jobs_ended_last_hour{kind="sync-school",state="failed"} 1"#,
        r#"mis_sync_attempts_last_hour{outcome="succeeded"} 1"#,
        r#"mis_sync_attempts_last_hour{outcome="failed"} 1"#,
        r#"mis_sync_attempts_last_hour{outcome="lost"} 0"#,
        "mis_sync_busy_workers 1",
    ] {
        assert_has(&text, line);
    }
    let age = value(&text, r#"mis_sync_oldest_queued_seconds{lane="bulk"}"#);
    assert!((90.0..150.0).contains(&age), "{age}");
    for secret in ["oakfield", "Oakfield", &good.to_string(), "worker\"", &app.admin] {
        assert!(!text.contains(secret), "`{secret}` is in\n{text}");
    }

    // Jobs that were requested longer ago have left the figures.
    app.sql(format!(
        "DELETE FROM job_attempt WHERE job_id = '{good}';
         UPDATE job SET id = '01000000-0000-7000-8000-000000000000' WHERE id = '{good}'"
    ))
    .await;
    let ended = r#"mis_sync_jobs_ended_last_hour{kind="sync-school",state="succeeded"} 0"#;
    assert_has(&metrics(&app).await, ended);
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_paths_are_not_told() {
    let app = App::start().await;
    app.school("oak").await;
    for path in ["/v1/schools/oak", "/v1/schools/elm", "/nowhere/a-word", "/v1/jobs?state=a-word"] {
        app.admin(Ask::get(path)).await;
    }
    let text = metrics(&app).await;
    let count = |route: &str, status: u16| {
        format!(
            "mis_sync_http_request_duration_seconds_count\
             {{method=\"GET\",route=\"{route}\",status=\"{status}\"}} 1"
        )
    };
    for (route, status) in [
        ("/v1/schools/{school_id}", 200),
        ("/v1/schools/{school_id}", 404),
        ("unmatched", 404),
        ("/v1/jobs", 400),
    ] {
        assert_has(&text, &count(route, status));
    }
    assert!(!text.contains("a-word") && !text.contains("elm"), "{text}");
}

#[tokio::test]
async fn without_a_database_the_other_figures_come() {
    let mut app = App::start().await;
    app.servers.postgres.kill().unwrap();
    let text = metrics(&app).await;
    assert_has(&text, "mis_sync_ledger_up 0");
    assert!(text.contains("mis_sync_http_request_duration_seconds"));
    assert!(!text.contains("mis_sync_jobs"), "an unknown number is not told as zero");
}
