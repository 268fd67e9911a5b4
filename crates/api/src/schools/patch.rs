//! JSON Merge Patch (RFC 7396). A patch becomes a whole request, which is read like any other.

use mis_sync_domain::School;
use serde_json::{Map, Value, json};

use crate::{ApiError, body::JsonObject, views::FieldError};

/// Fields that a request may leave out in order to keep them, and that the patch gives as they are.
const KEPT: [&str; 4] = ["token", "mis", "callback_url", "callback_secret"];

/// The request that changes the school as the patch says.
pub(super) fn apply(school: &School, patch: JsonObject) -> Result<JsonObject, ApiError> {
    let mut patch = patch.into_fields();
    let removed = ["token", "callback_secret"].into_iter();
    let errors: Vec<_> = removed
        .filter(|field| patch.get(*field).is_some_and(Value::is_null))
        .map(|field| FieldError {
            field: field.to_owned(),
            message: "cannot be removed, only replaced".to_owned(),
        })
        .collect();
    if !errors.is_empty() {
        return Err(ApiError::InvalidSchool { errors });
    }
    // Without settings they would stay as they are, and null means the defaults.
    if patch.get("settings").is_some_and(Value::is_null) {
        return Ok(merged(school, patch, json!({})));
    }
    let settings = patch.remove("settings");
    let mut all = serde_json::to_value(&school.settings).expect("settings are plain JSON");
    if let Some(settings) = settings {
        merge(&mut all, settings);
    }
    Ok(merged(school, patch, all))
}

fn merged(school: &School, mut patch: Map<String, Value>, settings: Value) -> JsonObject {
    let kept: Vec<_> = KEPT.iter().filter_map(|field| patch.remove_entry(*field)).collect();
    patch.insert("settings".to_owned(), settings);
    let mut whole = json!({
        "name": school.name,
        "wonde_school_id": school.wonde_school_id,
        "wonde_base_url": school.wonde_base_url,
    });
    merge(&mut whole, Value::Object(patch));
    let Value::Object(mut whole) = whole else { unreachable!("it is merged with an object") };
    whole.extend(kept);
    whole.into()
}

/// Section 2 of the RFC.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().expect("it is one now");
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} {patch}");
        }
    }
}
