//! Problems that do not belong to one route, and the catalogue.

use serde_json::json;

use crate::support::{App, Ask};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_method_are_problems() {
    let app = App::start().await;
    for path in ["/", "/v1", "/v1/nonsense", "/v1/schools/oak/nonsense", "/v1/schools/", "/V1/jobs"]
    {
        let problem = app.admin(Ask::get(path)).await.problem(404, "not-found");
        assert_eq!(problem["instance"], path);
    }
    for (ask, allow) in [
        (Ask::delete("/v1/jobs"), "GET,HEAD"),
        (Ask::get("/v1/schools/oak/sync"), "POST"),
        (Ask::post("/v1/schools/oak"), "GET,HEAD,PUT,PATCH,DELETE"),
        (Ask::delete("/v1/schools/oak/staff/1"), "GET,HEAD"),
        (Ask::put("/v1/schools/oak/staff/1/photo"), "GET,HEAD"),
        (Ask::put("/healthz"), "GET,HEAD"),
    ] {
        let answer = app.admin(ask).await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allow);
    }
}

#[tokio::test]
async fn a_body_has_a_type_and_a_size() {
    let app = App::start().await;
    app.school("oak").await;
    for path in ["/v1/schools/oak", "/v1/schools/oak/sync"] {
        let method = if path.ends_with("sync") { "POST" } else { "PUT" };
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let answer = app.admin(Ask::new(method, path).text(content_type, "{}")).await;
            answer.problem(415, "unsupported-media-type");
        }
        let padded = |size: usize| format!("{{}}{}", " ".repeat(size - 2));
        let too_large = Ask::new(method, path).text("application/json", padded(64 * 1024 + 1));
        app.admin(too_large).await.problem(413, "body-too-large");
        let largest = Ask::new(method, path).text("application/json", padded(64 * 1024));
        assert_ne!(app.admin(largest).await.status, 413);
    }
}

#[tokio::test]
async fn the_catalogue_explains_every_type_under_its_address() {
    let app = App::start().await;
    let list = app.send(Ask::get("/problems")).await.json();
    let problems = list["problems"].as_array().unwrap();
    assert!(problems.len() > 15);
    let document = mis_sync_api::openapi_json();
    for problem in problems {
        let uri = problem["type"].as_str().unwrap();
        assert_eq!(&app.send(Ask::get(uri)).await.json(), problem);
        let code = uri.strip_prefix("/problems/").unwrap();
        // Two exist outside of routes, and one belongs to the dashboard.
        let is_described = document.contains(&format!("`{code}`"));
        assert!(
            is_described || ["not-found", "method-not-allowed", "foreign-form"].contains(&code),
            "{code}"
        );
    }
    app.send(Ask::get("/problems/nonsense")).await.problem(404, "unknown-problem");
}

#[tokio::test]
async fn a_fault_inside_is_told_without_its_cause() {
    let app = App::start().await;
    let id = app.job(&app.school("oak").await).await.id;
    app.sql(format!("UPDATE job SET options = '[\"nonsense\"]' WHERE id = '{id}'")).await;
    let answer = app.admin(Ask::get(&format!("/v1/jobs/{id}"))).await;
    answer.problem(500, "internal");
    for inside in ["options", "nonsense", "row", "column"] {
        assert!(!answer.text.contains(inside), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_a_reason_to_try_again() {
    let mut app = App::start().await;
    app.school("oak").await;
    app.servers.postgres.kill().unwrap();
    let elm = json!({"name": "Elm", "wonde_school_id": "A", "token": "t"});
    // At the same time, because each waits a while for the database to come back.
    let answers: [_; 3] = tokio::join!(
        app.admin(Ask::get("/v1/schools/oak")),
        app.admin(Ask::post("/v1/schools/oak/sync")),
        app.admin(Ask::put("/v1/schools/elm").json(&elm)),
    )
    .into();
    for answer in answers {
        answer.problem(503, "dependency-away");
        assert_eq!(answer.header("retry-after"), "5");
        assert!(!answer.text.contains("postgres"), "{}", answer.text);
    }
    app.servers.postgres.restart().unwrap();
    assert!(app.all_jobs().await.is_empty(), "nothing was enqueued");
}

#[tokio::test]
async fn a_request_id_is_taken_over_or_made() {
    let app = App::start().await;
    let given = app.send(Ask::get("/healthz").header("x-request-id", "trace-1")).await;
    assert_eq!(given.header("x-request-id"), "trace-1");
    let (one, two) = (app.send(Ask::get("/healthz")).await, app.send(Ask::get("/healthz")).await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
    let refused = app.send(Ask::get("/v1/jobs").header("x-request-id", "trace-2")).await;
    refused.problem(401, "unauthorized");
    assert_eq!(refused.header("x-request-id"), "trace-2");
}
