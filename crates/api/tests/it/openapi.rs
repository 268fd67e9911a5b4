//! The OpenAPI document.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::support::{App, Ask};

#[tokio::test]
async fn the_document_is_served_and_committed() {
    let document = mis_sync_api::openapi_json();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == document, "docs/openapi.json is old: run again with UPDATE_EXPECT=1");

    let served = App::start().await.send(Ask::get("/openapi.json")).await;
    assert_eq!(served.json(), serde_json::from_str::<Value>(&document).unwrap());
}

#[test]
fn the_document_is_whole() {
    let document: Value = serde_json::from_str(&mis_sync_api::openapi_json()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].to_string()), "{name}");
            assert!(operation["summary"].is_string(), "{name}");
            let described = operation["parameters"].as_array().into_iter().flatten();
            let described: BTreeSet<_> = described
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect();
            let in_path =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            assert_eq!(described, in_path.collect(), "{name}");
            if path.starts_with("/v1/") {
                for status in ["401", "403", "500", "503"] {
                    let problem = &operation["responses"][status]["content"];
                    assert!(problem["application/problem+json"].is_object(), "{name} {status}");
                }
            }
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
