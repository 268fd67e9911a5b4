use chrono::{DateTime, Utc};

use crate::{SchoolId, SchoolSettings, job::named};

/// A school of iP and how its MIS is reached.
#[derive(Debug, Clone, PartialEq)]
pub struct School {
    /// iP's own key.
    pub id: SchoolId,
    /// The name people know it by.
    pub name: String,
    /// Wonde's id of the school.
    pub wonde_school_id: String,
    /// The school's own Wonde address; `None`: the configured one.
    pub wonde_base_url: Option<String>,
    /// The MIS as the caller or Wonde spells it.
    pub mis: Option<String>,
    /// The school's own rules.
    pub settings: SchoolSettings,
    /// Whether there is a token, and what Wonde thinks of it.
    pub token: TokenState,
    /// End of the last sync that was applied.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Start of the last fetch that was applied: a delta asks for what changed since.
    pub changes_seen_until: Option<DateTime<Utc>>,
    /// Start of the last full fetch that was applied; only that one proves absence.
    pub last_full_sync_at: Option<DateTime<Utc>>,
    /// When the school was first connected.
    pub created_at: DateTime<Utc>,
    /// When the connection or the settings last changed.
    pub updated_at: DateTime<Utc>,
}

impl School {
    /// Whether it was not changed since it was first connected.
    pub fn is_new(&self) -> bool {
        self.created_at == self.updated_at
    }
}

named!(
    /// What is known of a school's token, never the token.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    TokenState, "state of a token", {
        /// There is none: the school was disconnected.
        Missing = "missing",
        /// There is one, and Wonde has not refused it.
        Held = "held",
        /// Wonde refused it, twice, or told that access ended. It is tried again from time to time.
        Rejected = "rejected",
    }
);

impl TokenState {
    /// Whether Wonde cannot be asked at all. A token that Wonde refused is tried again first.
    pub fn is_missing(self) -> bool {
        self == Self::Missing
    }
}

/// What is needed to connect a school, or to change its connection. The token travels apart.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectSchool {
    /// iP's own key.
    pub id: SchoolId,
    /// The name people know it by.
    pub name: String,
    /// Wonde's id of the school.
    pub wonde_school_id: String,
    /// The school's own Wonde address, when it is not the configured one.
    pub wonde_base_url: Option<String>,
    /// The MIS, if the caller knows it; `None` keeps what is known.
    pub mis: Option<String>,
    /// The school's own rules; `None` keeps what is set.
    pub settings: Option<SchoolSettings>,
}
