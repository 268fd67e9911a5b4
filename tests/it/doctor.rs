//! `mis-sync doctor` finds what is wrong: each test breaks one thing.

mod configuration;
mod database;
mod redis;

use mis_sync_testing::{TestApp, TestAppOptions};
use serde_json::Value;

use crate::process::run;

pub(crate) async fn app_without_worker() -> TestApp {
    TestApp::start_with(TestAppOptions { worker: false, ..TestAppOptions::default() }).await
}

/// What `doctor --json` finds on the servers of `app`, with these variables on top, and its exit
/// code.
pub(crate) async fn doctor(app: &TestApp, extra: &[(&str, &str)]) -> (i32, Findings) {
    let environment = app.environment();
    let mut variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    variables.push(("MIS_SYNC__API__LISTEN", "127.0.0.1:0"));
    variables.extend_from_slice(extra);
    let output = run(&["doctor", "--json"], &variables).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let findings = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    (output.status.code().unwrap(), Findings(findings))
}

#[derive(Debug)]
pub(crate) struct Findings(Vec<Value>);

impl Findings {
    /// The finding of a check with this status.
    #[track_caller]
    pub(crate) fn expect(&self, check: &str, status: &str) -> &Value {
        let found = self.0.iter().find(|it| it["check"] == check && it["status"] == status);
        found.unwrap_or_else(|| panic!("no {status} of {check} in {:#?}", self.0))
    }

    /// Asserts that the finding has these texts, in what it says or advises.
    #[track_caller]
    pub(crate) fn expect_texts(&self, check: &str, status: &str, texts: &[&str]) {
        crate::shell::assert_has(&self.expect(check, status).to_string(), texts);
    }

    /// The checks with this status.
    pub(crate) fn checks(&self, status: &str) -> Vec<&str> {
        let of_status = self.0.iter().filter(|it| it["status"] == status);
        of_status.map(|it| it["check"].as_str().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_sound_installation_has_no_failure() {
    let app = TestApp::start().await;
    app.connect_school(0).await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 0, "{findings:?}");
    assert_eq!(findings.checks("fail"), [""; 0]);
    // Servers of tests are fast, and not durable.
    assert_eq!(findings.checks("warn"), ["database.durability"]);
    findings.expect_texts("database.durability", "warn", &["fsync", "full_page_writes"]);
    findings.expect_texts("workers", "ok", &["1 alive"]);
    findings.expect_texts("secrets", "ok", &["1 open"]);
    findings.expect_texts("redis.persistence", "ok", &["keeps nothing"]);
    for check in ["database", "database.rights", "database.owner", "redis.rights", "wonde"] {
        findings.expect(check, "ok");
    }
}
