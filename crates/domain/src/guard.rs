//! Is a change plausible? A school's limits on what one sync may do unasked.
//!
//! A leaver is nothing special; half of the staff leaving between two syncs is a mistake in the
//! MIS, a withdrawn permission or a change of the MIS. Above a limit the job waits for a person.

use serde::{Deserialize, Serialize};

use crate::{job::named, plan::Plan};

named!(
    /// A sort of change of which a sync may only make so many unasked.
    #[derive(PartialOrd, Ord)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    GuardCategory, "category of the guard", {
        /// People who could no longer log in.
        Deactivated = "deactivated",
        /// People who would log in with another email.
        EmailsChanged = "emails_changed",
        /// People who would have no job title any more.
        JobTitlesEmptied = "job_titles_emptied",
        /// People who would have no line manager any more.
        LineManagersEmptied = "line_managers_emptied",
        /// Classes fewer than before, or fewer that somebody teaches. Classes that others replace
        /// are none: a summer rollover is no loss.
        ClassesEmptied = "classes_emptied",
        /// Known people who would get another Wonde id, as after a change of the MIS.
        NewIds = "new_ids",
    }
);

impl GuardCategory {
    /// What would happen, for a sentence that begins with how many of how many.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Deactivated => "people would no longer be able to log in",
            Self::EmailsChanged => "people would get another login",
            Self::JobTitlesEmptied => "job titles would be emptied",
            Self::LineManagersEmptied => "line managers would be emptied",
            Self::ClassesEmptied => "classes would be gone or taught by nobody",
            Self::NewIds => "people would get another Wonde id",
        }
    }

    /// What the school reads where somebody approved a sync, but not this.
    pub fn left_out(self) -> &'static str {
        match self {
            Self::Deactivated => {
                "Whoever approved this sync left out that people are deactivated, so \
                 everybody stays active in iP."
            }
            Self::EmailsChanged => {
                "Whoever approved this sync left out new logins, so people in iP keep the \
                 work email that they log in with."
            }
            Self::JobTitlesEmptied => {
                "Whoever approved this sync left out that job titles are emptied, so people \
                 in iP keep theirs."
            }
            Self::LineManagersEmptied => {
                "Whoever approved this sync left out that line managers are emptied, so \
                 people in iP keep theirs."
            }
            Self::ClassesEmptied => {
                "Whoever approved this sync left out that classes are emptied, so no class in \
                 iP was archived or lost everybody who teaches it."
            }
            Self::NewIds => {
                "This is somebody in iP under a new id of Wonde, and whoever approved this \
                 sync left out new ids, so the person in iP stays as they are."
            }
        }
    }
}

/// A share of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

/// More than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage is 0 to 100")]
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

/// How many records of a category a sync may change unasked. Both have to be passed: a share
/// alone would hold every leaver of a school of eight, a number alone a normal summer of a
/// school of eight hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardLimit {
    /// Of the records that there are before the sync.
    pub percent: Percent,
    /// Records.
    pub count: u32,
}

impl GuardLimit {
    const fn new(percent: u8, count: u32) -> Self {
        Self { percent: Percent(percent), count }
    }
}

/// The limits of a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Guard {
    /// Off: a sync does what the MIS says, however much that is. An empty list of staff waits
    /// for a person all the same.
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
    /// A school of 8 may lose three people at once, one of 800 a hundred and twenty.
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

/// How many records a sync would change in one category. Stored with the job and shown as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The category.
    pub category: GuardCategory,
    /// Records that would change.
    pub records: u64,
    /// Records that there are before the sync.
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

    /// Whether so many records alone may go above the limit; the share then decides.
    pub fn is_suspicious(&self, category: GuardCategory, records: u64) -> bool {
        self.enabled && records > u64::from(self.limit(category).count)
    }

    /// Where a plan goes above the limits. An empty list of staff is never taken for everybody having
    /// left, whatever the limits are.
    pub fn judge(&self, plan: &Plan) -> Vec<Affected> {
        let is_exceeded = |affected: &&Affected| {
            self.is_exceeded_by(affected)
                || affected.category == GuardCategory::Deactivated && plan.empties_school
        };
        plan.affected.iter().filter(is_exceeded).copied().collect()
    }

    /// Whether a change goes above its limit.
    pub fn is_exceeded_by(&self, affected: &Affected) -> bool {
        let share = u64::from(self.limit(affected.category).percent.0);
        self.is_suspicious(affected.category, affected.records)
            && affected.records * 100 > affected.of * share
    }
}

/// What a person decided of a held job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Applied, as much as was shown and no more.
    pub approved: Vec<Affected>,
    /// Not applied: iP keeps what it has.
    pub left_out: Vec<Affected>,
}

impl Affected {
    /// For example `12 of 40 people would no longer be able to log in`.
    pub fn sentence(&self) -> String {
        format!("{} of {} {}", self.records, self.of, self.category.phrase())
    }

    /// Whether a person approved at least as much of this category.
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
