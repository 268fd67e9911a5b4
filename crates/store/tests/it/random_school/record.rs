//! A person in the MIS.

use mis_sync_domain::plan::{LeftOut, Present};
use mis_sync_domain::{
    Issue, IssueCode, JobTitle, RecordOutcome, StaffRecord, employment::Standing,
};

use crate::fixture::{email, person};

/// A person in the MIS, including leavers.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) wonde_id: String,
    pub(super) upi: Option<String>,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) initials: Option<String>,
    pub(super) job_title: JobTitle,
    pub(super) shown: Shown,
}

/// How Wonde's list shows a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Current, with everything that iP needs.
    Whole,
    /// Current, without the work email.
    WithoutEmail,
    /// Current; the school imports teaching staff only.
    NotTeaching,
    /// Only the id of the record can be read.
    Unreadable,
    /// Not even the id can be read.
    Nameless,
    /// No longer current.
    Left,
    /// Not in the list.
    Gone,
}

impl Record {
    pub(super) fn login(&self) -> String {
        self.email.to_lowercase()
    }

    /// Whether the person still works at the school.
    pub(super) fn is_here(&self) -> bool {
        !matches!(self.shown, Shown::Left | Shown::Gone)
    }

    /// Whether the mapping says that the person is current.
    pub(super) fn is_current(&self) -> bool {
        self.shown == Shown::Whole || self.is_skipped()
    }

    /// Whether the mapping leaves the person out although they are current.
    pub(super) fn is_skipped(&self) -> bool {
        matches!(self.shown, Shown::WithoutEmail | Shown::NotTeaching)
    }

    /// Whether the record can be read, and so says something about the employment.
    pub(super) fn says_employment(&self) -> bool {
        !matches!(self.shown, Shown::Unreadable | Shown::Nameless)
    }

    /// The record as a member of staff, if it can be imported.
    pub(super) fn mapped(&self) -> Option<StaffRecord> {
        (self.shown == Shown::Whole).then(|| StaffRecord {
            upi: self.upi.clone(),
            email: email(&self.email),
            first_name: self.first_name.clone(),
            initials: self.initials.clone(),
            job_title: self.job_title.clone(),
            ..person(&self.wonde_id)
        })
    }

    /// The record of a person who is in the list but is not imported.
    pub(super) fn present(&self) -> Option<Present> {
        let upi = match self.shown {
            Shown::WithoutEmail | Shown::NotTeaching => self.upi.clone(),
            Shown::Unreadable => None,
            Shown::Whole | Shown::Nameless | Shown::Left | Shown::Gone => return None,
        };
        Some(Present { wonde_id: self.wonde_id.clone(), upi, hierarchy: None })
    }

    /// The record as one that is not imported.
    pub(super) fn left_out(&self) -> Option<LeftOut> {
        let (standing, outcome) = match self.shown {
            Shown::Whole | Shown::Nameless | Shown::Gone => return None,
            Shown::WithoutEmail => {
                (Standing::Current, RecordOutcome::Issue(IssueCode::NoWorkEmail))
            }
            Shown::NotTeaching => (Standing::Current, RecordOutcome::NotTeaching),
            Shown::Unreadable => {
                (Standing::Unsaid, RecordOutcome::Issue(IssueCode::UnreadableRecord))
            }
            Shown::Left => (Standing::NotCurrent, RecordOutcome::NotCurrent),
        };
        Some(LeftOut {
            wonde_id: self.wonde_id.clone(),
            upi: self.upi.clone().filter(|_| self.shown != Shown::Unreadable),
            email: None,
            standing,
            starts_on: None,
            ends_on: None,
            teaching: None,
            outcome,
        })
    }

    /// The issue that the mapping finds.
    pub(super) fn issue(&self) -> Option<Issue> {
        let wonde_id = Some(self.wonde_id.clone());
        match self.shown {
            Shown::WithoutEmail => Some(Issue { code: IssueCode::NoWorkEmail, wonde_id }),
            Shown::Unreadable => Some(Issue { code: IssueCode::UnreadableRecord, wonde_id }),
            Shown::Nameless => Some(Issue { code: IssueCode::UnreadableRecord, wonde_id: None }),
            Shown::Whole | Shown::NotTeaching | Shown::Left | Shown::Gone => None,
        }
    }
}
