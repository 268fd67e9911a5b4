//! Parameters of paths and queries, taken one by one; what is unknown or said twice is refused
//! rather than ignored, because a filter with a slip of the pen would answer too much.

use std::{collections::BTreeMap, fmt, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::{ApiError, text::has_control};

/// How many rows one page has when the caller does not say.
const DEFAULT_LIMIT: u16 = 50;
/// How many it has at most.
const MAX_LIMIT: u16 = 200;
/// How much of a bad value is told back.
const MAX_QUOTE: usize = 64;

/// The one variable segment of a path, or a tuple of several. What is no text names nothing that
/// exists.
pub(crate) struct PathId<T = String>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) =
            Path::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        Ok(Self(id))
    }
}

/// The parameters of a query that are not taken yet.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Parameters {
    pub(crate) fn parse(query: &str) -> Result<Self, ApiError> {
        let mut all = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if has_control(&name) || has_control(&value) {
                return Err(refusal(&name, &value, "a text without control characters"));
            }
            if let Some(first) = all.insert(name.clone(), value) {
                return Err(refusal(&name, &first, "this parameter once"));
            }
        }
        Ok(Self(all))
    }

    /// A parameter as its type; `wanted` says what it may be.
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

    /// A parameter that is a text, without the blanks around it, and not empty. None holds a control
    /// character.
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

    /// Takes fields that a browser's form sent empty for left out.
    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, value| !value.trim().is_empty());
    }

    /// `limit`: how many rows a page has.
    pub(crate) fn take_limit(&mut self) -> Result<Limit, ApiError> {
        let wanted = format!("a whole number from 1 to {MAX_LIMIT}");
        match self.take("limit", &wanted)? {
            None => Ok(Limit(DEFAULT_LIMIT)),
            Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(Limit(limit)),
            Some(limit) => Err(refusal("limit", &limit.to_string(), wanted)),
        }
    }

    /// Refuses whatever was not taken.
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

/// How many rows a page has, 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(u16);

impl Limit {
    /// What to ask the database for: one row more than a page, which says whether another
    /// page follows.
    pub(crate) fn with_one_more(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Cuts what [`Self::with_one_more`] fetched to a page. Where another one follows, the
    /// cursor is made of the last row.
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

    fn wrong(query: &str) -> String {
        let take_all = || {
            let mut parameters = Parameters::parse(query)?;
            parameters.take::<u8>("n", "a small number")?;
            parameters.take_limit()?;
            parameters.finish("`n` and `limit`")
        };
        take_all().unwrap_err().to_string()
    }

    #[test]
    fn a_refusal_names_parameter_found_and_wanted() {
        assert_eq!(wrong("n=x"), "The parameter `n` is `x`; wanted: a small number.");
        assert_eq!(wrong("m=1"), "The parameter `m` is `1`; wanted: only `n` and `limit`.");
        assert_eq!(wrong("n=1&n=2"), "The parameter `n` is `1`; wanted: this parameter once.");
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
