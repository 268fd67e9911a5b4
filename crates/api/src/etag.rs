//! Answers that a caller keeps and revalidates, or changes only as they are (RFC 9110, section 13.1).

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, ETAG, IF_MATCH, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use mis_sync_domain::School;
use mis_sync_store::schools::OnlyIf;

/// Keep it, but revalidate each time.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// The state of an answer: a tag that changes whenever the answer does.
pub(crate) struct Etag(String);

impl Etag {
    /// The tag of an answer with this hash, in hexadecimal digits.
    pub(crate) fn of_hash(hash: &str) -> Self {
        Self(format!("\"{hash}\""))
    }

    /// Whether the caller has exactly this answer.
    pub(crate) fn is_known_to(&self, request: &HeaderMap) -> bool {
        request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.0)
    }

    /// The answer for a caller who has it.
    pub(crate) fn not_modified(&self) -> Response {
        self.mark(StatusCode::NOT_MODIFIED)
    }

    /// The answer with its tag.
    pub(crate) fn mark(&self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        let tag = HeaderValue::from_str(&self.0).expect("hexadecimal digits are ASCII");
        response.headers_mut().insert(ETAG, tag);
        response.headers_mut().insert(CACHE_CONTROL, REVALIDATE);
        response
    }
}

/// The tag of a school, which changes with its connection and its settings. It stays when a sync ends,
/// so that a change to the settings does not fail because of one.
pub(crate) fn of_school(school: &School) -> HeaderValue {
    let tag = format!("\"{:x}\"", school.version());
    HeaderValue::from_str(&tag).expect("hexadecimal digits are ASCII")
}

/// How a school has to be for a request to change it.
pub(crate) fn only_if(request: &HeaderMap) -> OnlyIf {
    let mut tags = request.get_all(IF_MATCH).iter().peekable();
    if tags.peek().is_none() {
        return OnlyIf::Always;
    }
    let tags: Vec<&str> = tags
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    if tags.contains(&"*") {
        return OnlyIf::Exists;
    }
    // A weak tag never matches here, and neither does one of another resource.
    let version = |tag: &&str| {
        let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
        i64::from_str_radix(digits, 16).ok()
    };
    OnlyIf::IsOneOf(tags.iter().filter_map(version).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        let etag = Etag::of_hash("0a");
        let knows = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            etag.is_known_to(&HeaderMap::from_iter([(IF_NONE_MATCH, value)]))
        };
        for good in ["\"0a\"", "\"x\", \"0a\"", "W/\"0a\"", "*"] {
            assert!(knows(good), "{good}");
        }
        for bad in ["\"x\"", "0a", "\"0a", ""] {
            assert!(!knows(bad), "{bad}");
        }
        assert!(!etag.is_known_to(&HeaderMap::new()));
    }

    #[test]
    fn a_change_is_for_any_of_the_named_versions() {
        let of = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            only_if(&HeaderMap::from_iter([(IF_MATCH, value)]))
        };
        assert_eq!(only_if(&HeaderMap::new()), OnlyIf::Always);
        assert_eq!(of("*"), OnlyIf::Exists);
        assert_eq!(of("\"1f\", \"20\""), OnlyIf::IsOneOf(vec![31, 32]));
        for never in ["W/\"1f\"", "1f", "\"x\"", ""] {
            assert_eq!(of(never), OnlyIf::IsOneOf(Vec::new()), "{never}");
        }
    }
}
