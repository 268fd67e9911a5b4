//! Whether a record that a full list did not show is gone.
//!
//! Pages shift while they are read: once a record of page 1 is deleted, every record behind it
//! moves up by one place, and one of them is on no page. So a list alone never proves an absence.
//! A record is gone when Wonde does not know its id, or when two readings of the list in a row did
//! not show it.

/// If more records than this are missing, reading the list again is cheaper than asking for each,
/// and tells as much.
const MOST_ASKED: usize = 25;

/// The same limit as a percentage of the list. If more of a list is missing, the list itself has a
/// problem, not single records.
const MOST_ASKED_PERCENT: u64 = 10;

/// This many are asked for however short the list is. A percentage alone would make a school of
/// seven read its list again for every leaver.
const ALWAYS_ASKED: usize = 3;

/// A full list that was read to its end, and the records that it should have shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub listed: u64,
    /// Whether this is the second reading, made because much was missing from the first.
    pub is_second: bool,
    /// Records that iP has and that this reading did not show.
    pub missing: Vec<Missing>,
}

/// A record that iP has and that a reading did not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub wonde_id: String,
    /// Whether the first reading did not show it either.
    pub was_missing: bool,
}

/// What to do about the missing records of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Conclude nothing yet, and read the list once more.
    ReadAgain,
    /// Everything that this reading can settle. A record in neither list counts as present.
    Settle {
        /// Wonde ids that two readings did not show: these records are gone.
        gone: Vec<String>,
        /// Wonde ids to ask Wonde for, one by one.
        ask: Vec<String>,
    },
}

impl Reading {
    /// Decides how to continue. The second reading is the last one. A record that only the first
    /// one showed may have been deleted in between, or a page may have shifted. If there are few
    /// such records, they are asked for as well; if there are many, they count as present, and the
    /// next sync looks again.
    pub fn account(self) -> Account {
        let listed = self.listed;
        if !self.is_second && !are_few(self.missing.len(), listed) {
            return Account::ReadAgain;
        }
        let (gone, seen_before): (Vec<_>, Vec<_>) =
            self.missing.into_iter().partition(|missing| self.is_second && missing.was_missing);
        let ids = |all: Vec<Missing>| all.into_iter().map(|missing| missing.wonde_id).collect();
        let ask = if are_few(seen_before.len(), listed) { ids(seen_before) } else { Vec::new() };
        Account::Settle { gone: ids(gone), ask }
    }
}

/// Both limits apply, except that a handful is always few.
fn are_few(missing: usize, listed: u64) -> bool {
    let share = missing as u64 * 100;
    missing <= ALWAYS_ASKED
        || missing <= MOST_ASKED && share <= listed.saturating_mul(MOST_ASKED_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(ids: std::ops::Range<usize>, was_missing: bool) -> Vec<Missing> {
        ids.map(|id| Missing { wonde_id: format!("A{id}"), was_missing }).collect()
    }

    fn ids(ids: std::ops::Range<usize>) -> Vec<String> {
        ids.map(|id| format!("A{id}")).collect()
    }

    fn first(count: usize, listed: u64) -> Account {
        Reading { listed, is_second: false, missing: missing(0..count, false) }.account()
    }

    #[test]
    fn few_are_asked_for_one_by_one_and_for_many_the_list_is_read_again() {
        for (count, listed, asked) in [
            (0, 0, true),
            (0, 40, true),
            // A handful, however short the list.
            (1, 6, true),
            (3, 4, true),
            (3, 0, true),
            (4, 3, false),
            // A tenth.
            (4, 40, true),
            (5, 49, false),
            (5, 50, true),
            (25, 250, true),
            (25, 249, false),
            // Twenty-five.
            (25, 10_000, true),
            (26, 10_000, false),
        ] {
            let expected = if asked {
                Account::Settle { gone: Vec::new(), ask: ids(0..count) }
            } else {
                Account::ReadAgain
            };
            assert_eq!(first(count, listed), expected, "{count} of {listed}");
        }
    }

    #[test]
    fn the_second_reading_decides() {
        let both = missing(0..40, true);
        let second = |only_now: usize| {
            let missing = both.iter().cloned().chain(missing(40..40 + only_now, false)).collect();
            Reading { listed: 100, is_second: true, missing }.account()
        };
        let gone = ids(0..40);
        let settle = |ask| Account::Settle { gone: gone.clone(), ask };
        assert_eq!(second(0), settle(Vec::new()));
        assert_eq!(second(10), settle(ids(40..50)), "the first reading showed them");
        assert_eq!(second(11), settle(Vec::new()), "so many count as present");
    }

    #[test]
    fn a_list_that_comes_empty_twice_proves_only_what_was_missing_twice() {
        let missing = [missing(0..30, true), missing(30..60, false)].concat();
        let account = Reading { listed: 0, is_second: true, missing }.account();
        assert_eq!(account, Account::Settle { gone: ids(0..30), ask: Vec::new() });
    }
}
