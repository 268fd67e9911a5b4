//! Metrics of real processes, and `docs/metrics.md`.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use mis_sync_domain::JobKind;
use mis_sync_telemetry::metrics;
use mis_sync_testing::{Process, TestApp, TestAppOptions, eventually, http_client};
use mis_sync_wonde_sim::SimulatorOptions;
use serde_json::json;

use crate::{
    process::{MIS_SYNC, free_address},
    rows::execute,
};

const HEAD: &str = "# Metrics

This page is generated from the list in `crates/telemetry/src/metrics/list.rs`, which all processes
record by. Do not edit it: `UPDATE_EXPECT=1 cargo test -p mis-sync-tests metrics::the_page` generates
it again, and a test fails if it is out of date.

The API shows metrics in Prometheus' text format at `/metrics`. A worker shows its own at the same path
of `worker.metrics_listen`, for example `0.0.0.0:9090`; it shows none if that is empty. `serve
--with-worker` shows both on the API's address. No key is needed, and there is no school, no person and
no text that a caller could invent. The figures show how busy the service is: keep them inside your
network.

Figures of the ledger are the same in every API process, so use `max` over the instances. All others
belong to one process, so use `sum`. A counter starts at 0 with its process. Each process also shows the
usual `process_start_time_seconds`, `process_cpu_seconds_total`, `process_resident_memory_bytes`,
`process_virtual_memory_bytes`, `process_threads`, `process_open_fds` and `process_max_fds`.

Kinds of jobs are {kinds}.
Lanes are `bulk`, `interactive` and `internal`. The number of requests to Wonde is
`mis_sync_wonde_request_duration_seconds_count`; its answers 429 are those with `status=\"429\"`. A
lease that was lost is `mis_sync_job_attempts_total{outcome=\"lost\"}`.
";

#[test]
fn the_page_is_that_of_the_list() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let kinds: Vec<String> = JobKind::KNOWN.iter().map(|kind| format!("`{kind}`")).collect();
    let text = HEAD.replace("{kinds}", &kinds.join(", ")) + &metrics::table();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(committed == text, "docs/metrics.md is old: run again with UPDATE_EXPECT=1");
}

/// What a process shows.
async fn page(address: &str) -> String {
    let url = format!("http://{address}/metrics");
    eventually("the process shows its metrics", async || {
        http_client().get(&url).send().await.ok()?.text().await.ok()
    })
    .await
}

/// The sum over the series that begin like this.
fn sum(page: &str, series: &str) -> f64 {
    let samples = page.lines().filter_map(|line| line.strip_prefix(series));
    samples.map(|rest| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

async fn one_school_without_worker() -> TestApp {
    TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 40, ..SimulatorOptions::default() },
        worker: false,
        ..TestAppOptions::default()
    })
    .await
}

fn start_worker(app: &TestApp, listen: &str) -> Process {
    MIS_SYNC.start(app, &["worker"], &[("MIS_SYNC__WORKER__METRICS_LISTEN", listen)])
}

