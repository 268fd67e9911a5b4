//! `GET /docs`: the API reference for people, made of the OpenAPI document. One page without
//! scripts, fonts or anything else from elsewhere.

mod html;
mod reference;
mod schema;

use std::sync::{LazyLock, OnceLock};

use axum::{
    Extension,
    http::{
        HeaderName,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::openapi::Document;

const STYLE: &str = include_str!("docs/style.css");

/// Rendered once: the document cannot change while the process runs.
static PAGE: OnceLock<String> = OnceLock::new();

fn page(document: Document) -> String {
    let document: Value = serde_json::from_str(document.0).expect("the document is JSON");
    reference::page(&document, STYLE)
}

/// Nothing may be loaded, and of styles only ours is applied.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// The API reference, for people
///
/// One page without scripts, made from the document at `/openapi.json`.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "service",
    security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
pub(crate) async fn get_docs(Extension(document): Extension<Document>) -> Response {
    let page = PAGE.get_or_init(|| page(document));
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (headers, page.as_str()).into_response()
}
