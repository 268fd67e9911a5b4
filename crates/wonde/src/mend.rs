//! Answers that are not JSON because of one text: half a surrogate pair, a byte that is not UTF-8,
//! a raw control character. Each is replaced by something of the same length that JSON allows, so
//! that the other records can be read. The record itself cannot.

use std::ops::Range;

/// An answer in which every piece that is not JSON is replaced.
pub(crate) struct Mended {
    body: Vec<u8>,
    /// Where something was replaced, in order.
    places: Vec<usize>,
}

impl Mended {
    pub(crate) fn of(body: &[u8]) -> Self {
        let mut mended = Self { body: body.to_vec(), places: Vec::new() };
        mended.replace_foreign_bytes(body);
        mended.replace_in_strings();
        mended.places.sort_unstable();
        mended
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Where a part of [`Self::body`] is in it, and so in the original answer.
    pub(crate) fn place_of(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr() as usize - self.body.as_ptr() as usize;
        start..start + part.len()
    }

    /// How many pieces were replaced in a part of [`Self::body`].
    pub(crate) fn replaced_in(&self, part: &str) -> usize {
        let part = self.place_of(part);
        let before = |end: usize| self.places.partition_point(|place| *place < end);
        before(part.end) - before(part.start)
    }

    /// How many pieces were replaced in all.
    pub(crate) fn replaced(&self) -> usize {
        self.places.len()
    }

    /// Replaces what is not UTF-8. Outside strings it stays an error.
    fn replace_foreign_bytes(&mut self, body: &[u8]) {
        let mut at = 0;
        for chunk in body.utf8_chunks() {
            at += chunk.valid().len();
            for _ in chunk.invalid() {
                self.replace(at, b"?");
                at += 1;
            }
        }
    }

    fn replace_in_strings(&mut self) {
        let (mut at, mut in_string) = (0, false);
        while let Some(&byte) = self.body.get(at) {
            at += match byte {
                b'"' => {
                    in_string = !in_string;
                    1
                }
                b'\\' if in_string => self.replace_half_pair(at),
                0..0x20 if in_string => {
                    self.replace(at, b" ");
                    1
                }
                _ => 1,
            };
        }
    }

    /// Replaces an escape that is half of a surrogate pair, and returns where the escape or pair
    /// ends.
    fn replace_half_pair(&mut self, at: usize) -> usize {
        match (self.unit(at), self.unit(at + 6)) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => 12,
            (Some(0xD800..0xE000), _) => {
                self.replace(at, br"\ufffd");
                6
            }
            _ => 2,
        }
    }

    /// The UTF-16 unit of an escape `\uXXXX` at this position.
    fn unit(&self, at: usize) -> Option<u16> {
        let digits = self.body.get(at..at + 6)?.strip_prefix(br"\u")?;
        let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
        u16::from_str_radix(digits, 16).ok()
    }

    fn replace(&mut self, at: usize, by: &[u8]) {
        self.body[at..at + by.len()].copy_from_slice(by);
        self.places.push(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_does_not_allow_in_a_string_is_replaced_where_it_stands() {
        let cases: [(&[u8], &[u8], usize); 11] = [
            (br#"{"a":"b"}"#, br#"{"a":"b"}"#, 0),
            (br#"["\ud83d"]"#, br#"["\ufffd"]"#, 1),
            (br#"["\uDE00x"]"#, br#"["\ufffdx"]"#, 1),
            (br#"["\ud83d\ude00"]"#, br#"["\ud83d\ude00"]"#, 0),
            (br#"["\ud83d\ud83d\ude00"]"#, br#"["\ufffd\ud83d\ude00"]"#, 1),
            // An escaped backslash begins no escape, and an escaped quotation mark ends no string.
            (br#"["\\ud83d","\"\ud83d"]"#, br#"["\\ud83d","\"\ufffd"]"#, 1),
            (b"[\"Zo\xeb\"]", b"[\"Zo?\"]", 1),
            (b"[\"a\nb\tc\0\"]\n", b"[\"a b c \"]\n", 3),
            // Outside strings white space is left alone, and a byte that is not UTF-8 stays an
            // error.
            (b"[ 1,\t2 ]", b"[ 1,\t2 ]", 0),
            (b"[\xff]", b"[?]", 1),
            (br#"["\ud8"#, br#"["\ud8"#, 0),
        ];
        for (body, expected, replaced) in cases {
            let mended = Mended::of(body);
            assert_eq!(mended.body(), expected);
            assert_eq!(mended.replaced(), replaced, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn damage_is_found_in_the_part_that_has_it() {
        let mended = Mended::of(br#"["ok","\ud83d","ok"]"#);
        let text = std::str::from_utf8(mended.body()).unwrap();
        let parts: Vec<usize> =
            text[1..text.len() - 1].split(',').map(|part| mended.replaced_in(part)).collect();
        assert_eq!(parts, [0, 1, 0]);
    }
}
