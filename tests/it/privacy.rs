//! Names, emails and tokens are in Postgres and nowhere else.

use std::time::Duration;

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, http_client};
use mis_sync_wonde_sim::{ScenarioName, SimulatorOptions};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{
    process::{MIS_SYNC, free_address},
    rows::texts,
};

#[tokio::test]
async fn no_personal_data_in_logs_and_redis() {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 60, ..SimulatorOptions::default() },
        worker: false,
        lease: Duration::from_secs(2),
        ..TestAppOptions::default()
    })
    .await;
    let mut monitor = UnixStream::connect(app.servers.redis.socket()).await.unwrap();
    monitor.write_all(b"MONITOR\r\n").await.unwrap();

    // Everything is logged, with every kind of fault.
    let listen = free_address();
    let process = MIS_SYNC.start(
        &app,
        &["serve", "--with-worker"],
        &[("MIS_SYNC__LOG__LEVEL", "trace"), ("MIS_SYNC__API__LISTEN", &listen)],
    );
    let everything = json!({
        "import_classes": true, "import_subjects": true, "import_photos": true,
        "refresh_freshness_minutes": 0,
    });
    let school = app.connect_school_with(0, everything).await;
    for fault in [
        json!({ "path": "employees", "status": 500, "count": 1 }),
        json!({ "path": "page=2", "truncate": true, "count": 1 }),
        json!({ "path": "page=3", "status": 429, "retry_after": 1, "count": 1 }),
    ] {
        app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    }
    sync(&app, &school).await;
    let report = sync(&app, &school).await;
    assert!(report["report"]["photos"]["fetched"].as_u64() > Some(0), "there are photos");

    ask_by_email(&app, &school, &listen).await;
    refresh_someone_renamed(&app, &school).await;

    let logged = process.printed();
    assert!(logged.contains("attempt ended"), "the log says what happened");
    let mut commands = vec![0; 4 << 20];
    let read = monitor.read(&mut commands).await.unwrap();
    let commands = String::from_utf8_lossy(&commands[..read]).into_owned();
    assert!(commands.to_lowercase().contains("zadd"), "Redis was used");
    for secret in secrets(&app, &school) {
        assert!(!logged.contains(&secret), "`{secret}` is in the log");
        assert!(!commands.contains(&secret), "`{secret}` went through Redis");
    }
}

/// Asks the process about a person by an address in the query, then in a way that is refused.
async fn ask_by_email(app: &TestApp, school: &SchoolId, listen: &str) {
    let person = app.simulator.simulator().truth(school.as_str()).unwrap().staff.remove(0);
    let url = format!("http://{listen}/v1/schools/{school}/explain");
    let both = [("email", person.email.as_str()), ("wonde_id", person.wonde_id.as_str())];
    for (query, status) in [(&both[..1], 200), (&both[..], 400)] {
        let ask = http_client().get(&url).query(query);
        let answer = ask.bearer_auth(app.admin_key.expose_secret()).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

async fn refresh_someone_renamed(app: &TestApp, school: &SchoolId) {
    let simulator = app.simulator.simulator();
    let renamed = simulator.apply_scenario(school.as_str(), ScenarioName::Rename).unwrap().touched;
    let fault = json!({ "path": "employees/", "status": 500, "count": 1 });
    simulator.add_fault(serde_json::from_value(fault).unwrap());
    let sql = format!("SELECT id::text FROM staff WHERE wonde_id = '{}'", renamed[0]);
    let person = texts(app, &sql).await.remove(0);
    let path = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    let answer: Value = app.post(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["outcome"], "updated", "{answer}");
}

async fn sync(app: &TestApp, school: &SchoolId) -> Value {
    let job = app.press_sync(school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    job
}

/// Every email and full name of the school, and every token. Single names are left out, because
/// `Field` is a word as well.
fn secrets(app: &TestApp, school: &SchoolId) -> Vec<String> {
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let mut secrets = vec![
        app.simulated_school(0).token,
        app.admin_key.expose_secret().to_owned(),
        app.simulated_school(0).name,
        // The beginning of a PNG, as base64 and as a list of bytes.
        "iVBORw0KGgo".to_owned(),
        "137, 80, 78, 71".to_owned(),
    ];
    for person in truth.staff {
        secrets.push(format!("{} {}", person.first_name, person.surname));
        secrets.push(format!("\"{}\"", person.surname));
        secrets.push(person.email);
    }
    secrets
}
