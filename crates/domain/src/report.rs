use serde::{Deserialize, Serialize};

/// What a sync did, in numbers. Stored with the job and shown as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
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
    /// HTTP requests sent to Wonde.
    pub requests: u64,
    /// From the start of the attempt to its end.
    pub duration_ms: u64,
}
