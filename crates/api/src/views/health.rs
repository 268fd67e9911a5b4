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
    /// `ready` or `unavailable`
    pub(crate) status: &'static str,
    pub(crate) checks: ChecksView,
}

/// What the service needs.
#[derive(Serialize, ToSchema)]
#[schema(as = Checks)]
pub(crate) struct ChecksView {
    pub(crate) postgres: CheckView,
    pub(crate) redis: CheckView,
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
