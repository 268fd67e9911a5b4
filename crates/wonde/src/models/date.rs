use std::str::FromStr as _;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::shape::{Leaf, Shape};

/// A date or moment in any of Wonde's forms, or an unreadable one.
///
/// Accepted are the object `{"date", "timezone_type", "timezone"}` and plain texts: `2023-05-25`,
/// `2023-05-25 09:09:31.000000`, `2023-05-25T09:09:31Z`, `2023-05-25T09:09:31+01:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WondeDate {
    civil: Option<NaiveDate>,
    instant: Option<DateTime<Utc>>,
}

impl WondeDate {
    /// The date as it is written, in whatever zone that was. Use it for start and end dates, which
    /// Wonde writes as local midnight.
    pub fn civil(&self) -> Option<NaiveDate> {
        self.civil
    }

    /// The moment, only if the value names its zone or offset.
    pub fn instant(&self) -> Option<DateTime<Utc>> {
        self.instant
    }

    /// There is a value, but it is not a date. This is not the same as no date: a person with an
    /// unreadable end date may have left.
    pub fn is_unreadable(&self) -> bool {
        self.civil.is_none()
    }

    const UNREADABLE: Self = Self { civil: None, instant: None };

    /// `zone` is used if the text has no offset of its own.
    fn parse(text: &str, zone: Option<&str>) -> Self {
        let text = text.trim();
        let Some((day, rest)) = text.split_at_checked(10) else {
            return Self::UNREADABLE;
        };
        // PHP writes MySQL's empty date as the year -1, which chrono would accept.
        let signed = day.starts_with(['-', '+']);
        let Some(civil) = NaiveDate::from_str(day).ok().filter(|_| !signed) else {
            return Self::UNREADABLE;
        };
        Self { civil: Some(civil), instant: instant(civil, rest, zone) }
    }
}

/// `rest` is what follows the day: nothing, a time, or a time with an offset.
fn instant(civil: NaiveDate, rest: &str, zone: Option<&str>) -> Option<DateTime<Utc>> {
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let (time, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let time = match time.trim_end() {
        "" => NaiveTime::MIN,
        time => NaiveTime::from_str(time).ok()?,
    };
    let local = civil.and_time(time);
    let zone = if offset.is_empty() { zone? } else { offset };
    in_zone(local, zone)
}

fn in_zone(local: NaiveDateTime, zone: &str) -> Option<DateTime<Utc>> {
    if matches!(zone, "UTC" | "Z" | "z") {
        return Some(local.and_utc());
    }
    if let Ok(zone) = zone.parse::<Tz>() {
        return Some(zone.from_local_datetime(&local).earliest()?.to_utc());
    }
    let offset = zone.parse::<FixedOffset>().ok()?;
    Some(offset.from_local_datetime(&local).single()?.to_utc())
}

#[derive(Deserialize)]
struct DateObject {
    #[serde(default)]
    date: Leaf,
    #[serde(default)]
    timezone: Leaf,
}

/// A date that may be absent: null, missing, blank, or an object without a date.
pub(crate) fn date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<WondeDate>, D::Error> {
    let (date, zone) = match Shape::<IgnoredAny, DateObject>::deserialize(deserializer)? {
        Shape::Object(object) => (object.date, object.timezone),
        Shape::Missing | Shape::Null => return Ok(None),
        Shape::Text(text) => (Shape::Text(text), Shape::Missing),
        // PHP's empty object.
        Shape::List(items) if items.is_empty() => return Ok(None),
        Shape::Bool(_) | Shape::Number(_) | Shape::List(_) => {
            return Ok(Some(WondeDate::UNREADABLE));
        }
    };
    let zone = match &zone {
        Shape::Text(zone) => Some(zone.trim()),
        _ => None,
    };
    Ok(match date {
        Shape::Missing | Shape::Null => None,
        Shape::Text(text) if text.trim().is_empty() => None,
        Shape::Text(text) => Some(WondeDate::parse(&text, zone)),
        _ => Some(WondeDate::UNREADABLE),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<WondeDate> {
        date(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn every_form_gives_its_day_and_moment() {
        let object = |date: &str, zone: &str| {
            format!(r#"{{"date":"{date}","timezone_type":3,"timezone":"{zone}"}}"#)
        };
        let cases = [
            (object("2023-05-25 09:09:31.000000", "UTC"), Some("2023-05-25T09:09:31Z")),
            (object("2023-05-25 09:09:31", "UTC"), Some("2023-05-25T09:09:31Z")),
            (object("2023-05-25 00:00:00.000000", "Europe/London"), Some("2023-05-24T23:00:00Z")),
            (object("2023-05-25 00:00:00", "+10:00"), Some("2023-05-24T14:00:00Z")),
            (object("2023-05-25", "Europe/London"), Some("2023-05-24T23:00:00Z")),
            (object("2023-05-25 09:00:00", "Middle/Earth"), None),
            (r#"{"date":"2023-05-25 09:00:00"}"#.to_owned(), None),
            (r#""2023-05-25""#.to_owned(), None),
            (r#""2023-05-25 09:09:31""#.to_owned(), None),
            (r#"" 2023-05-25T09:09:31Z ""#.to_owned(), Some("2023-05-25T09:09:31Z")),
            (r#""2023-05-25T09:09:31.250Z""#.to_owned(), Some("2023-05-25T09:09:31.250Z")),
            (r#""2023-05-25T09:09Z""#.to_owned(), Some("2023-05-25T09:09:00Z")),
            (r#""2023-05-25 noon Z""#.to_owned(), None),
            (r#""2023-05-25T09:09:31+01:00""#.to_owned(), Some("2023-05-25T08:09:31Z")),
            (r#""2023-05-25T09:09:31-0500""#.to_owned(), Some("2023-05-25T14:09:31Z")),
        ];
        for (json, moment) in cases {
            let read = read(&json).unwrap();
            assert_eq!(read.civil(), NaiveDate::from_ymd_opt(2023, 5, 25), "{json}");
            let moment = moment.map(|text| text.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(read.instant(), moment, "{json}");
        }
    }

    #[test]
    fn a_doubled_hour_has_a_moment_and_a_skipped_one_has_none() {
        let london = |text: &str| WondeDate::parse(text, Some("Europe/London"));
        let doubled: DateTime<Utc> = "2023-10-29T00:30:00Z".parse().unwrap();
        assert_eq!(london("2023-10-29 01:30:00").instant(), Some(doubled));
        let skipped = london("2023-03-26 01:30:00");
        assert_eq!(skipped.instant(), None);
        assert_eq!(skipped.civil(), NaiveDate::from_ymd_opt(2023, 3, 26));
    }

    #[test]
    fn absence_is_not_garbage() {
        for json in ["null", r#""""#, r#"{"date":null,"timezone":"UTC"}"#, "{}", "[]"] {
            assert_eq!(read(json), None, "{json}");
        }
        let garbage = [
            r#""soon""#,
            r#""25/05/2023""#,
            r#""0000-00-00 00:00:00""#,
            r#""2023-02-30""#,
            r#""2023/05/25""#,
            r#""+023-05-25""#,
            r#""2023-05-2é""#,
            r#"{"date":"-0001-11-30 00:00:00.000000","timezone":"UTC"}"#,
            r#"{"date":7}"#,
            r#"{"date":{"date":"2023-05-25"}}"#,
            "20230525",
            "true",
            "[1]",
        ];
        for json in garbage {
            assert!(read(json).unwrap().is_unreadable(), "{json}");
        }
    }
}
