//! The shapes of the API.

use maud::{Markup, html};
use serde_json::Value;

use super::html::{inline, joined, paragraphs, table};

/// The possible values in a few words; named shapes are links.
pub(super) fn describe(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    for (key, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[key].as_array() {
            return joined(parts.iter().map(describe), between);
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        let names = names.iter().filter_map(Value::as_str);
        return joined(names.map(|name| html! { code { (name) } }), ", ");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => vec![kind.as_str().unwrap_or("anything")],
    };
    let kind = |kind: &str| match kind {
        "array" => html! { "list of " (describe(&schema["items"])) },
        other => html! { (other) (limits(schema)) },
    };
    html! {
        (joined(kinds.into_iter().map(kind), " or "))
        @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
    }
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
pub(super) fn section(name: &str, schema: &Value) -> Markup {
    let has_members = schema["properties"].is_object() || schema["allOf"].is_array();
    html! {
        section id={ "schema-" (name) } {
            h3 { (name) }
            (paragraphs(schema["description"].as_str().unwrap_or_default()))
            @if has_members { (properties(schema)) } @else { p { (describe(schema)) } }
        }
    }
}

/// The members of an object, or of all parts of a combined one.
fn properties(schema: &Value) -> Markup {
    if let Some(parts) = schema["allOf"].as_array() {
        return html! {
            @for part in parts {
                @if part["properties"].is_object() {
                    (properties(part))
                } @else {
                    p { "All of " (describe(part)) ", and:" }
                }
            }
        };
    }
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(name, schema): (&String, &Value)| {
        let optional = if required.contains(&name.as_str()) { "" } else { ", optional" };
        [
            html! { code { (name) } },
            html! { (describe(schema)) (optional) },
            inline(description(schema)),
        ]
    };
    let rows: Vec<_> = schema["properties"].as_object().into_iter().flatten().map(row).collect();
    table(["Member", "Is", "Meaning"], &rows)
}

/// The description of a member; for a member that may be null, of its only shape.
fn description(schema: &Value) -> &str {
    let own = schema["description"].as_str();
    let of_part =
        || schema["oneOf"].as_array()?.iter().find_map(|part| part["description"].as_str());
    own.or_else(of_part).unwrap_or_default()
}
