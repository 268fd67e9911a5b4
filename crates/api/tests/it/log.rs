//! What a request leaves in the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::body::to_bytes;
use mis_sync_testing::WEBHOOK_SECRET;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{App, Ask, TOKEN};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// The lines of this crate.
    fn take_ours(&self) -> Vec<Value> {
        let text = self.take();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["target"].as_str().unwrap().starts_with("mis_sync_api"))
            .collect()
    }

    fn start(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }
}

#[tokio::test]
async fn a_request_is_one_line_that_says_what_happened() {
    let app = App::start().await;
    let id = app.job(&app.school("oak").await).await.id;
    let log = Log::default();
    let _guard = log.start();

    let path = format!("/v1/jobs/{id}?cursor=x");
    app.admin(Ask::get(&path).header("x-request-id", "trace-1")).await;
    let lines = log.take_ours();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["level"], &line["fields"]["http.status"]), (&json!("INFO"), &json!(200)));
    assert!(line["fields"]["elapsed_ms"].is_u64());
    let span = &line["span"];
    assert_eq!(span["name"], "http.request");
    assert_eq!(span["http.method"], "GET");
    assert_eq!(span["http.route"], "/v1/jobs/{job_id}");
    assert_eq!(span["request.id"], "trace-1");
    assert!(span["api_key.id"].is_string());

    app.admin(Ask::get("/nowhere")).await;
    let line = log.take_ours().remove(0);
    assert_eq!(line["span"]["http.route"], "unmatched");
    assert_eq!(line["fields"]["problem"], "not-found");

    app.sql(format!("UPDATE job SET options = '[\"nonsense\"]' WHERE id = '{id}'")).await;
    app.admin(Ask::get(&path)).await;
    let lines = log.take_ours();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["level"], "ERROR");
    let cause = line["fields"]["cause"].as_str().unwrap();
    assert!(cause.starts_with("job.options of row"), "{cause}");

    app.send(Ask::get("/healthz")).await;
    assert_eq!(log.take_ours()[0]["level"], "DEBUG", "a probe is no news");
}

#[tokio::test]
async fn a_download_that_breaks_off_is_noted_without_what_it_holds() {
    let app = App::start().await;
    let id = app.job(&app.school("oak").await).await.id;
    app.sql(format!(
        "INSERT INTO job_change (job_id, wonde_id, field, old_value, new_value)
         SELECT '{id}', 'A1', CASE WHEN n < 1100 THEN 'email' ELSE 'active' END, 'ada@oak.example',
            'bea@oak.example' FROM generate_series(1, 1200) n"
    ))
    .await;
    let log = Log::default();
    let _guard = log.start();
    let ask = Ask::get(&format!("/v1/jobs/{id}/changes")).header("accept", "text/csv");
    let response = app.begin(ask.header("x-request-id", "trace-1").key(&app.admin)).await;
    to_bytes(response.into_body(), usize::MAX).await.unwrap_err();
    let text = log.take();
    assert!(!text.contains("oak.example"), "{text}");
    let broken = text.lines().find(|line| line.contains("a download broke off")).unwrap();
    let broken: Value = serde_json::from_str(broken).unwrap();
    assert_eq!((&broken["level"], &broken["fields"]["job.id"]), (&json!("WARN"), &json!(id)));
    assert_eq!(broken["span"]["request.id"], "trace-1");
}

#[tokio::test]
async fn nothing_that_a_caller_sends_is_logged() {
    let app = App::start().await;
    let log = Log::default();
    let _guard = log.start();
    let query = "a-word-of-a-query";
    let school = json!({"name": "Oakfield School", "wonde_school_id": "A1", "token": TOKEN});
    let wrong = json!({"name": "Oakfield School", TOKEN: TOKEN});
    app.admin(Ask::put("/v1/schools/oak").json(&school)).await;
    app.admin(Ask::put("/v1/schools/oak").json(&wrong)).await;
    app.admin(Ask::put("/v1/schools/oak").text("application/json", TOKEN)).await;
    app.admin(Ask::get(&format!("/v1/jobs?state={query}"))).await;
    for email in ["", "&wonde_id=A1", "%00"] {
        let path = format!("/v1/schools/oak/explain?email={query}@oakfield.example{email}");
        app.admin(Ask::get(&path)).await;
    }
    app.admin(Ask::get(&format!("/{query}")).header("x-request-id", "Oakfield School")).await;
    app.send(Ask::get("/v1/jobs").key(TOKEN)).await;
    let approved = json!({"payload_type": "schoolApproved", "school_id": "A1", "school_token": TOKEN,
        "school_name": "Oakfield School"});
    for secret in [WEBHOOK_SECRET, query] {
        let path = format!("/v1/webhooks/wonde?secret={secret}");
        app.send(Ask::post(&path).json(&approved)).await;
        app.send(Ask::post(&path).text("application/json", TOKEN)).await;
    }
    let text = log.take();
    assert!(text.lines().count() >= 10, "{text}");
    assert!(text.contains("/v1/webhooks/wonde"), "{text}");
    for secret in [TOKEN, "Oakfield", query, &app.admin, WEBHOOK_SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
}
