use serde::{Deserialize, Serialize, de::IgnoredAny};
use utoipa::ToSchema;

/// What Wonde posts. Which fields there are depends on the kind; others are passed over.
#[derive(Deserialize, ToSchema)]
pub(crate) struct WebhookRequest {
    /// `schoolApproved`, `accessRevoked`, `accessDeclined`, `schoolMigration`, or an unknown kind.
    #[serde(default)]
    #[schema(value_type = String, required, pattern = "^[!-~]{1,64}$")]
    pub(crate) payload_type: Said,
    /// Wonde's id of the school.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z0-9]{1,32}$")]
    pub(crate) school_id: Said,
    /// The token of an approval.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only, pattern = "^[!-~]{1,512}$")]
    pub(crate) school_token: Said,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) school_name: Said,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) revoke_reason: Said,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) decline_reason: Said,
    /// The MIS that the school leaves.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) migrate_from: Said,
    /// The MIS that it gets.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) migrate_to: Said,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) scheduled_at: Said,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) completed_at: Said,
}

/// A field of Wonde's. What it may be is looked at only where the kind of event needs it.
#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Said {
    Text(String),
    #[default]
    Nothing,
    Other(IgnoredAny),
}

/// An event that was stored.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEvent)]
pub(crate) struct WebhookEventView {
    /// Its id, as `mis-sync webhooks list` shows it. The same body always has the same id.
    #[schema(format = "uuid")]
    pub(crate) event_id: String,
}
