use serde::{Deserialize, Serialize};

use crate::{Affected, RefreshOutcome, SyncMode};

/// What a sync did, in numbers. Stored with the job and shown as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// What a refresh of one person came to; `None`: it was a school.
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
    /// People of whom at least one field changed.
    pub updated: u64,
    /// People who were already as the MIS says; their rows were not written.
    pub unchanged: u64,
    /// People who can no longer log in because they left.
    pub deactivated: u64,
    /// People who came back.
    pub restored: u64,
    /// Current people who were left out; each has an issue or a setting that says why.
    pub skipped: u64,
    /// Records with a problem for the school to mend.
    pub issues: u64,
    /// What became of the classes.
    pub classes: TeachingCounts,
    /// What became of the subjects.
    pub subjects: TeachingCounts,
    /// What became of the photos.
    pub photos: PhotoCounts,
    /// Where the change goes above the school's limits; empty: nowhere.
    pub guard: Vec<Affected>,
    /// What a person did not approve when the job was held; iP keeps what it has of it.
    pub left_out: Vec<Affected>,
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
    /// Of which a field or who teaches it changed.
    pub updated: u64,
    /// Already as the MIS says.
    pub unchanged: u64,
    /// Gone from the MIS and so archived.
    pub archived: u64,
    /// Archived before and back in the MIS.
    pub restored: u64,
    /// Left out; each has an issue that says why.
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
    /// People whose picture was already this one; nothing was written.
    pub unchanged: u64,
    /// People whose picture is gone from the MIS and so from iP.
    pub removed: u64,
    /// Photos that could not be taken; each has an issue that says why.
    pub skipped: u64,
}
