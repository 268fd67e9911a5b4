//! Wonde's ids: `A` and up to ten digits, in no visible order.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Multiplication modulo a prime is one-to-one. So numbers in order of creation become ids that
/// look random, never repeat, and can be converted back without a table.
const MODULUS: u64 = 2_147_483_647;
const MULTIPLIER: u64 = 48_271;
const INVERSE: u64 = 1_899_818_559;

/// The id of a record, stored as its place in the order of creation. Lists that are sorted by it
/// are in that order and can be searched by halving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WondeId(u32);

impl fmt::Display for WondeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A{}", u64::from(self.0) * MULTIPLIER % MODULUS)
    }
}

impl Serialize for WondeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for WondeId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let number: u64 = text.strip_prefix('A').ok_or(NotAnId)?.parse().map_err(|_| NotAnId)?;
        if number == 0 || number >= MODULUS {
            return Err(NotAnId);
        }
        u32::try_from(number * INVERSE % MODULUS).map(Self).map_err(|_| NotAnId)
    }
}

/// The text is not an id of this simulator.
#[derive(Debug)]
pub(crate) struct NotAnId;

/// Hands out ids from one school's own range, so that schools do not affect each other's numbers.
#[derive(Debug)]
pub(crate) struct Ids {
    next: u32,
    end: u32,
}

impl Ids {
    /// The range of school number `index` of `schools`, moved a little by the seed.
    pub(crate) fn of_school(index: usize, schools: usize, seed: u64) -> Self {
        let offset =
            1 + u32::try_from(seed.wrapping_mul(7_919) % 100_000_000).expect("below 100 million");
        let schools = u32::try_from(schools.max(1)).expect("far fewer schools than numbers");
        let size = (2_000_000_000 / schools).min(16_000_000);
        let next =
            offset + size * u32::try_from(index).expect("an index below the number of schools");
        Self { next, end: next + size }
    }

    /// The next id.
    pub(crate) fn take(&mut self) -> WondeId {
        assert!(
            self.next < self.end,
            "a school has used up its range of ids: ask for fewer schools"
        );
        self.next += 1;
        WondeId(self.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_itself() {
        let mut ids = Ids::of_school(3, 11, 42);
        for _ in 0..1_000 {
            let id = ids.take();
            let text = id.to_string();
            assert!(text.starts_with('A') && text.len() <= 11, "{text}");
            assert_eq!(text.parse::<WondeId>().unwrap(), id);
        }
        for wrong in ["", "A", "A0", "B12", "A2147483647", "A-1", "12"] {
            assert!(wrong.parse::<WondeId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_of_schools_do_not_meet() {
        let first = Ids::of_school(0, 200, 9);
        let second = Ids::of_school(1, 200, 9);
        assert_eq!(first.end, second.next);
        let last = Ids::of_school(199, 200, u64::MAX);
        assert!(u64::from(last.end) < MODULUS);
    }
}
