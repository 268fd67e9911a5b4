//! Answers that a caller keeps and revalidates (RFC 9110, section 13.1.2).

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};

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
}
