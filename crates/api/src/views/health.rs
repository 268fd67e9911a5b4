use mis_sync_domain::named;
use mis_sync_queue::RedisTrouble;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, Type},
};

named!(
    /// The only status that a running process reports.
    #[derive(ToSchema)]
    pub(crate) Life, "liveness", {
        /// It answers.
        Ok = "ok",
    }
);

/// The process is alive.
#[derive(Serialize, ToSchema)]
#[schema(as = Liveness)]
pub(crate) struct LivenessView {
    pub(crate) status: Life,
}

named!(
    /// Whether the service can do its work.
    #[derive(ToSchema)]
    pub(crate) ServiceStatus, "status of the service", {
        /// It can.
        Ready = "ready",
        /// It can, but without Redis.
        Degraded = "degraded",
        /// It cannot: Postgres is unavailable.
        Unavailable = "unavailable",
    }
);

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(crate) struct ReadinessView {
    pub(crate) status: ServiceStatus,
    pub(crate) checks: ChecksView,
}

/// What the service needs.
#[derive(Serialize, ToSchema)]
#[schema(as = Checks)]
pub(crate) struct ChecksView {
    pub(crate) postgres: CheckView,
    pub(crate) redis: RedisCheckView,
}

/// Redis. The service works without it: it then reads logins and syncs from the database.
#[derive(Serialize, ToSchema)]
#[schema(as = RedisCheck)]
pub(crate) struct RedisCheckView {
    pub(crate) status: RedisStatus,
    /// The problem; left out if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = redis_trouble, required = false)]
    pub(crate) reason: Option<RedisTrouble>,
}

/// The queue does not depend on the API document, so the names are listed here.
fn redis_trouble() -> ObjectBuilder {
    let names = RedisTrouble::ALL.iter().map(|trouble| trouble.as_str());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names))
}

named!(
    /// The status of Redis.
    #[derive(ToSchema)]
    pub(crate) RedisStatus, "status of Redis", {
        /// It accepts writes.
        Ok = "ok",
        /// It cannot be used at the moment.
        Degraded = "degraded",
    }
);

/// One dependency.
#[derive(Serialize, ToSchema)]
#[schema(as = Check)]
pub(crate) struct CheckView {
    pub(crate) status: CheckStatus,
}

named!(
    /// The status of a dependency. Addresses are private, so nothing else is shown.
    #[derive(ToSchema)]
    pub(crate) CheckStatus, "status of a dependency", {
        /// It answers.
        Ok = "ok",
        /// It does not answer in time.
        Away = "away",
        /// `mis-sync migrate` has not been run.
        SchemaBehind = "schema-behind",
    }
);
