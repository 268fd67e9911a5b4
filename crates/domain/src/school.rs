use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{SchoolCheck, SchoolId, SchoolSettings, job::named};

/// A school in iP, and how to reach its MIS.
#[derive(Debug, Clone, PartialEq)]
pub struct School {
    pub id: SchoolId,
    /// The name that people know.
    pub name: String,
    pub wonde_school_id: String,
    /// The school's own Wonde address; `None` for the configured one.
    pub wonde_base_url: Option<String>,
    /// The MIS, as the caller or Wonde spells it.
    pub mis: Option<String>,
    /// The school's settings.
    pub settings: SchoolSettings,
    /// Whether there is a token, and whether Wonde accepts it.
    pub token: TokenState,
    /// Where messages about its jobs are posted.
    pub callback_url: Option<String>,
    /// What Wonde said when it was last asked what the school grants.
    pub last_check: Option<SchoolCheck>,
    /// End of the last sync that was applied.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// Start of the last fetch that was applied. A delta reads what changed since.
    pub changes_seen_until: Option<DateTime<Utc>>,
    /// Start of the last full fetch that was applied. Only a full fetch proves absence.
    pub last_full_sync_at: Option<DateTime<Utc>>,
    /// When the school was first connected.
    pub created_at: DateTime<Utc>,
    /// When the connection or the settings last changed.
    pub updated_at: DateTime<Utc>,
}

impl School {
    /// A number that changes whenever the connection or the settings do, and at nothing else.
    pub fn version(&self) -> i64 {
        self.updated_at.timestamp_micros()
    }

    /// Whether it has not changed since it was first connected.
    pub fn is_new(&self) -> bool {
        self.created_at == self.updated_at
    }
}

named!(
    /// The state of a school's token. It never contains the token.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    TokenState, "state of a token", {
        /// There is no token: the school was disconnected.
        Missing = "missing",
        /// There is a token, and Wonde has not refused it.
        Held = "held",
        /// Wonde refused it twice, or said that access has ended. It is tried again from time to time.
        Rejected = "rejected",
    }
);

impl TokenState {
    /// Whether Wonde cannot be asked at all. A refused token is tried again first.
    pub fn is_missing(self) -> bool {
        self == Self::Missing
    }
}

/// A school as Wonde lists it for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedSchool {
    /// Wonde's id.
    pub id: String,
    pub name: String,
    pub town: Option<String>,
    pub postcode: Option<String>,
    /// The MIS, as Wonde spells it.
    pub mis: Option<String>,
}

impl ApprovedSchool {
    /// One line by which a person knows it.
    pub fn label(&self) -> String {
        let place = [&self.town, &self.postcode].into_iter().flatten();
        let place: Vec<&str> = place.map(String::as_str).collect();
        let mis = self.mis.as_deref().unwrap_or("unknown MIS");
        match place.join(" ").as_str() {
            "" => format!("{} ({mis})", self.name),
            place => format!("{}, {place} ({mis})", self.name),
        }
    }
}

/// What is needed to connect a school, or to change its connection. The token is passed separately.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectSchool {
    /// iP's own key.
    pub id: SchoolId,
    /// The name that people know.
    pub name: String,
    /// Wonde's id of the school.
    pub wonde_school_id: String,
    /// The school's own Wonde address, if it is not the configured one.
    pub wonde_base_url: Option<String>,
    /// The MIS; if it is removed, the next sync asks Wonde.
    pub mis: Update<String>,
    /// The school's settings; `None` keeps them.
    pub settings: Option<SchoolSettings>,
    /// Where messages about its jobs are posted.
    pub callback_url: Update<String>,
}

/// What a request says about a value that may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Update<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// There is none any more.
    Remove,
    Set(T),
}

impl<T> Update<T> {
    /// The new value; `None` if there is none.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Remove => None,
        }
    }
}
