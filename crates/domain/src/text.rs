//! One rule for every text that comes from a MIS.
//!
//! People paste names from web pages and spreadsheets, and exports contain HTML. Invisible
//! characters are removed, so that two texts that look the same are the same.

mod invisible;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The longest name or code, in characters.
pub const MAX_NAME: usize = 200;
/// The longest job title, in characters.
pub const MAX_TITLE: usize = 500;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 4000;

/// A cleaned text from a MIS.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// Never empty.
    pub text: String,
    /// Whether the text was too long and was cut.
    pub is_cut: bool,
}

/// Cleans a text; `None` if nothing is left.
///
/// HTML entities are decoded once. Invisible and control characters are removed, white space of any
/// kind becomes a single space, and the text is composed (NFC). A text longer than `max` characters
/// is cut between two graphemes.
pub fn clean(text: &str, max: usize) -> Option<Cleaned> {
    // The rules of an attribute leave `R&D` and `Arts&Crafts` unchanged.
    let decoded = htmlize::unescape_attribute(text);
    let visible = invisible::remove(&decoded);
    let composed = composed(&visible);
    let words: Vec<&str> = composed.split(is_blank).filter(|word| !word.is_empty()).collect();
    let squeezed = words.join(" ");
    let kept = cut(&squeezed, max);
    let is_cut = kept.len() < squeezed.len();
    (!kept.is_empty()).then(|| Cleaned { text: kept.to_owned(), is_cut })
}

/// The text composed (NFC), as all texts are compared.
pub fn composed(text: &str) -> Cow<'_, str> {
    // Most texts are plain ASCII, which is already composed.
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The text without invisible characters, even where they would have an effect.
pub fn without_invisible(text: &str) -> String {
    text.chars().filter(|c| !invisible::is_invisible(*c)).collect()
}

/// Whether a character shows nothing and is not white space.
pub fn is_invisible(c: char) -> bool {
    invisible::is_invisible(c)
}

/// White space, and the blank of the Braille script, which shows nothing either.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// As many whole graphemes as fit into `max` characters.
pub fn cut(text: &str, max: usize) -> &str {
    let Some((limit, _)) = text.char_indices().nth(max) else { return text };
    let ends = text.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= limit).last();
    // A single grapheme can be longer than the limit.
    text[..end.unwrap_or(limit)].trim_end()
}

/// Texts are personal data and are never printed.
impl std::fmt::Debug for Cleaned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaned").field("is_cut", &self.is_cut).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
