//! What a caller's text may contain. Every body, form and query is checked here before it is read:
//! Postgres refuses NUL, and no other control character belongs in a name, an id or a one-line
//! reason.

use serde_json::Value;

/// Whether a text holds a control character.
pub(crate) fn has_control(text: &str) -> bool {
    text.contains(char::is_control)
}

/// Whether any text in a JSON value contains one, including names of fields.
pub(crate) fn any_has_control(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => has_control(text),
        Value::Array(values) => values.iter().any(any_has_control),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| has_control(name) || any_has_control(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn control_characters_are_found_wherever_they_are() {
        for bad in ["\0", "a\0b", "\u{1}", "line\nline", "\t", "\u{7f}", "\u{85}"] {
            assert!(has_control(bad), "{bad:?}");
            assert!(any_has_control(&json!({"a": [{"b": bad}]})), "{bad:?}");
            assert!(any_has_control(&json!({ bad: 1 })), "{bad:?}");
        }
        for good in ["", "Zoë O'Neil", "\u{ffff}", "\u{202e}", "名前", "🙂"] {
            assert!(!has_control(good) && !any_has_control(&json!([good])), "{good:?}");
        }
    }
}
