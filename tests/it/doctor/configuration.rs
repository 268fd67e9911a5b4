use std::process::Command;

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use serde_json::json;

use super::{app_without_worker, doctor};
use crate::{
    commands::said,
    process::{MIS_SYNC, run},
    receiver::secret,
};

/// `serve` ends with the same words, because it reads the sections in the same place.
#[tokio::test]
async fn a_section_that_makes_serve_exit_is_found() {
    let app = app_without_worker().await;
    for (variable, value, check, part) in [
        ("MIS_SYNC__ALERTS__URL", "https://a.example", "alerts", "alerts.secret is not set"),
        ("MIS_SYNC__CALLBACKS__URL", "https://a.example", "callbacks", "callbacks.secret is not"),
        ("MIS_SYNC__CALLBACKS__ALLOWED_HOSTS", "[\"*.com\"]", "callbacks", "allowed_hosts"),
        ("MIS_SYNC__ALERTS__URL", "ftp://a.example", "alerts", "alerts.url"),
        ("MIS_SYNC__WEBHOOKS__WONDE_SECRET", "short", "webhooks", "webhooks.wonde_secret"),
        ("MIS_SYNC__MIS__TABLE", "/nowhere.toml", "mis", "cannot read /nowhere.toml"),
        ("MIS_SYNC__WONDE__ALLOWED_HOSTS", "[\"*.com\"]", "wonde", "wonde.allowed_hosts"),
        ("MIS_SYNC__WONDE__RESERVED_FOR_LOGINS_PERCENT", "95", "wonde", "wanted 0 to 90"),
        ("MIS_SYNC__WORKER__LEASE_SECONDS", "0", "worker", "worker.lease_seconds"),
        ("MIS_SYNC__ENCRYPTION__KEY", "0a", "encryption", "64 hexadecimal digits"),
        ("MIS_SYNC__DATABASE__CA", "/nowhere.pem", "database", "cannot read /nowhere.pem"),
        ("MIS_SYNC__REDIS__CA", "/etc/hostname", "redis", "holds no certificate"),
        ("REDIS_URL", "http://redis.example", "redis", "redis.url"),
    ] {
        let (code, findings) = doctor(&app, &[(variable, value)]).await;
        assert_eq!(code, 2, "{variable}: {findings:?}");
        findings.expect_texts(&format!("configuration.{check}"), "fail", &[part]);

        let environment = app.environment();
        let mut variables: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.push((variable, value));
        let served = run(&["serve"], &variables).await;
        let said = String::from_utf8_lossy(&served.stderr);
        assert_eq!(served.status.code(), Some(2), "{variable}: {said}");
        assert!(said.contains(part), "{variable}: {said}");
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_a_finding_too() {
    let app = app_without_worker().await;
    let (code, findings) = doctor(&app, &[("MIS_SYNC__WORKER__CONCURENCY", "3")]).await;
    assert_eq!(code, 2);
    findings.expect_texts("configuration", "fail", &["worker.concurency", "no such key"]);
}

/// Gives a school a callback secret, and the service an approval to keep.
async fn seal_more(app: &TestApp, school: &SchoolId) {
    let receiver = json!({ "callback_url": "http://127.0.0.1/x", "callback_secret": secret() });
    let patched = app.patch(&format!("/v1/schools/{school}")).json(&receiver).send().await.unwrap();
    assert_eq!(patched.status(), 200);
    let approval = json!({
        "payload_type": "schoolApproved", "school_id": "A1", "school_token": "t0ken",
    });
    app.post_webhook(&approval).await;
}

#[tokio::test]
async fn secrets_that_the_key_does_not_open_are_named() {
    let app = app_without_worker().await;
    let school = app.connect_school(0).await;
    seal_more(&app, &school).await;
    let other = "ff".repeat(32);
    let (code, findings) = doctor(&app, &[("MIS_SYNC__ENCRYPTION__KEY", &other)]).await;
    assert_eq!(code, 2);
    let token = format!("the token of {school}, the callback secret of {school}");
    let parts = ["opens 0 of 3", &token, "the token of the webhook event", "after a comma"];
    findings.expect_texts("secrets", "fail", &parts);

    let environment = app.environment();
    let key = environment.iter().find(|(name, _)| *name == "MIS_SYNC__ENCRYPTION__KEY").unwrap();
    let both = format!("{other},{}", key.1);
    let (code, findings) = doctor(&app, &[("MIS_SYNC__ENCRYPTION__KEY", &both)]).await;
    assert_eq!(code, 0);
    findings.expect_texts("secrets", "ok", &["3 with an older key", "schools reseal"]);
}

/// A key is replaced: both, then everything is encrypted again, then the new one alone.
#[tokio::test]
async fn the_older_key_can_go_once_everything_is_encrypted_with_the_new_one() {
    let app = app_without_worker().await;
    let school = app.connect_school(0).await;
    seal_more(&app, &school).await;

    let environment = app.environment();
    let old = environment.iter().find(|(name, _)| *name == "MIS_SYNC__ENCRYPTION__KEY").unwrap();
    let new = "ff".repeat(32);
    let reseal = async |keys: &str| {
        let mut variables: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        variables.push(("MIS_SYNC__ENCRYPTION__KEY", keys));
        let output = run(&["schools", "reseal"], &variables).await;
        (output.status.code(), said(&output))
    };
    let (code, text) = reseal(&new).await;
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("no key opens the token of {school}, the callback")), "{text}");
    let both = format!("{new},{}", old.1);
    let (code, text) = reseal(&both).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("3 secrets are encrypted") && text.contains("3 of them were not"),
        "{text}"
    );
    let (code, text) = reseal(&new).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("3 secrets are encrypted") && text.contains("0 of them were not"),
        "{text}"
    );
    let (_, findings) = doctor(&app, &[("MIS_SYNC__ENCRYPTION__KEY", &new)]).await;
    findings.expect_texts("secrets", "ok", &["3 open"]);
}

