use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_store::Error::SchemaBehind;
use tokio::time::timeout;

use crate::{
    ApiState,
    views::{CheckStatus, CheckView, ChecksView, LivenessView, ReadinessView},
};

/// A dependency that takes longer than this counts as away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the process is alive
///
/// Asks nothing of anybody: a database that is away is no reason to restart the service.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    security(()),
    responses((status = 200, description = "It is", body = LivenessView)),
)]
pub(crate) async fn get_liveness() -> Json<LivenessView> {
    Json(LivenessView { status: "ok" })
}

/// Whether the service can do its work
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    security(()),
    responses(
        (status = 200, description = "It can", body = ReadinessView),
        (status = 503, description = "Something it needs is away", body = ReadinessView),
    ),
)]
pub(crate) async fn get_readiness(State(state): State<ApiState>) -> Response {
    let (postgres, redis) = tokio::join!(check_postgres(&state), check_redis(&state));
    let is_ready = [postgres, redis].iter().all(|status| *status == CheckStatus::Ok);
    let (code, status) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let checks =
        ChecksView { postgres: CheckView { status: postgres }, redis: CheckView { status: redis } };
    (code, Json(ReadinessView { status, checks })).into_response()
}

async fn check_postgres(state: &ApiState) -> CheckStatus {
    match timeout(CHECK_TIMEOUT, state.check_postgres()).await {
        Ok(Ok(())) => CheckStatus::Ok,
        Ok(Err(error)) => {
            tracing::warn!(%error, "Postgres is not ready");
            if matches!(error, SchemaBehind { .. }) {
                CheckStatus::SchemaBehind
            } else {
                CheckStatus::Away
            }
        }
        Err(_) => {
            tracing::warn!("Postgres did not answer in time");
            CheckStatus::Away
        }
    }
}

async fn check_redis(state: &ApiState) -> CheckStatus {
    match timeout(CHECK_TIMEOUT, state.check_redis()).await {
        Ok(Ok(())) => CheckStatus::Ok,
        Ok(Err(error)) => {
            tracing::warn!(%error, "Redis is not ready");
            CheckStatus::Away
        }
        Err(_) => {
            tracing::warn!("Redis did not answer in time");
            CheckStatus::Away
        }
    }
}
