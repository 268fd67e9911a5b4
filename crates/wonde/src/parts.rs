//! Takes JSON apart without reading the parts, so that one part that is not JSON affects only
//! itself.

/// The members of an object, each as it is written; `None` if the text is not a closed object.
pub(crate) fn members(text: &str) -> Option<Vec<&str>> {
    parts(text, '{', '}')
}

pub(crate) fn items(text: &str) -> Option<Vec<&str>> {
    parts(text, '[', ']')
}

pub(crate) fn key_and_value(member: &str) -> Option<(String, &str)> {
    let mut reader = serde_json::Deserializer::from_str(member).into_iter::<String>();
    let key = reader.next()?.ok()?;
    let value = member[reader.byte_offset()..].trim_start().strip_prefix(':')?;
    Some((key, value.trim()))
}

/// Every bracket has to be closed by its own kind; otherwise a part has no certain end.
fn parts(text: &str, open: char, close: char) -> Option<Vec<&str>> {
    let inside = text.trim().strip_prefix(open)?.strip_suffix(close)?;
    let (mut parts, mut begin) = (Vec::new(), 0);
    let mut unclosed = Vec::new();
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in inside.bytes().enumerate() {
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => unclosed.push(b'}'),
            b'[' => unclosed.push(b']'),
            b'}' | b']' if unclosed.pop() != Some(byte) => return None,
            b',' if unclosed.is_empty() => {
                parts.push(inside[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    if in_string || !unclosed.is_empty() {
        return None;
    }
    let last = inside[begin..].trim();
    if !(parts.is_empty() && last.is_empty()) {
        parts.push(last);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_where_no_bracket_and_no_string_is_open() {
        let cases: [(&str, Option<&[&str]>); 16] = [
            ("[]", Some(&[])),
            (" [ ] ", Some(&[])),
            ("[1]", Some(&["1"])),
            ("[1,]", Some(&["1", ""])),
            ("[,]", Some(&["", ""])),
            (r#"[{"a":[1,2]}, "x,]\",", 3 4]"#, Some(&[r#"{"a":[1,2]}"#, r#""x,]\",""#, "3 4"])),
            (r#"["\\",2]"#, Some(&[r#""\\""#, "2"])),
            ("[\"\u{e9},\",2]", Some(&["\"\u{e9},\"", "2"])),
            ("", None),
            ("[", None),
            ("{}", None),
            ("[1", None),
            ("[1]]", None),
            ("[1][2]", None),
            ("[{]}]", None),
            (r#"["]"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(items(text).as_deref(), expected, "{text}");
        }
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(items(&deep).map(|items| items.len()), Some(1));
    }

    #[test]
    fn a_member_has_a_key_and_a_value() {
        let cases = [
            (r#""a":1"#, Some(("a", "1"))),
            (r#" "a\"b" : [1, 2] "#, Some(("a\"b", "[1, 2]"))),
            (r#""a""#, None),
            (r#""a" 1"#, None),
            ("a:1", None),
            ("1:1", None),
            ("", None),
        ];
        for (member, expected) in cases {
            let found = key_and_value(member);
            let found = found.as_ref().map(|(key, value)| (key.as_str(), *value));
            assert_eq!(found, expected, "{member}");
        }
    }
}
