use mis_sync_domain::named;
use mis_sync_queue::RedisTrouble;
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, Type},
};

named!(
    /// The only thing that a process which answers says of itself.
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
        /// It cannot: Postgres is away.
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

/// Redis. The service works without it: logins and syncs are then taken from the database.
#[derive(Serialize, ToSchema)]
#[schema(as = RedisCheck)]
pub(crate) struct RedisCheckView {
    pub(crate) status: RedisStatus,
    /// What is the matter with it; left out when it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = redis_trouble, required = false)]
    pub(crate) reason: Option<RedisTrouble>,
}

/// The queue has nothing to do with the document, so its names are listed here.
fn redis_trouble() -> ObjectBuilder {
    let names = RedisTrouble::ALL.iter().map(|trouble| trouble.as_str());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names))
}

named!(
    /// How Redis is.
    #[derive(ToSchema)]
    pub(crate) RedisStatus, "status of Redis", {
        /// It takes writes.
        Ok = "ok",
        /// It cannot be used just now.
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
    /// How a dependency is. Addresses are private, so nothing else is shown.
    #[derive(ToSchema)]
    pub(crate) CheckStatus, "status of a dependency", {
        /// It answers.
        Ok = "ok",
        /// It does not answer, or not in time.
        Away = "away",
        /// `mis-sync migrate` has not been run.
        SchemaBehind = "schema-behind",
    }
);
