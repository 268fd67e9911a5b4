//! Who counts as current staff.

use chrono::{Datelike, NaiveDate};

use crate::job::named;

/// What the MIS says about a person's employment.
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
    /// A person's employment on a given day.
    Standing, "standing", {
        Current = "current",
        /// The first day of employment is in the future.
        NotStarted = "not_started",
        /// The last day of employment is in the past.
        Ended = "ended",
        /// The MIS says that they are not current staff, and no date explains why.
        NotCurrent = "not_current",
        /// The MIS gives neither a flag nor a start date.
        Unsaid = "unsaid",
    }
);

/// No one still in a MIS left before this year. Some MIS write such a date to say that there is no
/// end.
const FIRST_YEAR_OF_AN_END: i32 = 1950;
/// The first day of the Unix clock, which some MIS also write to say that there is no end.
const EPOCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(1970, 1, 1);

impl Employment {
    /// The last day, unless it only stands for "none": it is before the first day, before 1950, or
    /// 1 January 1970.
    fn real_end(&self) -> Option<NaiveDate> {
        self.end.filter(|end| {
            end.year() >= FIRST_YEAR_OF_AN_END
                && Some(*end) != EPOCH
                && self.start.is_none_or(|start| *end >= start)
        })
    }
}

/// Whether a role, for example, has begun by `today` and has not ended. Without dates it always
/// counts.
pub fn is_under_way(start: Option<NaiveDate>, end: Option<NaiveDate>, today: NaiveDate) -> bool {
    let standing = standing(&Employment { current: None, start, end }, today);
    !matches!(standing, Standing::Ended | Standing::NotStarted)
}

/// A person's employment on `today`.
///
/// If the MIS gives its flag, the flag decides, and the dates only explain why a person is not
/// current. Without a flag the dates decide, and without a start date nothing says that the person
/// works here.
pub fn standing(employment: &Employment, today: NaiveDate) -> Standing {
    let Employment { current, start, .. } = *employment;
    if current == Some(true) {
        return Standing::Current;
    }
    if employment.real_end().is_some_and(|end| end < today) {
        return Standing::Ended;
    }
    if start.is_some_and(|start| start > today) {
        return Standing::NotStarted;
    }
    match (current, start) {
        (Some(_), _) => Standing::NotCurrent,
        (None, Some(_)) => Standing::Current,
        (None, None) => Standing::Unsaid,
    }
}

/// Whether a person is employed on `today`.
pub fn is_current(employment: &Employment, today: NaiveDate) -> bool {
    standing(employment, today) == Standing::Current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_decides_and_the_dates_where_there_is_none() {
        use Standing::{Current, Ended, NotCurrent, NotStarted, Unsaid};

        let day = |d| NaiveDate::from_ymd_opt(2026, 9, d).unwrap();
        let today = day(15);
        let (past, future) = (Some(day(1)), Some(day(30)));
        let ancient = NaiveDate::from_ymd_opt(1899, 12, 30);
        // flag, start, end, standing
        let table = [
            (Some(true), past, None, Current),
            (Some(true), None, None, Current),
            (Some(true), past, future, Current),
            (Some(true), past, Some(today), Current),
            (Some(true), Some(today), None, Current),
            (Some(true), future, None, Current),
            (Some(true), past, past, Current),
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
            // An end before the start or before 1950 counts as none, whatever the flag says.
            (Some(true), future, past, Current),
            (Some(true), past, ancient, Current),
            (Some(false), past, ancient, NotCurrent),
            (None, past, ancient, Current),
            (None, None, ancient, Unsaid),
            (None, None, EPOCH, Unsaid),
            (None, ancient, EPOCH, Current),
            (Some(false), past, EPOCH, NotCurrent),
            (None, past, NaiveDate::from_ymd_opt(9999, 12, 31), Current),
            (None, past, Some(day(1).pred_opt().unwrap()), Current),
            (None, future, past, NotStarted),
        ];
        for (current, start, end, expected) in table {
            let employment = Employment { current, start, end };
            assert_eq!(standing(&employment, today), expected, "{employment:?}");
        }
    }

    #[test]
    fn what_is_over_or_to_come_is_not_under_way() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 9, d);
        let today = day(15).unwrap();
        let ancient = NaiveDate::from_ymd_opt(1900, 1, 1);
        for (start, end, expected) in [
            (None, None, true),
            (day(1), None, true),
            (None, day(30), true),
            (day(15), day(15), true),
            (day(1), day(14), false),
            (None, day(14), false),
            (day(16), None, false),
            (day(16), day(30), false),
            // A placeholder does not count as an end.
            (day(1), ancient, true),
            (None, ancient, true),
            (None, EPOCH, true),
            (ancient, NaiveDate::from_ymd_opt(2999, 1, 1), true),
        ] {
            assert_eq!(is_under_way(start, end, today), expected, "{start:?} {end:?}");
        }
    }
}
