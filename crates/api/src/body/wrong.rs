//! The errors of a body, without its values.

use serde_json::Value;
use serde_path_to_error::{Error, Segment};

use super::{Body, quotable};

/// One field that could not be deserialised.
pub(super) struct Wrong {
    /// The path: each field is inside the one before. A list counts as one field.
    path: Vec<String>,
    pub(super) message: String,
    /// The field is unknown.
    pub(super) is_unknown: bool,
}

impl Wrong {
    pub(super) fn of<T: Body>(error: &Error<serde_json::Error>) -> Self {
        let names = error.path().iter().map_while(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        let path: Vec<String> = names.collect();
        let said = error.inner().to_string();
        if let Some(known) = known_fields(&said) {
            let are = if known.contains(" and ") { "are" } else { "is" };
            let message = format!("is not known; known {are} {known}");
            return Self { path, message, is_unknown: true };
        }
        let message = T::wanted(&path.join(".")).unwrap_or_else(|| wanted(&said));
        Self { path, message, is_unknown: false }
    }

    /// The path of the field, for people.
    pub(super) fn field(&self) -> String {
        self.path.iter().map(|name| quotable(name)).collect::<Vec<_>>().join(".")
    }

    /// Removes the field from the body; `false` if it is not there.
    pub(super) fn leave_out(&self, body: &mut Value) -> bool {
        let Some((last, parents)) = self.path.split_last() else { return false };
        let parent = parents.iter().try_fold(body, |value, name| value.get_mut(name));
        let fields = parent.and_then(Value::as_object_mut);
        fields.is_some_and(|fields| fields.remove(last).is_some())
    }
}

/// The expected value in a message of serde. It is the last part and comes only from our types; the
/// parts before it quote the value.
fn expected(said: &str) -> Option<&str> {
    said.rsplit_once(", expected ").map(|(_, expected)| expected)
}

/// The fields that serde lists when it found an unknown one.
pub(crate) fn known_fields(said: &str) -> Option<String> {
    let expected = expected(said).filter(|_| said.starts_with("unknown field "))?;
    let names = expected.split('`').skip(1).step_by(2).map(|name| format!("`{name}`"));
    let names: Vec<String> = names.collect();
    Some(match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    })
}

fn wanted(said: &str) -> String {
    if let Some(missing) = said.strip_prefix("missing field ") {
        return format!("has to have {missing}");
    }
    let standard = ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "];
    let is_standard = standard.iter().any(|start| said.starts_with(start));
    let Some(expected) = expected(said).filter(|_| is_standard) else {
        return "has a value that is not allowed".to_owned();
    };
    let wanted = match expected {
        "a boolean" => "true or false",
        "a string" | "string or map" => "a text",
        "a sequence" => "a list",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        object if object.starts_with("struct ") => "an object",
        other => other,
    };
    format!("has to be {wanted}")
}
