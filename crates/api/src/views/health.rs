use serde::Serialize;
use utoipa::ToSchema;

/// The process is alive.
#[derive(Serialize, ToSchema)]
#[schema(as = Liveness)]
pub(crate) struct LivenessView {
    /// `ok`
    pub(crate) status: &'static str,
}

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(crate) struct ReadinessView {
    /// `ready`, `degraded` (it works, but without Redis) or `unavailable`
    pub(crate) status: &'static str,
    pub(crate) checks: ChecksView,
}

/// What the service needs.
#[derive(Serialize, ToSchema)]
#[schema(as = Checks)]
pub(crate) struct ChecksView {
    pub(crate) postgres: CheckView,
    pub(crate) redis: RedisCheckView,
}

/// Redis. The service works without it: logins and syncs are then taken from the database.
#[derive(Serialize, ToSchema)]
#[schema(as = RedisCheck)]
pub(crate) struct RedisCheckView {
    pub(crate) status: RedisStatus,
    /// `away`, `loading`, `read-only`, `full`, `refuses-writes` or `not-permitted`; left out when
    /// it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
}

/// How Redis is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RedisStatus {
    /// It takes writes.
    Ok,
    /// It cannot be used just now.
    Degraded,
}

/// One dependency.
#[derive(Serialize, ToSchema)]
#[schema(as = Check)]
pub(crate) struct CheckView {
    pub(crate) status: CheckStatus,
}

/// How a dependency is. No more is told: addresses are nobody's business.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CheckStatus {
    /// It answers.
    Ok,
    /// It does not answer, or not in time.
    Away,
    /// `mis-sync migrate` has not been run.
    SchemaBehind,
}
