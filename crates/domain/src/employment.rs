//! Who counts as current staff.

use chrono::NaiveDate;

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

/// Whether somebody is employed on `today`.
///
/// The flag can say no on its own. It cannot say yes against the dates: a starter of next
/// month and a leaver of last week are not current whatever the flag says. Without a flag
/// the dates decide, and without a start date nothing says that the person works here.
pub fn is_current(employment: &Employment, today: NaiveDate) -> bool {
    let started = match employment.start {
        Some(start) => start <= today,
        None => employment.current == Some(true),
    };
    let ended = employment.end.is_some_and(|end| end < today);
    employment.current != Some(false) && started && !ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_and_dates_decide_together() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 9, d).unwrap();
        let today = day(15);
        let (past, future) = (Some(day(1)), Some(day(30)));
        // flag, start, end, current
        let table = [
            (Some(true), past, None, true),
            (Some(true), None, None, true),
            (Some(true), past, future, true),
            (Some(true), past, Some(today), true),
            (Some(true), Some(today), None, true),
            (Some(true), future, None, false),
            (Some(true), past, past, false),
            (Some(false), past, None, false),
            (Some(false), None, None, false),
            (None, past, None, true),
            (None, past, future, true),
            (None, past, past, false),
            (None, future, None, false),
            (None, None, None, false),
            (None, None, future, false),
        ];
        for (current, start, end, expected) in table {
            let employment = Employment { current, start, end };
            assert_eq!(is_current(&employment, today), expected, "{employment:?}");
        }
    }
}
