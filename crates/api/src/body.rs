//! Reading a JSON body without ever quoting it.
//!
//! The messages of `serde_json` quote values, and a value here may be a token. So a body is first read
//! as plain JSON, and an error shows only its place and kind. Then it is deserialised, and an error
//! shows only the path of the field and what its type expected ([`wrong`]).

mod wrong;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, error::Category};
use wrong::Wrong;

pub(crate) use wrong::known_fields;

use crate::{
    ApiError,
    text::{any_has_control, has_control},
    views::FieldError,
};

/// The largest accepted body.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// What is wrong with a text that holds a control character.
pub(crate) const NO_CONTROL: &str = "cannot hold control characters, such as NUL or a new line";

/// The longest name of an unknown field that is repeated in an answer.
const MAX_FIELD_NAME: usize = 40;

/// The fields of the JSON object in a body; empty if there is no body.
#[derive(Clone)]
pub(crate) struct JsonObject(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let bytes = read(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        if !content_type.is_some_and(|value| value.to_str().is_ok_and(is_json)) {
            return Err(ApiError::UnsupportedMediaType);
        }
        parse(&bytes).map(Self)
    }
}

/// A JSON object, whatever its media type, and its hash.
pub(crate) struct HashedObject {
    /// Its fields.
    pub(crate) fields: Value,
    /// SHA-256 of its bytes.
    pub(crate) hash: Vec<u8>,
}

impl<S: Send + Sync> FromRequest<S> for HashedObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read(request, state).await?;
        let hash = digest(&SHA256, &bytes).as_ref().to_vec();
        Ok(Self { fields: Value::Object(parse(&bytes)?), hash })
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|refusal| {
        if refusal.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::BodyTooLarge
        } else {
            ApiError::MalformedBody("it broke off".to_owned())
        }
    })
}

impl From<Map<String, Value>> for JsonObject {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

/// A body of the API. Each field can be left out, and `null` means the same. So all errors can be
/// reported together, and the handler reports missing fields.
pub(crate) trait Body: DeserializeOwned + Default {
    /// Fields that are objects. Serde would also accept a list of their members.
    const OBJECTS: &[&str] = &[];

    /// The rule for a field, if its type alone does not explain it.
    fn wanted(_field: &str) -> Option<String> {
        None
    }
}

/// The most wrong fields that one answer lists.
const MAX_ERRORS: usize = 20;

impl JsonObject {
    pub(crate) fn into_fields(self) -> Map<String, Value> {
        self.0
    }

    /// Deserialises the body, and reports only the first error.
    pub(crate) fn read<T: Body>(self) -> Result<T, ApiError> {
        if let Some(field) = self.unclean() {
            return Err(ApiError::InvalidText { field });
        }
        let (value, wrong) = self.read_all();
        match wrong.finish().first() {
            Some(wrong) => Err(malformed(&wrong.field, &wrong.message)),
            None => Ok(value),
        }
    }

    /// Deserialises the body and collects all errors. A wrong field counts as left out.
    pub(crate) fn read_all<T: Body>(self) -> (T, FieldErrors) {
        let mut wrong = FieldErrors::default();
        if let Some(field) = self.unclean() {
            wrong.refuse(field, NO_CONTROL);
        }
        let mut body = Value::Object(self.0);
        for field in T::OBJECTS {
            let place = format!("/{}", field.replace('.', "/"));
            // What is no object either is refused with the others.
            if let Some(list) = body.pointer_mut(&place).filter(|value| value.is_array()) {
                *list = Value::Bool(false);
            }
        }
        for _ in 0..MAX_ERRORS {
            let error = match serde_path_to_error::deserialize(&body) {
                Ok(value) => return (value, wrong),
                Err(error) => Wrong::of::<T>(&error),
            };
            let is_left_out = error.leave_out(&mut body);
            wrong.note(&error);
            if !is_left_out {
                break;
            }
        }
        (T::default(), wrong)
    }

    /// A field whose text holds a control character.
    fn unclean(&self) -> Option<String> {
        let is_unclean =
            |(name, value): &(&String, &Value)| has_control(name) || any_has_control(value);
        self.0.iter().find(is_unclean).map(|(name, _)| quotable(name).to_owned())
    }
}

/// The errors of a body; each field is named once.
#[derive(Default)]
pub(crate) struct FieldErrors {
    errors: Vec<FieldError>,
    /// Fields that are not known. They come last.
    unknown: Vec<FieldError>,
}

impl FieldErrors {
    /// Records that a field is not valid. The first error of a field counts.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let error = FieldError { field: field.into(), message: message.into() };
        if self.errors.iter().all(|known| known.field != error.field) {
            self.errors.push(error);
        }
    }

