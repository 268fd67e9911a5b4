//! The page: contents, operations by tag, shapes.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::{
    html::{inline, joined, paragraphs, table},
    schema,
};

/// One method of one path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    said: &'a Value,
}

/// The whole page.
pub(super) fn page(document: &Value, style: &str) -> String {
    let info = &document["info"];
    let title = format!("{} {}", text(info, "title"), text(info, "version"));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body {
                header {
                    h1 { (title) }
                    (paragraphs(text(info, "description")))
                    p {
                        "Send " code { "Authorization: Bearer <key>" } ", unless it says that no key is needed. "
                        "For programs: " a href="/openapi.json" { "OpenAPI" } "."
                    }
                }
                (content(document))
            }
        }
    };
    page.into_string()
}

fn content(document: &Value) -> Markup {
    let operations = operations(document);
    let tags: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    let of = |tag: &Value| {
        let name = text(tag, "name").to_owned();
        operations.iter().filter(move |operation| operation.has_tag(&name))
    };
    html! {
        nav aria-label="Contents" {
            @for tag in &tags {
                p { b { (text(tag, "name")) } }
                ul {
                    @for operation in of(tag) { (operation.entry()) }
                }
            }
        }
        main {
            @for tag in &tags {
                h2 { (text(tag, "name")) }
                p { (inline(text(tag, "description"))) "." }
                @for operation in of(tag) { (operation.section()) }
            }
            h2 { "Shapes" }
            @for (name, shape) in document["components"]["schemas"].as_object().into_iter().flatten() {
                (schema::section(name, shape))
            }
        }
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, said) in item.as_object().into_iter().flatten() {
            all.push(Operation { method, path, said });
        }
    }
    all
}

fn text<'a>(said: &'a Value, name: &str) -> &'a str {
    said[name].as_str().unwrap_or_default()
}

impl Operation<'_> {
    fn text(&self, name: &str) -> &str {
        text(self.said, name)
    }

    fn has_tag(&self, name: &str) -> bool {
        self.said["tags"].as_array().into_iter().flatten().any(|tag| tag == name)
    }

    /// The line in the contents.
    fn entry(&self) -> Markup {
        html! {
            li {
                a href={ "#" (self.text("operationId")) } { (self.name()) }
                " "
                (inline(self.text("summary")))
            }
        }
    }

    fn name(&self) -> Markup {
        html! { code { (self.method.to_uppercase()) " " (self.path) } }
    }

    fn section(&self) -> Markup {
        // `security: [{}]`: no key is needed.
        let is_open = self.said["security"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_object().is_some_and(Map::is_empty)));
        html! {
            section id=(self.text("operationId")) {
                h3 { (self.name()) }
                p { b { (inline(self.text("summary"))) } }
                (paragraphs(self.text("description")))
                @if is_open { p { "Needs no key." } }
                (self.parameters())
                (self.body())
                (self.responses())
            }
        }
    }

    fn parameters(&self) -> Markup {
        let row = |parameter: &Value| {
            let optional = if parameter["required"] == true { "" } else { ", optional" };
            [
                html! { code { (text(parameter, "name")) } },
                html! { (text(parameter, "in")) (optional) },
                schema::describe(&parameter["schema"]),
                inline(text(parameter, "description")),
            ]
        };
        let rows: Vec<_> =
            self.said["parameters"].as_array().into_iter().flatten().map(row).collect();
        table(["Parameter", "In", "Is", "Meaning"], &rows)
    }

    fn body(&self) -> Markup {
        let body = &self.said["requestBody"];
        html! {
            @if body["content"].is_object() {
                p { "Body: " (contents(body)) ". " (inline(text(body, "description"))) }
            }
        }
    }

    fn responses(&self) -> Markup {
        let row = |(status, response): (&String, &Value)| {
            let headers = response["headers"].as_object().into_iter().flatten();
            let meaning = html! {
                (inline(text(response, "description")))
                @for (name, header) in headers {
                    br;
                    code { (name) } ": " (inline(text(header, "description")))
                }
            };
            [html! { (status) }, meaning, contents(response)]
        };
        let rows: Vec<_> =
            self.said["responses"].as_object().into_iter().flatten().map(row).collect();
        table(["Status", "Meaning", "Body"], &rows)
    }
}

/// The shapes of a body, each with its media type.
fn contents(said: &Value) -> Markup {
    let shapes = said["content"].as_object().into_iter().flatten();
    let shape = |(media_type, content): (&String, &Value)| {
        html! { (schema::describe(&content["schema"])) " as " code { (media_type) } }
    };
    joined(shapes.map(shape), " or ")
}
