//! What a run saw of a person in the MIS.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{IssueCode, JobId, StaffId, SyncMode, UnknownName, employment::Standing, job::named};

/// The result for a record of the MIS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordOutcome {
    /// It belongs to a person who is in iP, or will be once a sync is applied.
    Imported,
    /// Not current staff.
    NotCurrent,
    /// Current, but the school imports teaching staff only.
    NotTeaching,
    /// Left out because of this issue.
    Issue(IssueCode),
    /// It was in the list before and is no longer.
    Gone,
}

impl RecordOutcome {
    /// The stable name; for an issue it is the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::NotCurrent => "not_current",
            Self::NotTeaching => "not_teaching",
            Self::Issue(code) => code.as_str(),
            Self::Gone => "gone",
        }
    }
}

impl FromStr for RecordOutcome {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Imported, Self::NotCurrent, Self::NotTeaching, Self::Gone]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .map_or_else(|| text.parse().map(Self::Issue), Ok)
    }
}

named!(
    /// How a record and an account were first matched.
    MatchedBy, "way of matching", {
        /// iP already knew the Wonde id.
        WondeId = "wonde_id",
        /// By UPI: a person who was added again.
        Upi = "upi",
        /// By a person's decision.
        Decision = "decision",
        /// By the work email of an account that was made by hand or whose own record is gone.
        WorkEmail = "work_email",
        /// The account was created from the record.
        New = "new",
    }
);

/// What the last run that saw a person in the MIS concluded.
#[derive(Clone, PartialEq, Eq)]
pub struct Sighting {
    pub wonde_id: String,
    /// Whether there was a work email, usable or not.
    pub has_email: bool,
    /// What the MIS said about the employment.
    pub standing: Standing,
    /// First day of employment; set for people who are not current.
    pub starts_on: Option<NaiveDate>,
    /// Last day of employment; set for people who are not current.
    pub ends_on: Option<NaiveDate>,
    /// Whether they are teaching staff; `None` if not given.
    pub teaching: Option<bool>,
    /// The result for the record.
    pub outcome: RecordOutcome,
    /// The account that it belongs to.
    pub staff_id: Option<StaffId>,
    /// How the two were first matched.
    pub matched_by: Option<MatchedBy>,
    /// The run that first saw it like this.
    pub job_id: JobId,
    /// When that run saw it.
    pub seen_at: DateTime<Utc>,
}

/// Values are personal data, so only the ids are printed.
impl fmt::Debug for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sighting").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

/// The last run that read a school's MIS to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub job_id: JobId,
    /// Whether everything was read, or only what changed.
    pub mode: SyncMode,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// When it was compared.
    pub read_at: DateTime<Utc>,
    /// Issues about the whole school, for example withheld permissions.
    pub issues: Vec<IssueCode>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_survive_a_round_trip_and_no_issue_is_called_like_another_outcome() {
        let plain = [
            RecordOutcome::Imported,
            RecordOutcome::NotCurrent,
            RecordOutcome::NotTeaching,
            RecordOutcome::Gone,
        ];
        let issues = IssueCode::ALL.iter().copied().map(RecordOutcome::Issue);
        for outcome in plain.into_iter().chain(issues) {
            assert_eq!(outcome.as_str().parse::<RecordOutcome>().unwrap(), outcome);
        }
        assert!("nonsense".parse::<RecordOutcome>().is_err());
    }
}
