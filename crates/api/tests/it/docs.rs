//! The API reference for people.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{App, Ask};

/// Each text between `start` and the next quotation mark.
fn all<'a>(page: &'a str, start: &str) -> Vec<&'a str> {
    page.split(start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn the_page_has_every_operation_and_every_shape_and_no_dead_link() {
    let app = App::start().await;
    let answer = app.send(Ask::get("/docs")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    let ids: BTreeSet<&str> = all(&answer.text, "id=\"").into_iter().collect();
    let document: Value = serde_json::from_str(&mis_sync_api::openapi_json()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("<h3><code>{} {path}</code></h3>", method.to_uppercase());
            assert!(answer.text.contains(&name), "{name}");
            assert!(ids.contains(operation["operationId"].as_str().unwrap()));
        }
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(ids.contains(format!("schema-{name}").as_str()), "{name}");
    }
    let links = all(&answer.text, "href=\"");
    assert!(links.len() > 50);
    for link in links {
        match link.strip_prefix('#') {
            Some(id) => assert!(ids.contains(id), "{link}"),
            None => assert_eq!(app.send(Ask::get(link)).await.status, 200, "{link}"),
        }
    }
    assert!(!answer.text.contains('`'), "code is marked as such");
}

#[tokio::test]
async fn a_browser_loads_nothing_for_it_and_runs_nothing() {
    let app = App::start().await;
    let answer = app.send(Ask::get("/docs")).await;
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    for outside in ["<script", "src=", "http://", "https://", "<link", "style=", "onclick"] {
        assert!(!answer.text.contains(outside), "`{outside}`");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}
