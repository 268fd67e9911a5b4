//! The OpenAPI 3.1 document, generated from the handlers.

use std::sync::LazyLock;

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    docs, explain, health, jobs, matches, metrics, problems, refresh, schools, staff, sync,
    views::ProblemView, webhooks,
};

/// Rendered once: it cannot change while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut json = Document::openapi().to_pretty_json().expect("the document is plain JSON");
    json.push('\n');
    json
});

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn openapi_json() -> String {
    DOCUMENT.clone()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mis-sync",
        description = "Keeps a school's staff in iP Suite equal to what the school's MIS says.\n\n\
            Errors are RFC 9457 problems; `/problems` lists their types.",
    ),
    paths(
        schools::list_schools,
        schools::get_school,
        schools::connect_school,
        schools::disconnect_school,
        sync::enqueue_sync_school,
        matches::list_matches,
        matches::decide_match,
        staff::get_staff,
        staff::get_staff_photo,
        explain::explain_person,
        refresh::refresh_user,
        jobs::list_jobs,
        jobs::get_job,
        jobs::list_job_changes,
        jobs::list_job_issues,
        jobs::cancel_job,
        jobs::retry_job,
        jobs::approve_job,
        jobs::reject_job,
        jobs::undo_job,
        webhooks::receive_wonde_webhook,
        jobs::events::follow_job,
        health::get_liveness,
        health::get_readiness,
        metrics::get_metrics,
        get_openapi,
        docs::get_docs,
        problems::list_problems,
        problems::get_problem,
    ),
    tags(
        (name = "schools", description = "Schools and their connection to Wonde"),
        (name = "staff", description = "The people of a school, and where their data comes from"),
        (name = "jobs", description = "What was asked for, and what became of it"),
        (name = "webhooks", description = "What Wonde tells of by itself"),
        (name = "service", description = "About the service itself; needs no key"),
    ),
    security(("api_key" = [])),
    modifiers(&ApiKeyScheme),
)]
struct Document;

struct ApiKeyScheme;

impl Modify for ApiKeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, made by `mis-sync keys create`"))
            .build();
        let secret = ApiKeyValue::with_description("secret", "One of `webhooks.wonde_secret`");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        let secret = SecurityScheme::ApiKey(ApiKey::Query(secret));
        components.add_security_scheme("webhook_secret", secret);
    }
}

/// Problems of every route that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum CommonProblems {
    /// `unauthorized`
    #[response(status = 401, content_type = "application/problem+json", headers(
        ("WWW-Authenticate" = String, description = "`Bearer`")
    ))]
    Unauthorized(ProblemView),
    /// `forbidden`
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemView),
    /// `internal`
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemView),
    /// `dependency-away`, `timed-out`
    #[response(status = 503, content_type = "application/problem+json", headers(
        ("Retry-After" = u32, description = "Seconds until it is worth asking again")
    ))]
    Away(ProblemView),
}

/// Problems of every route that takes a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum BodyProblems {
    /// `malformed-body`, `invalid-idempotency-key`
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemView),
    /// `body-too-large`
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemView),
    /// `unsupported-media-type`
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemView),
    /// `invalid-text`
    #[response(status = 422, content_type = "application/problem+json")]
    ControlCharacter(ProblemView),
}

/// Problems of the lists that come as a page or as a file.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum ListProblems {
    /// `invalid-parameter`
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(ProblemView),
    /// `not-acceptable`
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemView),
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "service",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
)]
pub(crate) async fn get_openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