#[tokio::test]
async fn no_worker_and_no_key_are_noticed() {
    let app = app_without_worker().await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 0, "a warning");
    findings.expect_texts("workers", "warn", &["none takes jobs", "mis-sync worker"]);

    crate::rows::execute(&app, "UPDATE api_key SET revoked_at = now()").await;
    let (code, findings) = doctor(&app, &[]).await;
    assert_eq!(code, 2);
    findings.expect_texts("api_keys", "fail", &["mis-sync keys create"]);
}

#[tokio::test]
async fn an_address_that_is_not_of_this_machine_is_found() {
    let app = app_without_worker().await;
    let (code, findings) = doctor(&app, &[("MIS_SYNC__API__LISTEN", "192.0.2.1:80")]).await;
    assert_eq!(code, 2);
    findings.expect_texts("api.listen", "fail", &["192.0.2.1:80"]);
    let taken = app.api_url.strip_prefix("http://").unwrap();
    let (code, findings) = doctor(&app, &[("MIS_SYNC__API__LISTEN", taken)]).await;
    assert_eq!(code, 0);
    findings.expect_texts("api.listen", "ok", &["in use"]);
}

#[tokio::test]
async fn few_open_files_are_noticed() {
    let app = app_without_worker().await;
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 200; exec \"$0\" doctor", MIS_SYNC.0]);
    shell.env_clear().envs(app.environment()).env("MIS_SYNC__API__LISTEN", "127.0.0.1:0");
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    crate::shell::assert_has(&said, &["warn   open_files", "of 4000", "LimitNOFILE"]);
}

#[tokio::test]
async fn wonde_that_is_away_is_found() {
    let app = app_without_worker().await;
    let base_url = ("MIS_SYNC__WONDE__BASE_URL", "http://127.0.0.1:1/v1.0");
    let (code, findings) = doctor(&app, &[base_url]).await;
    assert_eq!(code, 3);
    findings.expect_texts("wonde", "fail", &["http://127.0.0.1:1", "refused", "wonde.base_url"]);
}
