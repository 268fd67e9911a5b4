//! Dates as PHP objects: `{"date":"2023-05-25 09:09:31.000000","timezone_type":3,"timezone":"UTC"}`.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use serde::{Serialize, Serializer};

/// A moment or civil date on the wire.
#[derive(Debug, Serialize)]
pub(crate) struct DateObject {
    date: Stamp,
    timezone_type: u8,
    timezone: &'static str,
}

impl DateObject {
    /// A moment in UTC.
    pub(crate) fn moment(moment: DateTime<Utc>) -> Self {
        let seconds = moment.num_seconds_from_midnight();
        Self { date: Stamp::new(moment.date_naive(), seconds), timezone_type: 3, timezone: "UTC" }
    }

    /// A civil date: midnight in the schools' zone.
    pub(crate) fn civil(date: NaiveDate) -> Self {
        Self { date: Stamp::new(date, 0), timezone_type: 3, timezone: "Europe/London" }
    }
}

/// `YYYY-MM-DD HH:MM:SS.000000`. It is written digit by digit, because a page has thousands of them
/// and the general formatter would take most of its time.
#[derive(Debug)]
struct Stamp([u8; 26]);

impl Stamp {
    fn new(date: NaiveDate, seconds: u32) -> Self {
        let mut text = *b"0000-00-00 00:00:00.000000";
        let year = date.year().unsigned_abs() % 10_000;
        put_two(&mut text, 0, year / 100);
        put_two(&mut text, 2, year % 100);
        put_two(&mut text, 5, date.month());
        put_two(&mut text, 8, date.day());
        put_two(&mut text, 11, seconds / 3_600);
        put_two(&mut text, 14, seconds / 60 % 60);
        put_two(&mut text, 17, seconds % 60);
        Self(text)
    }
}

fn put_two(text: &mut [u8; 26], at: usize, number: u32) {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).expect("one digit");
    text[at] = digit(number / 10);
    text[at + 1] = digit(number);
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.0).expect("only digits and signs"))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn dates_look_as_captured() {
        let moment = Utc.with_ymd_and_hms(2023, 5, 25, 9, 9, 31).unwrap();
        assert_eq!(
            serde_json::to_string(&DateObject::moment(moment)).unwrap(),
            r#"{"date":"2023-05-25 09:09:31.000000","timezone_type":3,"timezone":"UTC"}"#
        );
        let day = NaiveDate::from_ymd_opt(1998, 12, 31).unwrap();
        assert_eq!(
            serde_json::to_string(&DateObject::civil(day)).unwrap(),
            r#"{"date":"1998-12-31 00:00:00.000000","timezone_type":3,"timezone":"Europe/London"}"#
        );
    }
}
