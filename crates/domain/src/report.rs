use serde::{Deserialize, Serialize};

use crate::{Affected, Recount, RefreshOutcome, SyncMode};

/// What a sync did, in numbers. It is stored with the job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The result of refreshing one person; `None` for a sync of a school.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<RefreshOutcome>,
    /// Whether everything was read, or only what had changed.
    pub mode: SyncMode,
    /// Staff records that Wonde delivered.
    pub fetched: u64,
    /// Of these, people who are current staff.
    pub current: u64,
    /// People new in iP.
    pub created: u64,
    /// People with at least one changed field.
    pub updated: u64,
    /// People who already matched the MIS; their rows were not written.
    pub unchanged: u64,
    /// People who have left and can no longer log in.
    pub deactivated: u64,
    /// People who came back.
    pub restored: u64,
    /// Current staff who were left out; each has an issue or a setting that explains it.
    pub skipped: u64,
    /// Records that have an issue.
    pub issues: u64,
    /// The result for classes.
    pub classes: TeachingCounts,
    /// The result for subjects.
    pub subjects: TeachingCounts,
    /// The result for photos.
    pub photos: PhotoCounts,
    /// Where the change exceeds the school's limits; empty if nowhere.
    pub guard: Vec<Affected>,
    /// What a person did not approve when the job was held. iP's values stay.
    pub left_out: Vec<Affected>,
    /// How the numbers differ from those that a person approved; empty if the job was not held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recounts: Vec<Recount>,
    /// HTTP requests sent to Wonde.
    pub requests: u64,
    /// From the start of the attempt to its end.
    pub duration_ms: u64,
}

/// What a sync did with classes, or with subjects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeachingCounts {
    /// Records that Wonde delivered.
    pub fetched: u64,
    /// New in iP.
    pub created: u64,
    /// Changed in a field or in their teachers.
    pub updated: u64,
    /// Already the same as in the MIS.
    pub unchanged: u64,
    /// Gone from the MIS and so archived.
    pub archived: u64,
    /// Archived before and back in the MIS.
    pub restored: u64,
    /// Left out; each has an issue that explains it.
    pub skipped: u64,
}

/// What a sync did with photos.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhotoCounts {
    /// Photos of imported people that Wonde delivered.
    pub fetched: u64,
    /// People with a new picture.
    pub updated: u64,
    /// People whose picture was already the same.
    pub unchanged: u64,
    /// People whose picture was removed, because the MIS no longer has it.
    pub removed: u64,
    /// Photos that could not be imported; each has an issue that explains it.
    pub skipped: u64,
}
