//! Parameters of paths and queries. An unknown or repeated parameter is refused, not ignored, because
//! a filter with a typing mistake would return too much. The API deserialises its queries
//! ([`Parameters::read`]). The dashboard has forms with check boxes, so it reads them one by one.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    str::FromStr,
};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use url::form_urlencoded;

use crate::{ApiError, body::known_fields, text::has_control};

/// The number of rows on a page, unless the caller chooses another.
const DEFAULT_LIMIT: u16 = 50;
/// The most rows on a page.
const MAX_LIMIT: u16 = 200;
/// Parameters that may come more than once; `a=1&a=2` means `a=1,2`.
const LISTS: [&str; 2] = ["kind", "state"];
/// How much of a bad value an answer repeats.
const MAX_QUOTE: usize = 64;

/// The variable segment of a path, or a tuple of several. A segment that is not valid text belongs to
/// nothing that exists.
pub(crate) struct PathId<T = String>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) =
            Path::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        Ok(Self(id))
    }
}

/// A query of the API. Each parameter can be left out.
pub(crate) trait Query: DeserializeOwned {
    /// The valid values of a parameter.
    fn wanted(parameter: &str) -> String;
}

/// The valid values of [`Limit`].
pub(crate) fn wanted_limit() -> String {
    format!("a whole number from 1 to {MAX_LIMIT}")
}

/// The valid values of a cursor.
pub(crate) const CURSOR: &str = "`next_cursor` of the page before";

/// The parameters of a query that have not been read yet.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Parameters {
    pub(crate) fn parse(query: &str) -> Result<Self, ApiError> {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if has_control(&name) || has_control(&value) {
                return Err(refusal(&name, &value, "a text without control characters"));
            }
            match all.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(mut list) if LISTS.contains(&list.key().as_str()) => {
                    list.get_mut().push(',');
                    list.get_mut().push_str(&value);
                }
                Entry::Occupied(twice) => {
                    return Err(refusal(twice.key(), twice.get(), "this parameter once"));
                }
            }
        }
        Ok(Self(all))
    }

    /// Deserialises all of them.
    pub(crate) fn read<T: Query>(self) -> Result<T, ApiError> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        let query = form_urlencoded::parse(query.as_bytes());
        let error =
            match serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(query)) {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
        let parameter = error.path().to_string();
        let found = self.0.get(&parameter).map(String::as_str).unwrap_or_default();
        let wanted = match known_fields(&error.inner().to_string()) {
            Some(known) => format!("only {known}"),
            None => T::wanted(&parameter),
        };
        Err(refusal(&parameter, found, wanted))
    }

    /// A parameter as its type; `wanted` describes the valid values.
    pub(crate) fn take<T: FromStr>(
        &mut self,
        name: &str,
        wanted: impl fmt::Display,
    ) -> Result<Option<T>, ApiError> {
        self.0
            .remove(name)
            .map(|found| found.parse().map_err(|_| refusal(name, &found, wanted)))
            .transpose()
    }

    /// A text parameter, trimmed and not empty. It contains no control characters.
    pub(crate) fn take_text(
        &mut self,
        name: &str,
        wanted: impl fmt::Display,
    ) -> Result<Option<String>, ApiError> {
        match self.0.remove(name) {
            Some(text) if text.trim().is_empty() => Err(refusal(name, &text, wanted)),
            text => Ok(text.map(|text| text.trim().to_owned())),
        }
    }

    /// The boxes of a form that are ticked, sent as `{prefix}{value}=on`.
    pub(crate) fn take_ticked<T: FromStr>(
        &mut self,
        prefix: &str,
        wanted: impl fmt::Display,
    ) -> Result<Vec<T>, ApiError> {
        let (ticked, others) = std::mem::take(&mut self.0)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, _)| name.starts_with(prefix));
        self.0 = others;
        let read = |(name, value): (String, String)| {
            let found = name[prefix.len()..].parse().ok().filter(|_| value == "on");
            found.ok_or_else(|| refusal(&name, &value, &wanted))
        };
        ticked.into_iter().map(read).collect()
    }

    /// Treats fields that a browser's form sent empty as left out.
    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, value| !value.trim().is_empty());
    }

    /// Refuses these parameters.
    pub(crate) fn refuse(&self, names: &[&str], wanted: &str) -> Result<(), ApiError> {
        match names.iter().find_map(|name| self.0.get_key_value(*name)) {
            None => Ok(()),
            Some((name, value)) => Err(refusal(name, value, wanted)),
        }
    }

    /// Refuses all parameters that were not read.
    pub(crate) fn finish(self, known: &str) -> Result<(), ApiError> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((name, value)) => Err(refusal(name, value, format!("only {known}"))),
        }
    }
}

