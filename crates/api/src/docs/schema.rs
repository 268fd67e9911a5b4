//! The shapes of the API.

use serde_json::Value;

use super::html::{escape, inline, paragraphs, table};

/// The possible values in a few words; named shapes are links.
pub(super) fn describe(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for (key, joined_by) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().map(describe).collect::<Vec<_>>().join(joined_by);
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        let names = names.iter().filter_map(Value::as_str);
        return names
            .map(|name| format!("<code>{}</code>", escape(name)))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => vec![kind.as_str().unwrap_or("anything")],
    };
    let format = schema["format"].as_str().map(|format| format!(" ({})", escape(format)));
    let kinds = kinds.iter().map(|kind| match *kind {
        "array" => format!("list of {}", describe(&schema["items"])),
        other => format!("{}{}", escape(other), limits(schema)),
    });
    kinds.collect::<Vec<_>>().join(" or ") + &format.unwrap_or_default()
}

fn limits(schema: &Value) -> String {
    let bound = |name: &str| schema[name].as_i64();
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}

/// A section for a named shape.
pub(super) fn section(name: &str, schema: &Value) -> String {
    let name = escape(name);
    let text = paragraphs(schema["description"].as_str().unwrap_or_default());
    let kind = if schema["properties"].is_object() || schema["allOf"].is_array() {
        properties(schema)
    } else {
        format!("<p>{}</p>\n", describe(schema))
    };
    format!("<section id=\"schema-{name}\">\n<h3>{name}</h3>\n{text}{kind}</section>\n")
}

/// The members of an object, or of all parts of a combined one.
fn properties(schema: &Value) -> String {
    if let Some(parts) = schema["allOf"].as_array() {
        let part = |part: &Value| {
            if part["properties"].is_object() {
                properties(part)
            } else {
                format!("<p>All of {}, and:</p>\n", describe(part))
            }
        };
        return parts.iter().map(part).collect();
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rows: Vec<Vec<String>> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let optional = if required.contains(&name.as_str()) { "" } else { ", optional" };
            vec![
                format!("<code>{}</code>", escape(name)),
                format!("{}{optional}", describe(schema)),
                inline(description(schema)),
            ]
        })
        .collect();
    table(&["Member", "Is", "Meaning"], &rows)
}

/// The description of a member; for a member that may be null, of its only shape.
fn description(schema: &Value) -> &str {
    let own = schema["description"].as_str();
    let of_part =
        || schema["oneOf"].as_array()?.iter().find_map(|part| part["description"].as_str());
    own.or_else(of_part).unwrap_or_default()
}
