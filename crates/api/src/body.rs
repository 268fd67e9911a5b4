//! Reading a JSON body without ever quoting it.
//!
//! The messages of `serde_json` quote values, and a value here may be a token. So a body is
//! read as plain JSON first, of whose errors only place and sort are told, and its fields are
//! taken one by one with messages of our own.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, error::Category};

use crate::{
    ApiError,
    text::{any_has_control, has_control},
    views::FieldError,
};

/// No body is larger.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// What is wrong with a text that holds a control character.
pub(crate) const NO_CONTROL: &str = "cannot hold control characters, such as NUL or a new line";

/// The longest name of an unknown field that is told back.
const MAX_FIELD_NAME: usize = 40;

/// The fields of the JSON object in a body; none when there is no body.
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

/// A JSON object, whatever the sender calls it, and which one it is.
pub(crate) struct HashedObject {
    /// Its fields.
    pub(crate) fields: Map<String, Value>,
    /// SHA-256 of its bytes.
    pub(crate) hash: Vec<u8>,
}

impl<S: Send + Sync> FromRequest<S> for HashedObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read(request, state).await?;
        Ok(Self { fields: parse(&bytes)?, hash: digest(&SHA256, &bytes).as_ref().to_vec() })
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

impl JsonObject {
    /// Hands the fields over for reading.
    pub(crate) fn into_fields(self) -> Fields {
        let unclean =
            |(name, value): &(&String, &Value)| has_control(name) || any_has_control(value);
        let unclean = self.0.iter().find(unclean).map(|(name, _)| quotable(name).to_owned());
        let mut fields = Fields { left: self.0, errors: Vec::new(), unclean };
        if let Some(name) = fields.unclean.clone() {
            fields.refuse(name, NO_CONTROL);
        }
        fields
    }
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

/// Fields that are taken one by one; what is wrong with any of them is gathered.
///
/// `null` means the same as leaving a field out.
pub(crate) struct Fields {
    left: Map<String, Value>,
    errors: Vec<FieldError>,
    /// A field whose text holds a control character.
    unclean: Option<String>,
}

impl Fields {
    /// A text.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.left.remove(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            _ => {
                self.refuse(name, "has to be a text");
                None
            }
        }
    }

    /// A switch.
    pub(crate) fn switch(&mut self, name: &'static str) -> Option<bool> {
        match self.left.remove(name)? {
            Value::Null => None,
            Value::Bool(on) => Some(on),
            _ => {
                self.refuse(name, "has to be true or false");
                None
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let texts = match self.left.remove(name)? {
            Value::Null => return None,
            Value::Array(values) => values
                .into_iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if texts.is_none() {
            self.refuse(name, "has to be a list of texts");
        }
        texts
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        match self.left.remove(name)? {
            Value::Null => None,
            Value::Object(fields) => Some(fields),
            _ => {
                self.refuse(name, "has to be an object");
                None
            }
        }
    }

    /// Notes that a field is not valid; what is found first about a field counts.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        let error = FieldError { field: field.into(), message: message.into() };
        if self.errors.iter().all(|known| known.field != error.field) {
            self.errors.push(error);
        }
    }

    /// Everything that was wrong, unknown fields included. `known` says what there is.
    pub(crate) fn finish(mut self, known: &str) -> Vec<FieldError> {
        for name in std::mem::take(&mut self.left).keys() {
            self.refuse(quotable(name), format!("is not known; known are {known}"));
        }
        self.errors
    }

    /// The same where the first thing that was wrong is all that is told.
    pub(crate) fn finish_or_refuse(self, known: &str) -> Result<(), ApiError> {
        if let Some(field) = self.unclean {
            return Err(ApiError::InvalidText { field });
        }
        match self.finish(known).first() {
            Some(wrong) => {
                Err(ApiError::MalformedBody(format!("`{}` {}", wrong.field, wrong.message)))
            }
            None => Ok(()),
        }
    }
}

/// A field's name as it may be told back. A name that does not look like one of ours may be a
/// value in the wrong place, so it is not quoted.
pub(crate) fn quotable(name: &str) -> &str {
    let looks_like_ours = name.len() <= MAX_FIELD_NAME
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-');
    if looks_like_ours { name } else { "(a field)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        JsonObject(parse(json.as_bytes()).unwrap_or_else(|e| panic!("{e}"))).into_fields()
    }

    #[test]
    fn fields_of_the_wrong_sort_and_unknown_ones_are_gathered() {
        let mut fields = fields(r#"{"a":1,"b":"x","c":{},"d":null,"tokn":"s3cret","s3cret":1}"#);
        assert_eq!(fields.text("a"), None);
        assert_eq!(fields.switch("b"), None);
        assert!(fields.object("c").is_some());
        assert_eq!(fields.text("d"), None);
        let errors = fields.finish("a to d");
        let names: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(names, ["a", "b", "(a field)", "tokn"]);
        assert!(errors.iter().all(|error| !error.message.contains("s3cret")));
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