#[tokio::test]
async fn a_worker_shows_what_it_did_and_the_api_what_the_ledger_says() {
    let app = one_school_without_worker().await;
    let school = app.connect_school(0).await;
    let (worker, api) = (free_address(), free_address());
    let _worker = start_worker(&app, &worker);
    let _api = MIS_SYNC.start(&app, &["serve"], &[("MIS_SYNC__API__LISTEN", &api)]);
    page(&worker).await;
    for fault in [
        json!({ "path": "page=2", "status": 429, "retry_after": 0, "count": 1 }),
        json!({ "path": "page=3", "status": 500, "count": 1 }),
    ] {
        app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    }
    let job = app.press_sync(&school).await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded");

    let ended = r#"mis_sync_jobs_ended_total{kind="sync-school",outcome="succeeded"}"#;
    let shown = eventually("the attempt is counted", async || {
        let shown = page(&worker).await;
        (sum(&shown, ended) > 0.0 && sum(&shown, "mis_sync_leader") > 0.0).then_some(shown)
    })
    .await;
    for (series, expected) in [
        (ended, 1.0),
        (r#"mis_sync_jobs_ended_total{kind="sync-school",outcome="failed"}"#, 0.0),
        (r#"mis_sync_job_attempts_total{kind="sync-school",outcome="succeeded"}"#, 1.0),
        (r#"mis_sync_job_attempts_total{kind="sync-school",outcome="lost"}"#, 0.0),
        (r#"mis_sync_job_queue_wait_seconds_count{kind="sync-school",lane="bulk"}"#, 1.0),
        (r#"mis_sync_job_run_seconds_count{kind="sync-school",lane="bulk"}"#, 1.0),
        (r#"mis_sync_sync_stage_seconds_count{stage="fetching"}"#, 1.0),
        (r#"mis_sync_sync_stage_seconds_count{stage="applying"}"#, 1.0),
        (r#"mis_sync_running_jobs{lane="bulk"}"#, 0.0),
        (r#"mis_sync_worker_slots{lane="bulk"}"#, 4.0),
        ("mis_sync_wonde_retries_total", 2.0),
        ("mis_sync_leader", 1.0),
        ("mis_sync_redis_up", 1.0),
        (r#"mis_sync_redis_trouble{reason="away"}"#, 0.0),
        ("mis_sync_pool_max_connections", 20.0),
        ("mis_sync_pool_timeouts_total", 0.0),
        (r#"mis_sync_build_info{version="0.1.0",commit="#, 1.0),
    ] {
        assert!((sum(&shown, series) - expected).abs() < 0.5, "{series} in\n{shown}");
    }
    for status in ["429", "5xx"] {
        let ended = format!(r#",status="{status}"}} 1"#);
        let is_one = |line: &str| {
            line.starts_with("mis_sync_wonde_request_duration_seconds_count{")
                && line.ends_with(&ended)
        };
        assert!(shown.lines().any(is_one), "{ended} in\n{shown}");
    }
    for series in [
        "mis_sync_limiter_wait_seconds_count",
        "mis_sync_pool_wait_seconds_count",
        "mis_sync_pool_connections",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
    ] {
        assert!(sum(&shown, series) > 0.0, "{series} in\n{shown}");
    }
    assert!(!shown.contains("mis_sync_jobs{"), "the ledger is the API's");

    let ledger = page(&api).await;
    for (series, expected) in [
        ("mis_sync_ledger_up", 1.0),
        (r#"mis_sync_jobs{kind="sync-school""#, 0.0),
        ("mis_sync_workers", 1.0),
        ("mis_sync_schools_connected", 1.0),
        ("mis_sync_schools_stale", 0.0),
    ] {
        assert!((sum(&ledger, series) - expected).abs() < 0.5, "{series} in\n{ledger}");
    }
    assert!(!ledger.contains("mis_sync_leader"), "a worker's figures are a worker's");
    for page in [&shown, &ledger] {
        assert_all_are_listed(page);
        assert!(!page.contains(school.as_str()), "{page}");
        check_by_promtool(page);
    }
}

/// Names, types and labels are those of the list, and each metric says what it means.
fn assert_all_are_listed(page: &str) {
    let table = metrics::table();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(page.contains(&format!("# HELP {name} ")), "{name} says what it means");
        let is_listed = table.contains(&format!("| `{name}` | {kind} |"));
        assert!(is_listed || name.starts_with("process_"), "{line} is not in the list");
    }
}

/// `.ci/run` puts promtool on the path.
#[expect(clippy::print_stdout, reason = "a skipped check says so")]
fn check_by_promtool(page: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = command.spawn() else {
        return println!("SKIPPED: promtool is not on the path; see .ci/promtool");
    };
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let checked = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.is_empty(), "promtool says: {said}");
}

#[tokio::test]
async fn a_lost_lease_is_counted() {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 40, ..SimulatorOptions::default() },
        worker: false,
        lease: Duration::from_secs(1),
        ..TestAppOptions::default()
    })
    .await;
    let school = app.connect_school(0).await;
    let hang = json!({ "path": "employees", "hang_ms": 600_000, "count": 1 });
    app.simulator.simulator().add_fault(serde_json::from_value(hang).unwrap());
    let listen = free_address();
    let _worker = start_worker(&app, &listen);
    let job = app.press_sync(&school).await;
    app.wait_for_job(&job, "it runs", |job| job["state"] == "running").await;
    // Another worker has it now, as after a long pause of this machine.
    execute(&app, "UPDATE job SET fence = nextval('job_fence')").await;
    assert_eq!(app.wait_until_finished(&job).await["state"], "succeeded");
    let attempts = r#"mis_sync_job_attempts_total{kind="sync-school",outcome="#;
    let shown = eventually("both attempts are counted", async || {
        let shown = page(&listen).await;
        (sum(&shown, attempts) > 1.5).then_some(shown)
    })
    .await;
    for outcome in ["lost", "succeeded"] {
        let series = format!("{attempts}\"{outcome}\"}}");
        assert!((sum(&shown, &series) - 1.0).abs() < 0.5, "{series} in\n{shown}");
    }
}
