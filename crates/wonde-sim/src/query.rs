//! The query of a request. If a parameter is repeated, the last value counts, as in PHP.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use url::form_urlencoded;

use crate::refusal::Refusal;

/// The decoded parameters in their order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// The value of a parameter, if it was sent and is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The values of a parameter that takes several, separated by commas.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name)
            .into_iter()
            .flat_map(|all| all.split(','))
            .map(str::trim)
            .filter(|one| !one.is_empty())
    }

    /// The same query with one parameter set to a new value, at its end.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(key, _)| key != name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(name, value)
            .finish()
    }

    /// A switch: `1`, `true` in any case; `0`, `false`.
    pub(crate) fn flag(&self, name: &str) -> Option<Flag<'_>> {
        let value = self.get(name)?;
        Some(match value.to_ascii_lowercase().as_str() {
            "1" | "true" => Flag::Yes,
            "0" | "false" => Flag::No,
            _ => Flag::Other(value),
        })
    }

    /// A moment in one of the four forms that real clients send. A bare date is its midnight. All
    /// are UTC.
    pub(crate) fn moment(&self, name: &'static str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let moment = DateTime::parse_from_rfc3339(text)
            .map(|moment| moment.to_utc())
            .or_else(|_| {
                NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
                    .map(|moment| moment.and_utc())
            })
            .or_else(|_| {
                NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .map(|date| date.and_time(NaiveTime::MIN).and_utc())
            });
        moment.map(Some).map_err(|_| Refusal::invalid(name, "is not a valid date"))
    }

    /// A civil date. If a time of day is sent, it is ignored.
    pub(crate) fn date(&self, name: &'static str) -> Result<Option<NaiveDate>, Refusal> {
        Ok(self.moment(name)?.map(|moment| moment.date_naive()))
    }
}

/// The value of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag<'a> {
    Yes,
    No,
    /// Something else, such as the code of a role.
    Other(&'a str),
}

impl Flag<'_> {
    /// Whether a record passes: `has` says that it has any, `of` that it has this one.
    pub(crate) fn passes(self, has: bool, of: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Yes => has,
            Self::No => !has,
            Self::Other(value) => of(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_forms_of_a_moment_are_read() {
        let read = |text: &str| {
            Query(vec![("t".into(), text.into())])
                .moment("t")
                .map(|moment| moment.unwrap().to_rfc3339())
        };
        for text in [
            "2026-03-01 10:20:30",
            "2026-03-01T10:20:30Z",
            "2026-03-01T10:20:30.000Z",
            "2026-03-01T12:20:30+02:00",
        ] {
            assert_eq!(read(text).unwrap(), "2026-03-01T10:20:30+00:00", "{text}");
        }
        assert_eq!(read("2026-03-01").unwrap(), "2026-03-01T00:00:00+00:00");
        assert!(read("yesterday").is_err());
    }

    #[test]
    fn a_query_is_decoded_and_kept() {
        let query = Query::parse(
            "include=roles%2Cphoto&updated_after=2026-01-01+00%3A00%3A00&page=1&page=2",
        );
        assert_eq!(query.get("include"), Some("roles,photo"));
        assert_eq!(query.get("page"), Some("2"));
        assert_eq!(query.list("include").collect::<Vec<_>>(), ["roles", "photo"]);
        assert_eq!(Query::parse("include=,%20a,").list("include").collect::<Vec<_>>(), ["a"]);
        assert_eq!(query.list("fields").count(), 0);
        assert_eq!(
            query.with("page", "3"),
            "include=roles%2Cphoto&updated_after=2026-01-01+00%3A00%3A00&page=3"
        );
        assert_eq!(Query::parse("has_role=TRUE").flag("has_role"), Some(Flag::Yes));
        assert_eq!(Query::parse("has_role=TCHR").flag("has_role"), Some(Flag::Other("TCHR")));
        assert_eq!(Query::parse("has_role=").flag("has_role"), None);
    }
}
