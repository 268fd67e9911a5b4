//! The page: contents, operations by tag, shapes.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{
    html::{escape, inline, join, paragraphs, table},
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
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let info = &document["info"];
    let title = format!("{} {}", escape(&text(&info["title"])), escape(&text(&info["version"])));
    let operations = operations(document);
    let (mut contents, mut body) = (String::new(), String::new());
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let about = inline(&text(&tag["description"]));
        let _ = writeln!(contents, "<p><b>{}</b></p>\n<ul>", escape(&name));
        let _ = writeln!(body, "<h2>{}</h2>\n<p>{about}.</p>", escape(&name));
        for operation in operations.iter().filter(|operation| operation.has_tag(&name)) {
            contents.push_str(&operation.entry());
            body.push_str(&operation.section());
        }
        contents.push_str("</ul>\n");
    }
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let shapes: String = schemas.map(|(name, schema)| schema::section(name, schema)).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n{about}\
         <p>Send <code>Authorization: Bearer &lt;key&gt;</code>, unless it says that no key is \
         needed. For programs: <a href=\"/openapi.json\">OpenAPI</a>.</p>\n</header>\n\
         <nav aria-label=\"Contents\">\n{contents}</nav>\n<main>\n{body}<h2>Shapes</h2>\n\
         {shapes}</main>\n</body>\n</html>\n",
        about = paragraphs(&text(&info["description"])),
    )
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

impl Operation<'_> {
    fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_default()
    }

    fn has_tag(&self, name: &str) -> bool {
        self.said["tags"].as_array().into_iter().flatten().any(|tag| tag == name)
    }

    /// The line in the contents.
    fn entry(&self) -> String {
        let (id, name) = (escape(self.text("operationId")), self.name());
        format!("<li><a href=\"#{id}\">{name}</a> {}</li>\n", inline(self.text("summary")))
    }

    fn name(&self) -> String {
        format!("<code>{} {}</code>", escape(&self.method.to_uppercase()), escape(self.path))
    }

    fn section(&self) -> String {
        let id = escape(self.text("operationId"));
        // `security: [{}]`: no key is needed.
        let is_open = self.said["security"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_object().is_some_and(Map::is_empty)));
        let key = if is_open { "<p>Needs no key.</p>\n" } else { "" };
        format!(
            "<section id=\"{id}\">\n<h3>{}</h3>\n<p><b>{}</b></p>\n{}{key}{}{}{}</section>\n",
            self.name(),
            inline(self.text("summary")),
            paragraphs(self.text("description")),
            self.parameters(),
            self.body(),
            self.responses(),
        )
    }

    fn parameters(&self) -> String {
        let row = |parameter: &Value| {
            let text = |name: &str| parameter[name].as_str().unwrap_or_default();
            let optional = if parameter["required"] == true { "" } else { ", optional" };
            vec![
                format!("<code>{}</code>", escape(text("name"))),
                format!("{}{optional}", escape(text("in"))),
                schema::describe(&parameter["schema"]),
                inline(text("description")),
            ]
        };
        let rows: Vec<_> =
            self.said["parameters"].as_array().into_iter().flatten().map(row).collect();
        table(&["Parameter", "In", "Is", "Meaning"], &rows)
    }

    fn body(&self) -> String {
        let body = &self.said["requestBody"];
        match contents(body) {
            shapes if shapes.is_empty() => String::new(),
            shapes => {
                let about = inline(body["description"].as_str().unwrap_or_default());
                format!("<p>Body: {shapes}. {about}</p>\n")
            }
        }
    }

    fn responses(&self) -> String {
        let row = |(status, response): (&String, &Value)| {
            let headers = response["headers"].as_object().into_iter().flatten();
            let headers = join(headers.map(|(name, header)| {
                let about = inline(header["description"].as_str().unwrap_or_default());
                format!("<br><code>{}</code>: {about}", escape(name))
            }));
            let about = inline(response["description"].as_str().unwrap_or_default());
            vec![escape(status), format!("{about}{headers}"), contents(response)]
        };
        let rows: Vec<_> =
            self.said["responses"].as_object().into_iter().flatten().map(row).collect();
        table(&["Status", "Meaning", "Body"], &rows)
    }
}

/// The shapes of a body, each with its media type.
fn contents(said: &Value) -> String {
    let shapes = said["content"].as_object().into_iter().flatten().map(|(media_type, content)| {
        format!("{} as <code>{}</code>", schema::describe(&content["schema"]), escape(media_type))
    });
    shapes.collect::<Vec<_>>().join(" or ")
}
