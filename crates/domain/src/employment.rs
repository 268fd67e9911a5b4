//! Who counts as current staff.

use chrono::NaiveDate;

use crate::job::named;

/// What the MIS says about somebody's employment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Employment {
    /// The MIS' own flag, if it gave one.
    pub current: Option<bool>,
    /// First day of employment.
    pub start: Option<NaiveDate>,
    /// Last day of employment; the person still works on that day.
    pub end: Option<NaiveDate>,
}

named!(
    /// How somebody stands with the school on a day.
    Standing, "standing", {
        /// Employed.
        Current = "current",
        /// The first day of employment is still to come.
        NotStarted = "not_started",
        /// The last day of employment is over.
        Ended = "ended",
        /// The MIS says that they are not current staff, and no date says why.
        NotCurrent = "not_current",
        /// The MIS says neither that they are current nor since when.
        Unsaid = "unsaid",
    }
);

/// How somebody stands with the school on `today`.
///
/// The flag can say no on its own. It cannot say yes against the dates: a starter of next
/// month and a leaver of last week are not current whatever the flag says. Without a flag
/// the dates decide, and without a start date nothing says that the person works here.
pub fn standing(employment: &Employment, today: NaiveDate) -> Standing {
    let Employment { current, start, end } = *employment;
    if end.is_some_and(|end| end < today) {
        return Standing::Ended;
    }
    if start.is_some_and(|start| start > today) {
        return Standing::NotStarted;
    }
    match (current, start) {
        (Some(false), _) => Standing::NotCurrent,
        (Some(true), _) | (None, Some(_)) => Standing::Current,
        (None, None) => Standing::Unsaid,
    }
}

/// Whether somebody is employed on `today`.
pub fn is_current(employment: &Employment, today: NaiveDate) -> bool {
    standing(employment, today) == Standing::Current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_and_dates_decide_together() {
        use Standing::{Current, Ended, NotCurrent, NotStarted, Unsaid};

        let day = |d| NaiveDate::from_ymd_opt(2026, 9, d).unwrap();
        let today = day(15);
        let (past, future) = (Some(day(1)), Some(day(30)));
        // flag, start, end, standing
        let table = [
            (Some(true), past, None, Current),
            (Some(true), None, None, Current),
            (Some(true), past, future, Current),
            (Some(true), past, Some(today), Current),
            (Some(true), Some(today), None, Current),
            (Some(true), future, None, NotStarted),
            (Some(true), past, past, Ended),
            (Some(false), past, None, NotCurrent),
            (Some(false), None, None, NotCurrent),
            (Some(false), past, past, Ended),
            (Some(false), future, None, NotStarted),
            (None, past, None, Current),
            (None, past, future, Current),
            (None, past, past, Ended),
            (None, future, None, NotStarted),
            (None, None, None, Unsaid),
            (None, None, past, Ended),
            (None, None, future, Unsaid),
        ];
        for (current, start, end, expected) in table {
            let employment = Employment { current, start, end };
            assert_eq!(standing(&employment, today), expected, "{employment:?}");
        }
    }
}
