//! What the MIS said, list by list.

use std::{collections::HashSet, fmt};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::held::prints_only;
use crate::{Issue, RecordOutcome, StaffId, StaffRecord, TeachingRecord, employment::Standing};

/// What one complete fetch said. A list that was not read, or was refused, is `None`.
///
/// Places say in which order records came, over all lists.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Everything was asked for, not only what changed.
    pub is_full: bool,
    /// When the fetch began, by the ledger's clock.
    pub started_at: DateTime<Utc>,
    /// How much was read.
    pub counts: FetchCounts,
    /// Current staff that can be imported, as they came; of two deliveries of one the later counts.
    /// A person without a work email that can be a login is imported only where iP has them already.
    pub staff: Vec<(i64, StaffRecord)>,
    /// People who are in the list, and have not left, but cannot be imported.
    pub present: Vec<Present>,
    /// Every record of the list that is not among `staff`, and why; and each of `staff` that has no
    /// work email that can be a login.
    pub left_out: Vec<LeftOut>,
    /// What is gone: by the word of a list, or because it was looked for.
    pub gone: Gone,
    /// What the mapping and the fetch found wrong.
    pub issues: Vec<(i64, Issue)>,
    /// Subjects.
    pub subjects: Option<Vec<TeachingRecord>>,
    /// Classes.
    pub classes: Option<Vec<TeachingRecord>>,
    /// The one person who was fetched, and nobody else.
    pub alone: Option<Alone>,
    /// People's photos by Wonde id, each the SHA-256 of its content; inner `None`: they have none.
    pub photos: Option<Vec<(String, Option<String>)>>,
}

/// How much a fetch read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Staff records.
    pub records: u64,
    /// Of these, current staff.
    pub current: u64,
    /// Current staff that are not imported.
    pub skipped: u64,
    /// Staff records so broken that nobody can say whose they are.
    pub nameless: u64,
    /// Staff records that say something about the employment.
    pub employment_said: u64,
    /// HTTP requests, failed ones included.
    pub requests: u64,
}

/// Somebody who is in the list but is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// Wonde's unique person identifier, where it can be read.
    pub upi: Option<String>,
    /// Wonde ids of the people above or below, nearest first; `None`: not said.
    pub hierarchy: Option<Vec<String>>,
}

/// A record that is not imported, and why: evidence for whoever asks about that person later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// Wonde's unique person identifier, where it can be read.
    pub upi: Option<String>,
    /// Work email as it came, whether or not it is one.
    pub email: Option<String>,
    /// How the person stands with the school.
    pub standing: Standing,
    /// First day of employment.
    pub starts_on: Option<NaiveDate>,
    /// Last day of employment.
    pub ends_on: Option<NaiveDate>,
    /// Teaching staff; `None`: not said.
    pub teaching: Option<bool>,
    /// Why.
    pub outcome: RecordOutcome,
}

/// One person who was fetched by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The person.
    pub staff_id: StaffId,
    /// Wonde's id of the record that was asked for.
    pub wonde_id: String,
    /// Wonde's ids of the classes that they teach, and whether they are a main teacher of each; `None`:
    /// the MIS did not say.
    pub teaches: Option<Vec<(String, bool)>>,
}

/// Wonde ids of what is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gone {
    /// Records of staff.
    pub employees: HashSet<String>,
    /// Classes.
    pub classes: HashSet<String>,
    /// Subjects.
    pub subjects: HashSet<String>,
}

prints_only!(Fetched, counts);
prints_only!(LeftOut, wonde_id);