fn refusal(parameter: &str, found: &str, wanted: impl fmt::Display) -> ApiError {
    let quote = |text: &str| text.chars().take(MAX_QUOTE).collect();
    ApiError::InvalidParameter {
        parameter: quote(parameter),
        found: quote(found),
        wanted: wanted.to_string(),
    }
}

/// One value, or several with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: FromStr> FromStr for Several<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(|one| one.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Several<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How many rows a page has, 50 if left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub(crate) struct Limit(u16);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl TryFrom<u16> for Limit {
    type Error = &'static str;

    fn try_from(limit: u16) -> Result<Self, &'static str> {
        if (1..=MAX_LIMIT).contains(&limit) { Ok(Self(limit)) } else { Err("out of bounds") }
    }
}

/// A text, trimmed and not empty. In a body `null` is left out, as everywhere.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let text = text.trim().to_owned();
    if text.is_empty() { Err(serde::de::Error::custom("empty")) } else { Ok(Some(text)) }
}

impl Limit {
    /// The rows to read from the database: one more than a page, which shows whether another page
    /// follows.
    pub(crate) fn with_one_more(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Cuts the rows of [`Self::with_one_more`] to one page. If another page follows, the cursor is
    /// made from the last row.
    pub(crate) fn page<T>(
        self,
        mut rows: Vec<T>,
        cursor: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let more = rows.len() > usize::from(self.0);
        rows.truncate(usize::from(self.0));
        let next = rows.last().filter(|_| more).map(cursor);
        (rows, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        n: Option<u8>,
        limit: Option<Limit>,
        #[serde(default, deserialize_with = "text")]
        name: Option<String>,
    }

    impl Query for Small {
        fn wanted(parameter: &str) -> String {
            if parameter == "limit" { wanted_limit() } else { format!("a small {parameter}") }
        }
    }

    fn read(query: &str) -> Result<Small, String> {
        Parameters::parse(query).and_then(Parameters::read).map_err(|error| error.to_string())
    }

    fn wrong(query: &str) -> String {
        read(query).unwrap_err()
    }

    #[test]
    fn a_query_is_deserialised() {
        let Small { n, limit, name } = read("n=7&name=+Zo%C3%AB%20%26+Co+&limit=9").unwrap();
        assert_eq!((n, limit, name.as_deref()), (Some(7), Some(Limit(9)), Some("Zoë & Co")));
        let Small { n, limit, name } = read("").unwrap();
        assert_eq!((n, limit, name), (None, None, None));
    }

    #[test]
    fn a_refusal_names_parameter_found_and_wanted() {
        assert_eq!(wrong("n=x"), "The parameter `n` is `x`; wanted: a small n.");
        assert_eq!(wrong("m=1"), "The parameter `m` is `1`; wanted: only `n`, `limit` and `name`.");
        assert_eq!(wrong("n=1&n=2"), "The parameter `n` is `1`; wanted: this parameter once.");
        assert_eq!(wrong("state=a&state=b"), wrong("state=a,b"), "a list");
        assert_eq!(wrong("name=+"), "The parameter `name` is ` `; wanted: a small name.");
        for limit in ["0", "201", "-1", "1e9", ""] {
            let text = wrong(&format!("limit={limit}"));
            assert!(text.contains(&format!("`{limit}`; wanted: a whole number from 1 to 200")));
        }
        assert!(wrong(&format!("n={}", "x".repeat(900))).len() < 200);
    }

    #[test]
    fn a_page_has_a_cursor_only_when_another_follows() {
        let limit = Limit(2);
        assert_eq!(limit.page(vec![1, 2], i32::to_string), (vec![1, 2], None));
        assert_eq!(limit.page(vec![1, 2, 3], i32::to_string), (vec![1, 2], Some("2".to_owned())));
        assert_eq!(limit.page(vec![], i32::to_string), (vec![], None));
    }
}
