//! The person for whom a key acts, as `X-Requested-By` names them.

use mis_sync_domain::{Report, Role};
use mis_sync_store::audit::{self, AuditFilter};
use serde_json::{Value, json};

use crate::support::{App, Ask};

const PERSON: &str = "x-requested-by";

/// The audit log, the oldest line first: action, and who did it.
async fn log(app: &App) -> Vec<String> {
    let lines = audit::list(&app.pool, &AuditFilter::default(), 100).await.unwrap();
    lines.iter().rev().map(|line| format!("{} {}", line.action, line.actor)).collect()
}

#[tokio::test]
async fn every_act_of_the_app_is_kept_with_the_person_who_pressed() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let key = app.key(Role::App, Some("oak")).await;
    let before = log(&app).await.len();
    let send = async |ask: Ask| app.send(ask.key(&key).header(PERSON, "4711")).await;
    let press = send(Ask::post("/v1/schools/oak/sync")).await.json();
    assert_eq!(press["requested_by"], "app · 4711");
    let job = |action: &str| format!("/v1/jobs/{}/{action}", press["id"].as_str().unwrap());
    let cancelled = send(Ask::post(&job("cancel")).json(&json!({"reason": "wrong day"}))).await;
    assert_eq!(cancelled.json()["error"]["detail"], "By app · 4711: wrong day");
    let retried = send(Ask::post(&job("retry"))).await.json();
    assert_eq!(retried["requested_by"], "app · 4711");
    let id = retried["id"].as_str().unwrap();
    for (state, action) in [("held", "approve"), ("held", "reject"), ("succeeded", "undo")] {
        app.put_in_state(id, state).await;
        let person = app.person(&oak).await.to_string();
        app.only_change(id, &person).await;
        let answer = send(Ask::post(&format!("/v1/jobs/{id}/{action}"))).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.text);
        if action == "undo" {
            assert_eq!(answer.json()["requested_by"], "app · 4711");
        }
    }
    assert_eq!(send(Ask::delete("/v1/schools/oak")).await.status, 204);
    let acts = ["sync", "cancel", "retry", "approve", "reject", "undo", "disconnect_school"];
    assert_eq!(log(&app).await[before..], acts.map(|act| format!("{act} app · 4711")));
    audit::verify(&app.pool).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_login_says_who_logs_in_and_is_not_in_the_audit_log() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    app.sql(format!("UPDATE staff SET wonde_id = 'A1' WHERE id = '{person}'")).await;
    let before = log(&app).await.len();
    let refresh = Ask::post(&format!("/v1/schools/oak/staff/{person}/refresh"));
    assert!(app.admin(refresh.header(PERSON, "Zoë")).await.status < 300);
    let jobs = app.all_jobs().await;
    assert_eq!(jobs[0].requested_by.to_string(), "admin · Zoë");
    assert_eq!(log(&app).await.len(), before);
}

#[tokio::test]
async fn a_press_without_a_person_is_as_before_and_nonsense_is_refused() {
    let app = App::start().await;
    app.school("oak").await;
    let before = log(&app).await.len();
    let press = || Ask::post("/v1/schools/oak/sync");
    for bad in ["", " ", &"x".repeat(101)] {
        app.admin(press().header(PERSON, bad)).await.problem(400, "invalid-requested-by");
    }
    let twice = press().header(PERSON, "1").header(PERSON, "2");
    app.admin(twice).await.problem(400, "invalid-requested-by");
    assert!(app.all_jobs().await.is_empty());
    assert_eq!(app.admin(press()).await.json()["requested_by"], "admin");
    assert_eq!(log(&app).await.len(), before);
}

#[test]
fn the_document_names_the_header_where_something_is_done() {
    let document: Value = serde_json::from_str(&mis_sync_api::openapi_json()).unwrap();
    let takes = |method: &str, path: &str| {
        let parameters = document["paths"][path][method]["parameters"].as_array().cloned();
        parameters.unwrap_or_default().iter().any(|parameter| parameter["name"] == "X-Requested-By")
    };
    for (method, path) in [
        ("post", "/v1/schools/{school_id}/sync"),
        ("post", "/v1/schools/{school_id}/matches"),
        ("put", "/v1/schools/{school_id}"),
        ("delete", "/v1/schools/{school_id}"),
        ("post", "/v1/jobs/{job_id}/approve"),
    ] {
        assert!(takes(method, path), "{method} {path}");
    }
    assert!(!takes("get", "/v1/jobs/{job_id}"));
}

#[tokio::test]
async fn the_app_acts_only_on_jobs_of_its_own_school() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    app.school("elm").await;
    let job = app.job(&oak).await.id;
    app.succeed(app.claim(job).await, &Report::default()).await;
    let key = app.key(Role::App, Some("elm")).await;
    let undo = Ask::post(&format!("/v1/jobs/{job}/undo"));
    app.send(undo.key(&key)).await.problem(404, "unknown-job");
}
