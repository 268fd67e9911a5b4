//! Pieces of the page.

use maud::{Markup, html};

/// A line of text in which text between backticks is code, and between two pairs of asterisks bold.
pub(super) fn inline(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (bold(part)) } @else { code { (part) } }
        }
    }
}

fn bold(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split("**").enumerate() {
            @if at % 2 == 0 { (part) } @else { strong { (part) } }
        }
    }
}

/// Pieces with a word between them.
pub(super) fn joined(pieces: impl IntoIterator<Item = Markup>, between: &str) -> Markup {
    html! {
        @for (at, piece) in pieces.into_iter().enumerate() {
            @if at > 0 { (between) }
            (piece)
        }
    }
}

/// Text of several paragraphs.
pub(super) fn paragraphs(text: &str) -> Markup {
    let all = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    html! {
        @for paragraph in all {
            p { (inline(paragraph)) }
        }
    }
}

/// A table. Without rows it is empty.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[Markup; N]]) -> Markup {
    html! {
        @if !rows.is_empty() {
            table {
                thead {
                    tr {
                        @for heading in headings { th { (heading) } }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for cell in row { td { (cell) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_text_is_shown_and_code_is_marked() {
        let line = inline("`a<b` & \"c\"").into_string();
        assert_eq!(line, "<code>a&lt;b</code> &amp; &quot;c&quot;");
        assert_eq!(inline("**a** `**b**`").into_string(), "<strong>a</strong> <code>**b**</code>");
        assert_eq!(paragraphs("a\n\nb").into_string(), "<p>a</p><p>b</p>");
    }
}
