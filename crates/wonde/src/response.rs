//! How to read answers: bodies within limits, and the meaning of refusals.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::bom::without_marks;
use crate::error::Error;
use crate::includes::{named, names_includes};
use crate::retry::retry_after;

/// How much of a refusal is read to find what it names.
const REFUSAL_BYTES: usize = 16 * 1024;

/// What was requested, as far as it decides the meaning of a refusal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// One record and not a list. Only then does a 404 that names its subject mean that there is
    /// none.
    pub(crate) one_record: bool,
    /// The value of `include`.
    pub(crate) include: &'a str,
}

/// The meaning of an answer other than 200.
pub(crate) async fn refusal(response: Response, asked: Asked<'_>) -> Error {
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    // A body that breaks off, or is longer than any refusal of Wonde's, says nothing.
    let body = read_body(response, REFUSAL_BYTES).await.unwrap_or_default();
    let words = if is_html { Words::Foreign } else { Words::read(&body) };
    meaning(status, &words, retry_after, asked)
}

/// The body of a refusal.
enum Words {
    /// JSON as Wonde writes it.
    Own(Map<String, Value>),
    /// Text that may still be Wonde's.
    Plain(String),
    /// HTML, nothing, or other JSON: a gateway's.
    Foreign,
}

impl Words {
    /// Wonde's refusals are objects with `error`. An empty object could come from anywhere. It
    /// counts as Wonde's if that does no harm, see [`Asked::one_record`].
    fn read(body: &[u8]) -> Self {
        let clean = without_marks(body);
        let body = clean.as_deref().unwrap_or(body);
        match serde_json::from_slice(body) {
            Ok(Value::Object(said)) => {
                let is_own =
                    said.is_empty() || ["error", "errors"].iter().any(|key| has(&said, key));
                if is_own { Self::Own(said) } else { Self::Plain(all_text(&Value::Object(said))) }
            }
            Ok(other) => Self::Plain(all_text(&other)),
            Err(_) => match std::str::from_utf8(body).map(str::trim) {
                Ok(text) if !text.is_empty() && !text.starts_with('<') => {
                    Self::Plain(text.to_owned())
                }
                _ => Self::Foreign,
            },
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Own(said) => all_text(&Value::Object(said.clone())),
            Self::Plain(text) => text.clone(),
            Self::Foreign => String::new(),
        }
    }

    /// Whether the answer names its error.
    fn is_named(&self) -> bool {
        matches!(self, Self::Own(said) if !said.is_empty())
    }

    fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }
}

/// Whether `key` has a text or, as validators write it, a list or an object of texts.
fn has(said: &Map<String, Value>, key: &str) -> bool {
    match said.get(key) {
        Some(Value::String(text)) => !text.is_empty(),
        // A gateway's `{"error":{"code":404,…}}` does not come from Wonde.
        Some(Value::Object(_) | Value::Array(_)) => key == "errors",
        _ => false,
    }
}

