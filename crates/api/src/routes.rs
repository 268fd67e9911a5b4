//! Every route of the API.

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn,
    routing::{MethodRouter, get, post},
};

use crate::{
    ApiError, ApiState, dashboard, docs, edge, explain, health, jobs, matches, metrics, openapi,
    problems, refresh, schools, staff, sync, webhooks,
};

/// Every path with its methods.
fn routes() -> Vec<(&'static str, MethodRouter<ApiState>)> {
    vec![
        // For callers with a key.
        ("/v1/schools", get(schools::list_schools)),
        (
            "/v1/schools/{school_id}",
            get(schools::get_school)
                .put(schools::connect_school)
                .delete(schools::disconnect_school),
        ),
        ("/v1/schools/{school_id}/sync", post(sync::enqueue_sync_school)),
        ("/v1/schools/{school_id}/matches", get(matches::list_matches).post(matches::decide_match)),
        ("/v1/schools/{school_id}/staff/{staff_id}", get(staff::get_staff)),
        (
            "/v1/schools/{school_id}/staff/{staff_id}/refresh",
            post(refresh::refresh_user).layer(from_fn(refresh::keep_to_wait)),
        ),
        ("/v1/schools/{school_id}/staff/{staff_id}/photo", get(staff::get_staff_photo)),
        ("/v1/schools/{school_id}/explain", get(explain::explain_person)),
        ("/v1/jobs", get(jobs::list_jobs)),
        ("/v1/jobs/{job_id}", get(jobs::get_job)),
        ("/v1/jobs/{job_id}/changes", get(jobs::list_job_changes)),
        ("/v1/jobs/{job_id}/issues", get(jobs::list_job_issues)),
        ("/v1/jobs/{job_id}/cancel", post(jobs::cancel_job)),
        ("/v1/jobs/{job_id}/retry", post(jobs::retry_job)),
        ("/v1/jobs/{job_id}/approve", post(jobs::approve_job)),
        ("/v1/jobs/{job_id}/reject", post(jobs::reject_job)),
        ("/v1/jobs/{job_id}/undo", post(jobs::undo_job)),
        // For Wonde, with a secret in the query.
        ("/v1/webhooks/wonde", post(webhooks::receive_wonde_webhook)),
        ("/v1/jobs/{job_id}/events", get(jobs::events::follow_job)),
        // For everybody.
        ("/healthz", get(health::get_liveness)),
        ("/readyz", get(health::get_readiness)),
        ("/metrics", get(metrics::get_metrics)),
        ("/openapi.json", get(openapi::get_openapi)),
        ("/docs", get(docs::get_docs)),
        ("/problems", get(problems::list_problems)),
        ("/problems/{code}", get(problems::get_problem)),
    ]
}

/// The whole API, ready to be served.
pub fn router(state: ApiState) -> Router {
    let figures = Arc::clone(state.http_figures());
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(state.clone())
        .merge(dashboard::router(state));
    edge::surround(router, figures)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use axum::{
        body::Body,
        http::{Request, StatusCode, header::ALLOW},
    };
    use mis_sync_queue::{Queue, Redis};
    use mis_sync_store::TokenCipher;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    /// A state whose servers are never asked.
    fn state() -> ApiState {
        let pool = mis_sync_store::connect("postgres://localhost/none", 1).unwrap();
        let redis = Redis::open("redis://localhost", "none").unwrap();
        let cipher = TokenCipher::from_hex(&"0a".repeat(32).into()).unwrap();
        ApiState::new(Queue::new(pool, redis), Arc::new(cipher))
    }

    async fn allowed_methods(path: &str) -> Vec<String> {
        let request = Request::builder().method("NONE").uri(path.replace(['{', '}'], ""));
        let request = request.body(Body::empty()).unwrap();
        let response = router(state()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allow = response.headers()[ALLOW].to_str().unwrap();
        allow.split(',').filter(|method| *method != "HEAD").map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn the_document_describes_exactly_the_routes_there_are() {
        let mut served = BTreeSet::new();
        for (path, _) in routes() {
            for method in allowed_methods(path).await {
                served.insert(format!("{method} {path}"));
            }
        }
        let document: Value = serde_json::from_str(&openapi::openapi_json()).unwrap();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        assert_eq!(described, served);
    }
}
