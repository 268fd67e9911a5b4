//! Text as HTML.

/// Text whose characters have no meaning for a browser.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A line of text in which text between backticks is code.
pub(super) fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(at, part)| match (at % 2, escape(part)) {
            (0, plain) => plain,
            (_, code) => format!("<code>{code}</code>"),
        })
        .collect()
}

/// Pieces one after the other.
pub(super) fn join(pieces: impl Iterator<Item = String>) -> String {
    pieces.collect::<Vec<_>>().concat()
}

/// Text of several paragraphs.
pub(super) fn paragraphs(text: &str) -> String {
    let all = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    join(all.map(|paragraph| format!("<p>{}</p>\n", inline(paragraph))))
}

/// A table whose cells are already HTML. Without rows it is empty.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        join(cells.map(|cell| format!("<{tag}>{cell}</{tag}>")))
    };
    let head = cells("th", &mut headings.iter().copied());
    let line = |row: &Vec<String>| {
        format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str)))
    };
    let body = join(rows.iter().map(line));
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_is_shown_and_code_is_marked() {
        assert_eq!(inline("`a<b` & \"c\""), "<code>a&lt;b</code> &amp; &quot;c&quot;");
        assert_eq!(paragraphs("a\n\nb"), "<p>a</p>\n<p>b</p>\n");
    }
}
