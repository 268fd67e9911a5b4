//! Is a change plausible? A school's limits on what one sync may change without approval.
//!
//! One leaver is normal. Half the staff leaving between two syncs is more likely a mistake in the
//! MIS, a withdrawn permission or a change of MIS, so the job is held until someone approves it.

use serde::{Deserialize, Serialize};

use crate::{PersonKey, job::named, plan::Plan};

named!(
    /// A kind of change whose number the guard limits.
    #[derive(PartialOrd, Ord)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    GuardCategory, "category of the guard", {
        /// People who could no longer log in.
        Deactivated = "deactivated",
        /// People who would log in with another email.
        EmailsChanged = "emails_changed",
        /// People who would lose their job title.
        JobTitlesEmptied = "job_titles_emptied",
        /// People who would lose their line manager.
        LineManagersEmptied = "line_managers_emptied",
        /// The drop in the number of classes, or of classes with a teacher. Classes that are
        /// replaced by others do not count, so a summer rollover is not a loss.
        ClassesEmptied = "classes_emptied",
        /// Known people who would get another Wonde id, as after a change of the MIS.
        NewIds = "new_ids",
    }
);

impl GuardCategory {
    /// The end of a sentence that begins with, for example, `12 of 40`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Deactivated => "people would no longer be able to log in",
            Self::EmailsChanged => "sign-in emails would change",
            Self::JobTitlesEmptied => "job titles would be emptied",
            Self::LineManagersEmptied => "line managers would be emptied",
            Self::ClassesEmptied => "classes would be archived or left without a teacher",
            Self::NewIds => "people would get a new Wonde id",
        }
    }

    /// The same once it has happened.
    pub fn past(self) -> &'static str {
        match self {
            Self::Deactivated => "people can no longer log in",
            Self::EmailsChanged => "sign-in emails were changed",
            Self::JobTitlesEmptied => "job titles were emptied",
            Self::LineManagersEmptied => "line managers were emptied",
            Self::ClassesEmptied => "classes were archived or left without a teacher",
            Self::NewIds => "people have a new Wonde id",
        }
    }

    /// What the school reads if a sync was approved without this category.
    pub fn left_out(self) -> &'static str {
        match self {
            Self::Deactivated => {
                "The approver chose not to deactivate anyone, so everyone stays active in iP."
            }
            Self::EmailsChanged => {
                "The approver chose not to change sign-in emails, so people keep the email that \
                 they log in with."
            }
            Self::JobTitlesEmptied => {
                "The approver chose not to empty job titles, so people in iP keep theirs."
            }
            Self::LineManagersEmptied => {
                "The approver chose not to empty line managers, so people in iP keep theirs."
            }
            Self::ClassesEmptied => {
                "The approver chose not to empty classes, so no class in iP was archived or left \
                 without a teacher."
            }
            Self::NewIds => {
                "This person is in iP and has a new Wonde id, but the approver chose not to \
                 apply new ids, so the person was left unchanged in iP."
            }
        }
    }
}

/// A whole number from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

/// The number was above 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage must be between 0 and 100")]
pub struct InvalidPercent;

impl TryFrom<u8> for Percent {
    type Error = InvalidPercent;

    fn try_from(percent: u8) -> Result<Self, InvalidPercent> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(InvalidPercent) }
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

/// How many records of a category a sync may change without approval. A job is held only if it
/// exceeds both numbers: a percentage alone would hold every leaver of a school with eight staff,
/// and a count alone would hold a normal summer of a school with eight hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardLimit {
    /// Percentage of the records that exist before the sync.
    pub percent: Percent,
    /// Number of records.
    pub count: u32,
}

impl GuardLimit {
    const fn new(percent: u8, count: u32) -> Self {
        Self { percent: Percent(percent), count }
    }
}

/// A school's limits, one for each category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// If false, a sync applies any number of changes. An empty list of staff is still held.
    pub enabled: bool,
    /// See [`GuardCategory::Deactivated`].
    pub deactivated: GuardLimit,
    /// See [`GuardCategory::EmailsChanged`].
    pub emails_changed: GuardLimit,
    /// See [`GuardCategory::JobTitlesEmptied`].
    pub job_titles_emptied: GuardLimit,
    /// See [`GuardCategory::LineManagersEmptied`].
    pub line_managers_emptied: GuardLimit,
    /// See [`GuardCategory::ClassesEmptied`].
    pub classes_emptied: GuardLimit,
    /// See [`GuardCategory::NewIds`].
    pub new_ids: GuardLimit,
}

impl Default for Guard {
    /// A school with 8 staff may lose 3 of them at once, and one with 800 may lose 120.
    fn default() -> Self {
        Self {
            enabled: true,
            deactivated: GuardLimit::new(15, 3),
            emails_changed: GuardLimit::new(20, 4),
            job_titles_emptied: GuardLimit::new(20, 4),
            line_managers_emptied: GuardLimit::new(50, 5),
            classes_emptied: GuardLimit::new(25, 4),
            new_ids: GuardLimit::new(10, 3),
        }
    }
}

