//! `GET /docs`: the API reference for people, made of the OpenAPI document. One page without
//! scripts, fonts or anything else from elsewhere.

mod html;
mod reference;
mod schema;

use std::sync::LazyLock;

use axum::{
    http::{
        HeaderName,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::openapi::openapi_json;

const STYLE: &str = include_str!("docs/style.css");

/// Rendered once: the document cannot change while the process runs.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document: Value = serde_json::from_str(&openapi_json()).expect("the document is JSON");
    reference::page(&document, STYLE)
});

/// Nothing may be loaded, and of styles only ours is applied.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// The API reference, for people
#[utoipa::path(
    get,
    path = "/docs",
    tag = "service",
    security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
pub(crate) async fn get_docs() -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.as_str()).into_response()
}
