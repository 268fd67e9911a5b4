//! What a process writes to its log, and how.

use mis_sync_testing::{TestApp, TestAppOptions, eventually, http_client};
use mis_sync_wonde_sim::SimulatorOptions;
use rustix::process::Signal;

use crate::process::{MIS_SYNC, free_address, run};

#[tokio::test]
async fn a_warning_that_comes_again_is_written_once_and_counted() {
    let mut app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, ..SimulatorOptions::default() },
        worker: false,
        ..TestAppOptions::default()
    })
    .await;
    let listen = free_address();
    let mut worker =
        MIS_SYNC.start(&app, &["worker"], &[("MIS_SYNC__WORKER__METRICS_LISTEN", &listen)]);
    let url = format!("http://{listen}/metrics");
    let page = async || http_client().get(&url).send().await.ok()?.text().await.ok();
    eventually("it works", page).await;
    app.servers.postgres.kill().unwrap();
    let warnings = r#"mis_sync_log_lines_total{level="warn"} "#;
    eventually("it has warned many times", async || {
        let page = page().await?;
        let count = page.lines().find_map(|line| line.strip_prefix(warnings))?;
        (count.parse::<f64>().unwrap() > 12.0).then_some(())
    })
    .await;
    worker.signal(Signal::TERM);
    worker.ended().await;
    let log = worker.printed();
    let written = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    let message = "the sweep did not go through";
    let (first, again) = (
        log.lines().filter(|line| line.contains(message) && !line.contains("came again")).count(),
        log.lines().filter(|line| line.contains(message) && line.contains("came again")).count(),
    );
    // The reason may change once while the server goes away.
    assert!((1..=3).contains(&first) && again >= 1, "{log}");
    assert!(written("\"count\":") >= 1, "{log}");
}

#[tokio::test]
async fn a_wrong_level_or_format_is_refused_with_what_is_allowed() {
    for (key, value, parts) in [
        ("LEVEL", "infoo", ["log.level", "`infoo`", "error, warn, info, debug, trace or off"]),
        ("LEVEL", "info,wonde", ["log.level", "`wonde`", "info,mis_sync_wonde=debug"]),
        ("LEVEL", "mis_sync_wonde=loud", ["log.level", "mis_sync_wonde=loud", "trace or off"]),
        ("FORMAT", "jsn", ["log.format", "`jsn`", "auto"]),
    ] {
        let output = run(&["worker"], &[(&format!("MIS_SYNC__LOG__{key}"), value)]).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` is missing in {said}");
        }
    }
    let output = run(&["--version"], &[]).await;
    let version = String::from_utf8(output.stdout).unwrap();
    assert!(version.starts_with("mis-sync 0.1.0 (") && version.ends_with(")\n"), "{version}");
}
