//! Every route of the API: its handler, its document and who may call it, in one list.

use std::sync::LazyLock;

use axum::{Extension, Router, middleware::from_fn};
use mis_sync_domain::Action::{ActOnJobs, ManageSchools, Read, SeePersonalData, Sync};
use utoipa::OpenApi;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{
    ApiError, ApiState, dashboard, docs, edge, explain, health, issues,
    jobs::{self, events},
    matches, metrics,
    openapi::{self, Document, Head, needs},
    problems, refresh, schools, staff, sync, webhooks,
};

fn api() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Head::openapi())
        // For callers with a key, by what its role has to allow.
        .routes(needs(Read, routes!(schools::list_schools)))
        .routes(needs(Read, routes!(schools::get_school)))
        .routes(needs(
            ManageSchools,
            routes!(schools::connect_school, schools::change_school, schools::disconnect_school),
        ))
        .routes(needs(Sync, routes!(schools::check::check_school)))
        .routes(needs(Sync, routes!(sync::enqueue_sync_school)))
        .routes(needs(Read, routes!(matches::list_matches)))
        .routes(needs(Sync, routes!(matches::decide_match)))
        .routes(needs(SeePersonalData, routes!(staff::list_staff)))
        .routes(needs(SeePersonalData, routes!(staff::search_staff)))
        .routes(needs(Read, routes!(staff::get_staff)))
        .routes(needs(SeePersonalData, routes!(staff::get_staff_photo)))
        .routes(needs(Sync, routes!(refresh::refresh_user)).layer(from_fn(refresh::keep_to_wait)))
        .routes(needs(Read, routes!(issues::list_school_issues)))
        .routes(needs(Read, routes!(explain::explain_person, explain::explain_person_in_body)))
        .routes(needs(Read, routes!(jobs::list_jobs)))
        .routes(needs(Read, routes!(jobs::get_job)))
        .routes(needs(Read, routes!(events::follow_job)))
        .routes(needs(Read, routes!(jobs::list_job_changes)))
        .routes(needs(Read, routes!(issues::list_job_issues)))
        .routes(needs(ActOnJobs, routes!(jobs::cancel_job)))
        .routes(needs(ActOnJobs, routes!(jobs::retry_job)))
        .routes(needs(ActOnJobs, routes!(jobs::approve_job)))
        .routes(needs(ActOnJobs, routes!(jobs::reject_job)))
        .routes(needs(ActOnJobs, routes!(jobs::undo_job)))
        // For Wonde, with a secret in the query.
        .routes(routes!(webhooks::receive_wonde_webhook))
        // Without a key.
        .routes(routes!(health::get_liveness))
        .routes(routes!(health::get_readiness))
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(openapi::get_openapi))
        .routes(routes!(docs::get_docs))
        .routes(routes!(problems::list_problems))
        .routes(routes!(problems::get_problem))
}

/// Rendered once: it cannot change while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut json = api().into_openapi().to_pretty_json().expect("the document is plain JSON");
    json.push('\n');
    json
});

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn openapi_json() -> String {
    DOCUMENT.clone()
}

/// The whole API, ready to be served.
pub fn router(state: ApiState) -> Router {
    let router = Router::from(api())
        .layer(Extension(Document(&DOCUMENT)))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(state.clone())
        .merge(dashboard::router(state));
    edge::surround(router)
}