/// How many records a sync would change in one category. It is stored with the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub category: GuardCategory,
    /// Records that would change.
    pub records: u64,
    /// Records that exist before the sync.
    pub of: u64,
}

impl Guard {
    /// The limit of a category.
    pub fn limit(&self, category: GuardCategory) -> GuardLimit {
        match category {
            GuardCategory::Deactivated => self.deactivated,
            GuardCategory::EmailsChanged => self.emails_changed,
            GuardCategory::JobTitlesEmptied => self.job_titles_emptied,
            GuardCategory::LineManagersEmptied => self.line_managers_emptied,
            GuardCategory::ClassesEmptied => self.classes_emptied,
            GuardCategory::NewIds => self.new_ids,
        }
    }

    /// Whether the number of records is above the limit. The percentage then decides.
    pub fn is_suspicious(&self, category: GuardCategory, records: u64) -> bool {
        self.enabled && records > u64::from(self.limit(category).count)
    }

    /// The categories in which a plan exceeds the limits. An empty list of staff always does: it
    /// never means that everyone has left.
    pub fn judge(&self, plan: &Plan) -> Vec<Affected> {
        let is_exceeded = |affected: &&Affected| {
            self.is_exceeded_by(affected)
                || affected.category == GuardCategory::Deactivated && plan.empties_school
        };
        plan.affected.iter().filter(is_exceeded).copied().collect()
    }

    /// Whether a change exceeds its limit.
    pub fn is_exceeded_by(&self, affected: &Affected) -> bool {
        let share = u64::from(self.limit(affected.category).percent.0);
        self.is_suspicious(affected.category, affected.records)
            && affected.records * 100 > affected.of * share
    }
}

/// What a person decided about a held job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// To be applied, up to the number that was shown.
    pub approved: Vec<Affected>,
    /// Not to be applied: iP's values stay.
    pub left_out: Vec<Affected>,
    /// People who are left as they are, whatever would change about them.
    pub leave_people: Vec<PersonKey>,
}

impl Affected {
    /// For example `12 of 40 people would no longer be able to log in`.
    pub fn sentence(&self) -> String {
        format!("{} of {} {}", self.records, self.of, self.category.phrase())
    }

    /// Whether the approval covers at least this many records of the category.
    pub fn is_covered_by(&self, approved: &[Self]) -> bool {
        approved
            .iter()
            .any(|other| other.category == self.category && self.records <= other.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_held(category: GuardCategory, records: u64, of: u64) -> bool {
        Guard::default().is_exceeded_by(&Affected { category, records, of })
    }

    #[test]
    fn the_defaults_suit_a_school_of_eight_and_one_of_eight_hundred() {
        for (records, of, held) in [
            (1, 8, false),
            (3, 8, false),
            (4, 8, true),
            (8, 8, true),
            (3, 3, false),
            (12, 120, false),
            (18, 120, false),
            (19, 120, true),
            (120, 800, false),
            (121, 800, true),
        ] {
            assert_eq!(is_held(GuardCategory::Deactivated, records, of), held, "{records}/{of}");
        }
        for category in GuardCategory::ALL {
            assert!(!is_held(*category, 0, 0) && is_held(*category, 30, 40), "{category}");
        }
    }

    #[test]
    fn a_guard_that_is_off_holds_nothing() {
        let off = Guard { enabled: false, ..Guard::default() };
        let all = Affected { category: GuardCategory::Deactivated, records: 40, of: 40 };
        assert!(!off.is_exceeded_by(&all));
    }

    #[test]
    fn an_approval_covers_as_much_as_was_shown_and_no_more() {
        let of = |records| Affected { category: GuardCategory::NewIds, records, of: 40 };
        assert!(of(30).is_covered_by(&[of(30)]) && of(20).is_covered_by(&[of(30)]));
        assert!(!of(31).is_covered_by(&[of(30)]));
        let other = Affected { category: GuardCategory::Deactivated, ..of(40) };
        assert!(!of(1).is_covered_by(&[other]) && !of(1).is_covered_by(&[]));
    }

    #[test]
    fn limits_can_be_set_one_by_one_and_a_share_is_at_most_the_whole() {
        let guard: Guard =
            serde_json::from_str(r#"{"deactivated":{"percent":50,"count":10}}"#).unwrap();
        assert_eq!(guard.deactivated, GuardLimit::new(50, 10));
        assert_eq!(guard.new_ids, Guard::default().new_ids);
        for bad in [
            r#"{"deactivated":{"percent":101,"count":10}}"#,
            r#"{"deactivated":{"percent":50}}"#,
            r#"{"deactivted":{"percent":50,"count":1}}"#,
        ] {
            assert!(serde_json::from_str::<Guard>(bad).is_err(), "{bad}");
        }
    }
}
