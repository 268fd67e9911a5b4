//! What the MIS said, list by list.

use std::{collections::HashSet, fmt};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::held::prints_only;
use crate::{
    Issue, RecordKind, RecordOutcome, StaffId, StaffRecord, TeachingRecord, employment::Standing,
};

/// The result of one complete fetch. A list that was not read, or was refused, is `None`.
///
/// Places give the order of the records over all lists.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Whether everything was requested, not only what changed.
    pub is_full: bool,
    /// When the fetch began, by the ledger's clock.
    pub started_at: DateTime<Utc>,
    /// How much was read.
    pub counts: FetchCounts,
    /// Current staff that can be imported, in order. If a record came twice, the later one counts.
    /// A person without a usable work email is imported only if they are already in iP.
    pub staff: Vec<(i64, StaffRecord)>,
    /// People who are in the list and have not left, but cannot be imported.
    pub present: Vec<Present>,
    /// Every record that is not in `staff`, with the reason, and each one in `staff` that has no
    /// usable work email.
    pub left_out: Vec<LeftOut>,
    /// Records that are gone: a list says so, or Wonde was asked for them.
    pub gone: Gone,
    /// Issues from the mapping and the fetch.
    pub issues: Vec<(i64, Issue)>,
    pub subjects: Option<Vec<TeachingRecord>>,
    pub classes: Option<Vec<TeachingRecord>>,
    /// Set if a single person was fetched.
    pub alone: Option<Alone>,
    /// People's photos by Wonde id, as SHA-256; the inner `None` means that they have none.
    pub photos: Option<Vec<(String, Option<String>)>>,
    /// What a clerk knows each record by.
    pub labels: Vec<Label>,
}

/// How much a fetch read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchCounts {
    /// Staff records.
    pub records: u64,
    /// Records of current staff.
    pub current: u64,
    /// Current staff that are not imported.
    pub skipped: u64,
    /// Staff records so damaged that they could be anyone's.
    pub nameless: u64,
    /// Staff records that say something about the employment.
    pub employment_said: u64,
    /// HTTP requests, including failed ones.
    pub requests: u64,
}

/// A person who is in the list but is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    pub wonde_id: String,
    /// The UPI, if it can be read.
    pub upi: Option<String>,
    /// Wonde ids of the people above or below, nearest first; `None` if not given.
    pub hierarchy: Option<Vec<String>>,
}

/// A record that is not imported, and why. It is evidence for *explain*.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// The UPI, if it can be read.
    pub upi: Option<String>,
    /// The work email as it came, valid or not.
    pub email: Option<String>,
    /// The person's employment.
    pub standing: Standing,
    pub starts_on: Option<NaiveDate>,
    pub ends_on: Option<NaiveDate>,
    /// Whether they are teaching staff; `None` if not given.
    pub teaching: Option<bool>,
    pub outcome: RecordOutcome,
}

/// What a clerk knows a record by, in the words of the MIS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub record: RecordKind,
    pub wonde_id: String,
    /// The name of the person, class or subject.
    pub name: Option<String>,
    /// The id in the MIS itself.
    pub mis_id: Option<String>,
}

/// One person who was fetched alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    pub staff_id: StaffId,
    /// Wonde's id of the record that was requested.
    pub wonde_id: String,
    /// Wonde ids of the classes that they teach, and whether they are a main teacher of each;
    /// `None` if the MIS did not say.
    pub teaches: Option<Vec<(String, bool)>>,
}

/// Wonde ids of records that are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gone {
    /// Staff.
    pub employees: HashSet<String>,
    pub classes: HashSet<String>,
    pub subjects: HashSet<String>,
}

prints_only!(Fetched, counts);
prints_only!(LeftOut, wonde_id);
prints_only!(Label, wonde_id);
