//! One rule for every text that comes from a MIS.
//!
//! People paste names from web pages and spreadsheets, and exports write HTML. What a person cannot
//! see is taken out, so that two texts that look the same are the same.

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

/// A text of a MIS, cleaned.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// Never empty.
    pub text: String,
    /// It was longer than it may be, and its end is missing.
    pub is_cut: bool,
}

/// Cleans a text; `None` when nothing is left of it.
///
/// HTML entities are decoded once. Invisible and control characters are taken out, all kinds of white
/// space become single blanks, and the text is composed (NFC). What is longer than `max` characters is
/// cut between two graphemes.
pub fn clean(text: &str, max: usize) -> Option<Cleaned> {
    // By the rules of an attribute, so that `R&D` and `Arts&Crafts` stay as they are.
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
    // Most texts are plain ASCII, which is composed.
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// The text without any character that cannot be seen, whatever it may mean where it stands.
pub fn without_invisible(text: &str) -> String {
    text.chars().filter(|c| !invisible::is_invisible(*c)).collect()
}

/// Whether a character shows nothing and is no white space.
pub fn is_invisible(c: char) -> bool {
    invisible::is_invisible(c)
}

/// White space, and the blank of the Braille script, which shows nothing either.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// As many whole graphemes as fit in `max` characters.
pub fn cut(text: &str, max: usize) -> &str {
    let Some((limit, _)) = text.char_indices().nth(max) else { return text };
    let ends = text.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= limit).last();
    // One grapheme can be longer than all that fits.
    text[..end.unwrap_or(limit)].trim_end()
}

/// Personal data: never printed.
impl std::fmt::Debug for Cleaned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaned").field("is_cut", &self.is_cut).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
