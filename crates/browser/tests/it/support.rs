//! A page to drive, and what a test expects of a driver that refuses.

use std::{collections::HashMap, panic::AssertUnwindSafe};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_SECURITY_POLICY, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::FutureExt;
use tokio::net::TcpListener;

/// As strict as the policy of our own pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'";

/// Serves files (name and content) on its own port until the test ends, and returns the root of
/// their paths.
pub(crate) async fn serve(files: &[(&'static str, &'static str)]) -> String {
    let files: HashMap<&str, &str> = files.iter().copied().collect();
    let app = Router::new()
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .route("/{file}", get(file))
        .with_state(files);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    root
}

async fn file(
    State(files): State<HashMap<&'static str, &'static str>>,
    Path(name): Path<String>,
) -> Response {
    let Some(content) = files.get(name.as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript",
        Some((_, "css")) => "text/css",
        _ => "text/html; charset=utf-8",
    };
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], *content).into_response()
}

/// The message with which the driver refuses a step. The test fails if it does not refuse.
pub(crate) async fn refusal(step: impl Future<Output = ()>) -> String {
    let refused = AssertUnwindSafe(step).catch_unwind().await.expect_err("the driver went on");
    refused.downcast_ref::<String>().cloned().unwrap()
}
