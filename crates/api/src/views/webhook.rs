use serde::Serialize;
use utoipa::ToSchema;

/// A webhook from Wonde. Further fields depend on the kind.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `webhooks`")]
pub(crate) struct WebhookRequest {
    /// `schoolApproved`, `accessRevoked`, `accessDeclined`, `schoolMigration`, or an unknown kind.
    #[schema(pattern = "^[!-~]{1,64}$")]
    payload_type: String,
    /// Wonde's id of the school.
    #[schema(pattern = "^[A-Za-z0-9]{1,32}$")]
    school_id: Option<String>,
    /// The token of an approval.
    #[schema(write_only, pattern = "^[!-~]{1,512}$")]
    school_token: Option<String>,
}

/// An event that was stored.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub(crate) struct WebhookEventView {
    /// Its id, as `mis-sync webhooks list` shows it. The same body always has the same id.
    #[schema(format = "uuid")]
    pub(crate) event_id: String,
}
