//! Characters that show nothing. Most do not belong in a name. A few join or shape their
//! neighbours, as in Persian and Sinhala names and in emoji, and stay where they do so.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, Emoji, ExtendedPictographic, Ideographic, JoiningType},
};
use unicode_normalization::char::canonical_combining_class;

use super::is_blank;

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BLACK_FLAG: char = '\u{1f3f4}';
/// The canonical combining class of a virama.
const VIRAMA: u8 = 9;

/// Removes invisible characters that have no effect where they stand. White space stays.
pub(super) fn remove(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_control();
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    // Adjacent invisible characters hide each other's neighbours, so those that never have an
    // effect are removed first.
    let all: Vec<char> =
        text.chars().filter(|c| is_blank(*c) || !is_invisible(*c) || may_mean(*c)).collect();
    let mut kept = String::with_capacity(text.len());
    for (at, c) in all.iter().copied().enumerate() {
        let next = all.get(at + 1).copied();
        if !may_mean(c) || does_something(&kept, c, &all[at + 1..], next) {
            kept.push(c);
        }
    }
    kept
}

/// Control characters, and those that Unicode calls default ignorable: zero-width characters, the
/// soft hyphen, direction marks and Hangul fillers.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{fff9}'..='\u{fffb}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn may_mean(c: char) -> bool {
    matches!(c, NON_JOINER | JOINER) || is_selector(c) || is_tag(c)
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') || is_mongolian_selector(c)
}

fn is_mongolian_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// The letters of a flag such as that of Wales.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007f}')
}

fn does_something(before: &str, c: char, after: &[char], next: Option<char>) -> bool {
    let Some(last) = before.chars().next_back() else { return false };
    match c {
        JOINER => is_after_virama(last) || is_in_emoji(before, last, next),
        NON_JOINER => is_after_virama(last) || parts_joined_letters(before, after),
        _ if is_tag(c) => last == BLACK_FLAG || is_tag(last),
        _ if is_mongolian_selector(c) => matches!(last, '\u{1820}'..='\u{18aa}'),
        '\u{fe0e}' | '\u{fe0f}' => {
            let is_emoji = CodePointSetData::new::<Emoji>().contains(last);
            is_emoji && (!last.is_ascii() || next == Some(KEYCAP))
        }
        _ => CodePointSetData::new::<Ideographic>().contains(last),
    }
}

fn is_after_virama(last: char) -> bool {
    canonical_combining_class(last) == VIRAMA
}

fn is_in_emoji(before: &str, last: char, next: Option<char>) -> bool {
    let is_pictograph = |c: char| CodePointSetData::new::<ExtendedPictographic>().contains(c);
    let is_modifier = |c: char| matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    let ends_in_emoji = match last {
        '\u{fe0f}' => true,
        last if is_modifier(last) => before.chars().rev().nth(1).is_some_and(is_pictograph),
        last => is_pictograph(last),
    };
    ends_in_emoji && next.is_some_and(is_pictograph)
}

/// Whether the letters on both sides would join without it, as in Persian.
fn parts_joined_letters(before: &str, after: &[char]) -> bool {
    let joining = |c: &char| CodePointMapData::<JoiningType>::new().get(*c);
    let is_letter = |joining: &JoiningType| *joining != JoiningType::Transparent;
    let left = before.chars().rev().map(|c| joining(&c)).find(is_letter);
    let right = after.iter().map(joining).find(is_letter);
    let joins_left = matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining));
    let joins_right = matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining));
    joins_left && joins_right
}
