//! A school's token goes to Wonde and nowhere else.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{ScenarioName, SimulatorOptions};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    press::sync,
    rows::{execute, texts},
    webhooks::{applied, kept, outcome, webhook_of},
};

async fn app() -> TestApp {
    let simulator = SimulatorOptions { schools: 2, staff: 12, ..SimulatorOptions::default() };
    TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await
}

/// A server that waits for a token.
struct Thief {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Thief {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1.0", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn an_address_that_was_stored_by_other_rules_is_not_asked() {
    let app = app().await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    let person = "SELECT id::text FROM staff LIMIT 1";
    sync(&app, &school).await;
    let person = texts(&app, person).await.remove(0);
    for address in [
        "https://169.254.169.254/v1.0",
        "https://thief.example/v1.0",
        "https://api.wonde.com.evil.example",
        "http://10.0.0.1:9000/v1.0",
        "nonsense",
        "",
    ] {
        execute(&app, &format!("UPDATE school SET wonde_base_url = '{address}'")).await;
        let job = app.press_sync(&school).await;
        let job = app.wait_until_finished(&job).await;
        assert_eq!(job["error"]["type"], "bad_connection", "{address}: {job}");
        let path = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
        let login = app.post(&path).send().await.unwrap();
        let login: serde_json::Value = login.json().await.unwrap();
        assert_eq!(login["job"]["error"]["type"], "bad_connection", "{address}: {login}");
    }
}

#[tokio::test]
async fn a_webhook_is_confirmed_at_the_configured_wonde_and_nowhere_else() {
    let app = app().await;
    let thief = Thief::start().await;
    let simulated = app.simulated_school(0);
    let mut body = json!({ "name": "Oakfield", "wonde_school_id": simulated.id,
        "wonde_base_url": thief.address, "token": "the-thiefs-own" });
    let connect = |body: serde_json::Value| app.put("/v1/schools/oak").json(&body).send();
    assert_eq!(connect(body.clone()).await.unwrap().status(), 201);

    let revoked = webhook_of(&app, &simulated.id, ScenarioName::Revoke);
    for _ in 0..2 {
        assert_eq!(outcome(&app, &revoked).await, applied());
    }
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RestoreAccess);
    for _ in 0..2 {
        assert_eq!(outcome(&app, &approved).await, applied());
    }
    assert_eq!(thief.connections(), 0);

    // A token that Wonde sent does not go to a host that is named later either.
    let other = app.simulated_school(1);
    let approved = webhook_of(&app, &other.id, ScenarioName::RestoreAccess);
    assert_eq!(outcome(&app, &approved).await, kept());
    body["wonde_school_id"] = other.id.clone().into();
    body.as_object_mut().unwrap().remove("token");
    let refused = app.put("/v1/schools/elm").json(&body).send().await.unwrap();
    let refused: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(refused["type"], "/problems/token-would-move");
    assert_eq!(texts(&app, "SELECT id FROM school").await, ["oak"]);
    assert_eq!(thief.connections(), 0);
}

#[tokio::test]
async fn an_approval_goes_to_the_one_school_that_has_the_wonde_id() {
    let app = app().await;
    let simulated = app.simulated_school(0);
    let connect = |school: &str| {
        let body = json!({ "name": "N", "wonde_school_id": simulated.id, "token": "t" });
        app.put(&format!("/v1/schools/{school}")).json(&body).send()
    };
    for school in ["oak", "elm"] {
        assert_eq!(connect(school).await.unwrap().status(), 201);
        let gone = app.delete(&format!("/v1/schools/{school}")).send().await.unwrap();
        assert_eq!(gone.status(), 204);
    }
    // Both had the id and neither is connected, so it is not clear whose it is.
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RotateToken);
    assert_eq!(outcome(&app, &approved).await, kept());
    assert_eq!(connect("elm").await.unwrap().status(), 200);
    let approved = webhook_of(&app, &simulated.id, ScenarioName::RotateToken);
    assert_eq!(outcome(&app, &approved).await, applied());
    let connected = "SELECT id FROM school WHERE wonde_token IS NOT NULL";
    assert_eq!(texts(&app, connected).await, ["elm"]);
    sync(&app, &"elm".parse().unwrap()).await;
}