/// Every text of a value, including keys, one in each line.
fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(all_text).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => {
            let lines = fields.iter().map(|(key, value)| format!("{key}\n{}", all_text(value)));
            lines.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// The error for a status and a body. [`SchoolClient`](crate::SchoolClient) says which errors are
/// tried again.
fn meaning(status: u16, words: &Words, retry_after: Option<Duration>, asked: Asked<'_>) -> Error {
    match status {
        408 | 425 | 500..600 => Error::Server { status, retry_after },
        429 => Error::RateLimited { retry_after },
        401 => Error::Unauthorized,
        400 | 403 | 404 | 422 if refuses_include(status, words) => {
            Error::InvalidInclude { named: named(asked.include, &words.text()) }
        }
        403 if words.is_own() => Error::Forbidden { scope: scope_named(&words.text()) },
        404 | 410 if words.is_named() || words.is_own() && !asked.one_record => Error::NotFound,
        400 | 422 if !matches!(words, Words::Foreign) => Error::Other { status },
        // Redirects, which are never followed, other successes, and every refusal that Wonde has no
        // reason to give to a plain GET.
        _ => Error::Gateway { status },
    }
}

/// Wonde documents 400 `invalid_include`, but the text alone and other spellings occur too.
fn refuses_include(status: u16, words: &Words) -> bool {
    match (status, words) {
        (400 | 422, words) => names_includes(&words.text()),
        (_, Words::Own(said)) => {
            said.get("error").and_then(Value::as_str).is_some_and(names_includes)
        }
        _ => false,
    }
}

/// The first text in a refusal that looks like a scope (`employees.read`), otherwise the code
/// `invalid_permissions`. Nothing else of the body is returned.
fn scope_named(body: &str) -> Option<String> {
    let words = || {
        body.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .map(|word| word.trim_end_matches('.'))
    };
    let scope = words().find(|word| is_scope(word));
    let scope = scope.or_else(|| words().find(|word| *word == "invalid_permissions"))?;
    Some(scope.to_owned())
}

fn is_scope(word: &str) -> bool {
    let parts = word.rsplit_once('.');
    word.len() <= 64
        && parts.is_some_and(|(of, right)| !of.is_empty() && matches!(right, "read" | "write"))
}

/// The body up to `limit` bytes after decompression. It is refused as soon as it is longer.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(Error::BodyTooLarge { limit });
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        if body.len() + chunk.len() > limit {
            return Err(Error::BodyTooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Asked<'static> =
        Asked { one_record: false, include: "contact_details,roles,hierarchy" };
    const RECORD: Asked<'static> = Asked { one_record: true, ..LIST };
    const HTML: &str = "<html><body>Just a moment</body></html>";

    /// A short name for the meaning of an answer.
    fn of(status: u16, content_type: &str, body: &str, asked: Asked<'_>) -> String {
        let words = if content_type.contains("html") {
            Words::Foreign
        } else {
            Words::read(body.as_bytes())
        };
        match meaning(status, &words, None, asked) {
            Error::Unauthorized => "unauthorized".to_owned(),
            Error::Forbidden { scope } => format!("forbidden {}", scope.unwrap_or_default()),
            Error::NotFound => "not found".to_owned(),
            Error::InvalidInclude { named } => format!("include {}", named.join(",")),
            Error::Gateway { status: told } if told == status => "gateway".to_owned(),
            Error::Server { .. } => "server".to_owned(),
            Error::RateLimited { .. } => "limited".to_owned(),
            Error::Other { status: told } if told == status => "other".to_owned(),
            error => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_status_and_a_body_have_one_meaning() {
        let json = "application/json";
        let missing = r#"{"error":"resource_not_found","error_description":"Resource not found"}"#;
        let scope = r#"{"error":"invalid_permissions","error_description":"Scope attendance.read not enabled"}"#;
        let cases = [
            (401, json, r#"{"error":"unauthorized"}"#, "unauthorized"),
            (401, "text/html", HTML, "unauthorized"),
            (403, json, scope, "forbidden attendance.read"),
            (
                403,
                json,
                "\u{feff}{\"error\":\"invalid_permissions\"}",
                "forbidden invalid_permissions",
            ),
            (403, "", r#"{"error":"invalid_permissions"}"#, "forbidden invalid_permissions"),
            (403, json, "{}", "forbidden "),
            (403, "text/html", HTML, "gateway"),
            (403, "text/html; charset=UTF-8", "{}", "gateway"),
            (403, json, HTML, "gateway"),
            (403, "text/plain", "error code: 1020", "gateway"),
            (403, json, r#"{"message":"Forbidden"}"#, "gateway"),
            (403, json, "", "gateway"),
            (404, json, missing, "not found"),
            (404, json, r#"{"error":"not found"}"#, "not found"),
            (404, "text/html", HTML, "gateway"),
            (404, "text/plain", "404 page not found", "gateway"),
            (404, "text/plain", "default backend - 404", "gateway"),
            (404, json, "", "gateway"),
            (404, json, r#"{"message":"no Route matched with those values"}"#, "gateway"),
            (404, json, r#"{"error":{"code":404,"status":"NOT_FOUND"}}"#, "gateway"),
            (404, json, "[]", "gateway"),
            (410, json, missing, "not found"),
            (410, "text/html", HTML, "gateway"),
            (
                400,
                json,
                r#"{"error":"invalid_include","error_description":"roles"}"#,
                "include roles",
            ),
            (400, json, r#"{"error":"invalid_request"}"#, "other"),
            (400, "text/html", HTML, "gateway"),
            (422, json, r#"{"errors":{"updated_after":["is no date"]}}"#, "other"),
            (422, "text/html", HTML, "gateway"),
            (408, json, "", "server"),
            (425, json, "", "server"),
            (429, "text/html", HTML, "limited"),
            (500, json, r#"{"error":"server"}"#, "server"),
            (520, "text/html", HTML, "server"),
            (530, "text/html", HTML, "server"),
        ];
        for (status, content_type, body, meaning) in cases {
            assert_eq!(of(status, content_type, body, LIST), meaning, "{status} {body}");
        }
    }

    #[test]
    fn what_a_get_never_meets_at_wonde_is_a_gateways() {
        let refusals = [402, 405, 406, 407, 409, 411, 412, 413, 414, 415, 416, 417, 418, 421, 423];
        let others =
            [202, 203, 204, 206, 300, 301, 302, 303, 307, 308, 424, 426, 431, 451, 499, 999];
        for status in refusals.into_iter().chain(others) {
            for body in ["", HTML, "{}", r#"{"error":"conflict"}"#] {
                assert_eq!(
                    of(status, "application/json", body, RECORD),
                    "gateway",
                    "{status} {body}"
                );
            }
        }
    }

    #[test]
    fn one_record_is_gone_only_where_the_answer_says_so() {
        let json = "application/json";
        assert_eq!(of(404, json, "{}", LIST), "not found");
        assert_eq!(of(404, json, "{}", RECORD), "gateway");
        assert_eq!(of(404, json, r#"{"error":"resource_not_found"}"#, RECORD), "not found");
        assert_eq!(of(404, "text/html", r#"{"error":"resource_not_found"}"#, RECORD), "gateway");
    }

    #[test]
    fn a_refused_include_is_told_in_many_ways() {
        let json = "application/json";
        let said = |description: &str| {
            format!(r#"{{"error":"invalid_include","error_description":"{description}"}}"#)
        };
        for (status, body, named) in [
            (400, said("hierarchy"), "hierarchy"),
            (400, said("registration_group"), ""),
            (400, said("roles,hierarchy"), "roles,hierarchy"),
            (400, said("hierarchy.employment_details"), "hierarchy"),
            (400, said("contactDetails"), "contact_details"),
            (400, said("The include `contact-details` is not available"), "contact_details"),
            (400, r#"{"error":"invalid_include"}"#.to_owned(), ""),
            (400, r#"{"error":"Invalid includes","error_description":null}"#.to_owned(), ""),
            (400, r#"{"message":"Invalid includes"}"#.to_owned(), ""),
            (400, r#""Invalid includes""#.to_owned(), ""),
            (400, "Invalid includes".to_owned(), ""),
            (400, "Invalid includes: roles".to_owned(), "roles"),
            (422, r#"{"errors":{"include":["roles is invalid"]}}"#.to_owned(), "roles"),
            (404, said("roles"), "roles"),
        ] {
            assert_eq!(of(status, json, &body, LIST), format!("include {named}"), "{body}");
        }
        assert_eq!(of(400, "text/html", "<p>Invalid includes</p>", LIST), "gateway");
        assert_eq!(of(403, "text/plain", "Invalid includes", LIST), "gateway");
    }

    #[test]
    fn a_refusal_names_its_scope() {
        let cases = [
            ("invalid_permissions\nMissing employees.read.", Some("employees.read")),
            ("invalid_permissions", Some("invalid_permissions")),
            ("Access denied", None),
            ("ada@school.example .read", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(scope_named(body).as_deref(), expected, "{body}");
        }
    }
}