    fn note(&mut self, wrong: &Wrong) {
        let (field, message) = (wrong.field(), wrong.message.clone());
        // A member that was wrong and left out may be missed in the object that it belongs to.
        let inside = format!("{field}.");
        if self.errors.iter().any(|known| known.field.starts_with(&inside)) {
            return;
        }
        if !wrong.is_unknown {
            self.refuse(field, message);
        } else if self.errors.iter().all(|known| known.field != field) {
            self.unknown.push(FieldError { field, message });
        }
    }

    /// All errors.
    pub(crate) fn finish(self) -> Vec<FieldError> {
        self.errors.into_iter().chain(self.unknown).collect()
    }
}

/// The error for a body with one wrong field.
pub(crate) fn malformed(field: &str, message: impl std::fmt::Display) -> ApiError {
    ApiError::MalformedBody(format!("`{field}` {message}"))
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::MalformedBody("it is no JSON object".to_owned())),
        Err(error) => {
            let sort = match error.classify() {
                Category::Eof => "it ends too early",
                Category::Io | Category::Syntax | Category::Data => "it is no JSON",
            };
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(ApiError::MalformedBody(format!("{sort} ({place})")))
        }
    }
}

/// A field's name as an answer may repeat it. A name that does not look like one of ours may be a
/// value in the wrong place, so it is not quoted.
pub(crate) fn quotable(name: &str) -> &str {
    let looks_like_ours = name.len() <= MAX_FIELD_NAME
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-');
    if looks_like_ours { name } else { "(a field)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Outer {
        text: Option<String>,
        switch: Option<bool>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        number: u16,
        list: Vec<Ends>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Ends {
        from: u8,
    }

    impl Body for Outer {}

    fn errors(json: &str) -> (Outer, Vec<(String, String)>) {
        let body = JsonObject(parse(json.as_bytes()).unwrap_or_else(|e| panic!("{e}")));
        let (value, wrong) = body.read_all::<Outer>();
        let errors = wrong.finish().into_iter().map(|error| (error.field, error.message));
        (value, errors.collect())
    }

    #[test]
    fn null_is_left_out() {
        assert_eq!(
            errors(r#"{"text":null,"switch":true}"#),
            (Outer { switch: Some(true), ..Outer::default() }, vec![])
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_by_its_path_and_without_its_value() {
        let (value, found) = errors(
            r#"{"text":1,"switch":"s3cret, expected s3cret","tokn":"s3cret","s3cret":1,
            "inner":{"number":70000,"list":[{"from":1},{"from":"s3cret"}],"s3cret":1,"nr":2}}"#,
        );
        assert_eq!(value, Outer { inner: Some(Inner::default()), ..Outer::default() });
        let known = "is not known; known are `text`, `switch` and `inner`";
        let known_inside = "is not known; known are `number` and `list`";
        let mut wanted = vec![
            ("text", "has to be a text"),
            ("switch", "has to be true or false"),
            ("inner.number", "has to be a whole number from 0 to 65535"),
            ("inner.list", "has to be a whole number from 0 to 255"),
            ("inner.(a field)", known_inside),
            ("inner.nr", known_inside),
            ("(a field)", known),
            ("tokn", known),
        ];
        wanted.sort_unstable();
        let mut found: Vec<_> =
            found.iter().map(|(field, message)| (field.as_str(), message.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[test]
    fn very_many_errors_are_not_all_told() {
        let fields: Vec<_> = (b'a'..=b'z').map(|c| format!("\"{0}{0}\":1", c as char)).collect();
        let (_, found) = errors(&format!("{{{}}}", fields.join(",")));
        assert_eq!(found.len(), MAX_ERRORS);
    }

    #[test]
    fn what_is_no_object_is_refused_without_being_quoted() {
        for (body, wanted) in [
            (r#"{"token":"s3cret""#, "ends too early (line 1, column 17)"),
            (r#"{"token":s3cret}"#, "no JSON (line 1, column 10)"),
            (r#"["s3cret"]"#, "no JSON object"),
            ("\"s3cret\"", "no JSON object"),
        ] {
            let text = parse(body.as_bytes()).unwrap_err().to_string();
            assert!(text.contains(wanted) && !text.contains("s3cret"), "{body}: {text}");
        }
    }

    #[test]
    fn json_has_several_names() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/x+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
