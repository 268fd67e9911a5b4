//! The format in which a caller wants a list.

use axum::http::{HeaderMap, header::ACCEPT};

use crate::ApiError;

/// What a list can be answered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A page. It is the default.
    Json,
    /// The whole list.
    Csv,
}

/// How much a caller wants a format: from the most exact range of `Accept` that contains it.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Wish {
    quality: f32,
    /// 0: by `*/*`; 1: by `type/*`; 2: by its name.
    exactness: u8,
}

impl Format {
    /// The format that the request's `Accept` asks for (RFC 9110, section 12.5.1). Of equally
    /// wanted formats the named one wins, then JSON.
    pub(crate) fn of(request: &HeaderMap) -> Result<Self, ApiError> {
        let accept: Vec<&str> =
            request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if accept.iter().all(|value| value.trim().is_empty()) {
            return Ok(Self::Json);
        }
        let accept = accept.join(",");
        let json = wish(&accept, "application", "json");
        let csv = wish(&accept, "text", "csv");
        match (json, csv) {
            (None, None) => Err(ApiError::NotAcceptable),
            _ if csv > json => Ok(Self::Csv),
            _ => Ok(Self::Json),
        }
    }
}

/// `None` if it is not wanted at all.
fn wish(accept: &str, kind: &str, subtype: &str) -> Option<Wish> {
    accept
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?.to_ascii_lowercase();
            let exactness = match name.split_once('/')? {
                ("*", "*") => 0,
                (found, "*") if found == kind => 1,
                found if found == (kind, subtype) => 2,
                _ => return None,
            };
            Some(Wish { quality: quality(parts)?, exactness })
        })
        .max_by_key(|wish| wish.exactness)
        .filter(|wish| wish.quality > 0.0)
}

/// The weight among a range's parameters, 1 if there is none; `None` if it cannot be read.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> Option<f32> {
    let weight = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    weight.map_or(Some(1.0), |text| text.parse().ok().filter(|q| (0.0..=1.0).contains(q)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Option<Format> {
        let values =
            values.iter().map(|value| (ACCEPT, axum::http::HeaderValue::from_static(value)));
        Format::of(&values.collect()).ok()
    }

    #[test]
    fn json_unless_csv_is_wanted_more() {
        assert_eq!(of(&[]), Some(Format::Json));
        for json in [
            "",
            "*/*",
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/*",
            "application/json, text/plain, */*",
            "application/json, text/csv",
            "text/csv;q=0.5, application/json;q=0.6",
            "text/csv;q=0, */*",
            "text/*;q=0.9, */*",
        ] {
            assert_eq!(of(&[json]), Some(Format::Json), "{json}");
        }
        for csv in [
            "text/csv",
            "TEXT/CSV; header=present",
            "text/*",
            "text/csv, */*",
            "text/csv, */*;q=0.1",
            "application/json;q=0.5, text/csv",
            "application/json;q=0, */*",
            "application/json;Q=0.2, text/csv; q=0.9",
        ] {
            assert_eq!(of(&[csv]), Some(Format::Csv), "{csv}");
        }
        assert_eq!(of(&["application/json;q=0.1", "text/csv"]), Some(Format::Csv));
    }

    #[test]
    fn neither_is_refused() {
        for neither in ["text/html", "application/pdf, image/*", "*/*;q=0", "text/csv;q=x", "csv"] {
            assert_eq!(of(&[neither]), None, "{neither}");
        }
    }
}
