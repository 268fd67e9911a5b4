use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mis_sync_queue::RedisTrouble;
use mis_sync_store::Error::SchemaBehind;
use tokio::time::timeout;

use crate::{
    ApiState,
    views::{
        CheckStatus, CheckView, ChecksView, Life, LivenessView, ReadinessView, RedisCheckView,
        RedisStatus, ServiceStatus,
    },
};

/// A dependency that takes longer than this counts as unavailable.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Check that the process is alive
///
/// Checks no dependency: a database that is unavailable is no reason to restart the service.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    security(()),
    responses((status = 200, description = "It is", body = LivenessView)),
)]
pub(crate) async fn get_liveness() -> Json<LivenessView> {
    Json(LivenessView { status: Life::Ok })
}

/// Check that the service can do its work
///
/// Asks Postgres and Redis, for at most two seconds. A load balancer sends requests while the
/// answer is 200.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    security(()),
    responses(
        (status = 200, description = "It can; `degraded` without Redis", body = ReadinessView),
        (status = 503, description = "Postgres is unavailable", body = ReadinessView),
    ),
)]
pub(crate) async fn get_readiness(State(state): State<ApiState>) -> Response {
    let (postgres, redis) = tokio::join!(check_postgres(&state), check_redis(&state));
    let (code, status) = match (postgres, redis) {
        (CheckStatus::Ok, None) => (StatusCode::OK, ServiceStatus::Ready),
        // Nothing that Redis does is not done without it, if less swiftly.
        (CheckStatus::Ok, Some(_)) => (StatusCode::OK, ServiceStatus::Degraded),
        _ => (StatusCode::SERVICE_UNAVAILABLE, ServiceStatus::Unavailable),
    };
    let redis = RedisCheckView {
        status: if redis.is_none() { RedisStatus::Ok } else { RedisStatus::Degraded },
        reason: redis,
    };
    let checks = ChecksView { postgres: CheckView { status: postgres }, redis };
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

/// The problem with Redis, if there is one.
async fn check_redis(state: &ApiState) -> Option<RedisTrouble> {
    let error = state.check_redis(CHECK_TIMEOUT).await.err()?;
    tracing::warn!(%error, "Redis is of no use just now");
    Some(error.trouble())
}
