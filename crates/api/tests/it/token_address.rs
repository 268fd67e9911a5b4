//! Where a school's token may be sent.

use std::sync::Arc;

use mis_sync_domain::{AuditAction, WondeHosts};
use mis_sync_store::audit::{self, AuditFilter};
use serde_json::{Value, json};

use crate::support::{App, Ask, TOKEN};

fn put(address: impl Into<Value>, token: impl Into<Value>) -> Ask {
    Ask::put("/v1/schools/oak").json(&json!({
        "name": "Oakfield School",
        "wonde_school_id": "A1930499544",
        "wonde_base_url": address.into(),
        "token": token.into(),
    }))
}

#[tokio::test]
async fn an_address_that_is_not_wondes_is_refused() {
    let app = App::start().await;
    for address in [
        "https://thief.example",
        "https://api.wonde.com.evil.example/v1.0",
        "https://evilwonde.com",
        "https://169.254.169.254",
        "https://[::ffff:169.254.169.254]",
        "https://localhost:5432",
        "http://127.0.0.1:9000/v1.0",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://API.wonde.com",
        "https://api.wonde.com.",
        "https://api.wonde.com:5432",
        "https://me@api.wonde.com",
        "https://аpi.wonde.com",
    ] {
        let problem = app.admin(put(address, TOKEN)).await.problem(422, "invalid-school");
        assert_eq!(problem["errors"][0]["field"], "wonde_base_url", "{address}");
    }
    app.admin(Ask::get("/v1/schools/oak")).await.problem(404, "unknown-school");
    // A key of the school's own gets the same answer.
    app.school("oak").await;
    let bound = app.key(mis_sync_domain::Role::Admin, Some("oak")).await;
    let answer = app.send(put("https://thief.example", TOKEN).key(&bound)).await;
    answer.problem(422, "invalid-school");
}

#[tokio::test]
async fn the_configured_address_is_allowed_whatever_it_is() {
    let mut app = App::start().await;
    let base = "http://127.0.0.1:9000/v1.0".parse().unwrap();
    let hosts = WondeHosts::new(base, &["*.wonde.com"], false).unwrap();
    app.router = mis_sync_api::router(app.state.clone().with_wonde_hosts(Arc::new(hosts)));
    assert_eq!(app.admin(put("http://127.0.0.1:9000/v1.0", TOKEN)).await.status, 201);
    app.admin(put("http://127.0.0.1:9001/v1.0", TOKEN)).await.problem(422, "invalid-school");
    // The school was always asked there, so its token stays.
    assert_eq!(app.admin(put(Value::Null, Value::Null)).await.status, 200);
    app.admin(put("https://eu.wonde.com/v1.0", Value::Null)).await.problem(422, "token-would-move");
}

#[tokio::test]
async fn another_host_needs_a_new_token_and_the_audit_log_names_both() {
    let app = App::start().await;
    app.school("oak").await;
    let there = "https://eu.wonde.com/v1.0";
    app.admin(put(there, Value::Null)).await.problem(422, "token-would-move");
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert_eq!(school["wonde_base_url"], Value::Null, "nothing is changed");

    assert_eq!(app.admin(put(there, TOKEN)).await.status, 200);
    // The same host needs no new token, and neither does another path on it.
    for address in [there, "https://eu.wonde.com/v2.0"] {
        assert_eq!(app.admin(put(address, Value::Null)).await.status, 200, "{address}");
    }
    // Back to the configured one is another host as well.
    app.admin(put(Value::Null, Value::Null)).await.problem(422, "token-would-move");
    assert_eq!(app.admin(put(Value::Null, "an0ther")).await.status, 200);

    let of_changes = AuditFilter { action: Some(AuditAction::ChangeSchool), ..Default::default() };
    let lines = audit::list(&app.pool, &of_changes, 10).await.unwrap();
    let said: Vec<_> = lines.into_iter().map(|line| line.subject).collect();
    assert_eq!(
        said,
        [
            Some("Wonde at https://api.wonde.com, before at https://eu.wonde.com".to_owned()),
            None,
            None,
            Some("Wonde at https://eu.wonde.com, before at https://api.wonde.com".to_owned()),
        ]
    );
}
