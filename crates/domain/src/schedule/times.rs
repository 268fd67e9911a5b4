use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

const MINUTES_PER_DAY: u16 = 24 * 60;

/// Consecutive days, including both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// A part of each day. It passes midnight if `until` is earlier than `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HourRange {
    pub from: TimeOfDay,
    /// The first moment after it.
    pub until: TimeOfDay,
}

/// A time of day to the minute, as `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

/// The text is not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day has the form `HH:MM`, from 00:00 to 23:59")]
pub struct InvalidTimeOfDay;

impl HourRange {
    pub(super) fn covers(self, time: NaiveTime) -> bool {
        let (from, until): (NaiveTime, NaiveTime) = (self.from.into(), self.until.into());
        if from <= until { (from..until).contains(&time) } else { time >= from || time < until }
    }
}

impl TimeOfDay {
    pub(super) const fn of_hour(hour: u16) -> Self {
        Self(hour * 60)
    }

    /// Every minute of a day.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..MINUTES_PER_DAY).map(Self)
    }

    /// Minutes until `other`, on the next day if that is not later; 1 to 1440.
    pub(super) fn minutes_until(self, other: Self) -> u16 {
        (other.0 + MINUTES_PER_DAY - self.0 - 1) % MINUTES_PER_DAY + 1
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| {
            let is_number = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| is_number).ok_or(InvalidTimeOfDay)
        };
        let (hour, minute) = text.split_once(':').ok_or(InvalidTimeOfDay)?;
        match (number(hour)?, number(minute)?) {
            (hour @ 0..24, minute @ 0..60) => Ok(Self(hour * 60 + minute)),
            _ => Err(InvalidTimeOfDay),
        }
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = InvalidTimeOfDay;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}

impl From<TimeOfDay> for NaiveTime {
    fn from(time: TimeOfDay) -> Self {
        let (hour, minute) = (u32::from(time.0 / 60), u32::from(time.0 % 60));
        Self::from_hms_opt(hour, minute, 0).expect("a time of day is below 24 hours")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_two_digits_and_two() {
        for good in ["00:00", "01:05", "23:59"] {
            let time: TimeOfDay = good.parse().unwrap();
            assert_eq!(String::from(time), good);
        }
        for bad in ["", "1:00", "24:00", "12:60", "12", "12:00:00", "+1:00", "aa:bb", "12:0é"] {
            assert_eq!(bad.parse::<TimeOfDay>(), Err(InvalidTimeOfDay), "{bad}");
        }
    }
}
