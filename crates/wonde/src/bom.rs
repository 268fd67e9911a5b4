//! Byte order marks, which some servers write before every piece of JSON.

const MARK: &[u8] = "\u{feff}".as_bytes();

/// The body without the marks outside its strings, where JSON allows none; `None` if there are
/// none. A mark in a string is part of the value and stays.
pub(crate) fn without_marks(body: &[u8]) -> Option<Vec<u8>> {
    let mut clean = Vec::with_capacity(body.len());
    let (mut in_string, mut is_escaped) = (false, false);
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        if !in_string && let Some(unmarked) = rest.strip_prefix(MARK) {
            rest = unmarked;
            continue;
        }
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
        } else {
            in_string = byte == b'"';
        }
        clean.push(byte);
        rest = after;
    }
    (clean.len() < body.len()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_wherever_json_has_no_place_for_them() {
        let cases = [
            ("{}", None),
            ("", None),
            ("\u{feff}{}", Some("{}")),
            ("\u{feff}\u{feff}[1]\u{feff}", Some("[1]")),
            (r#"{"a":"\u{feff}"}"#, None),
            ("{\"a\":\"\u{feff}x\"}", None),
            ("{\"a\\\"\":\u{feff}{\"b\":\"\\\\\"}}", Some("{\"a\\\"\":{\"b\":\"\\\\\"}}")),
        ];
        for (body, expected) in cases {
            let clean = without_marks(body.as_bytes());
            assert_eq!(clean.as_deref(), expected.map(str::as_bytes), "{body:?}");
        }
    }
}
