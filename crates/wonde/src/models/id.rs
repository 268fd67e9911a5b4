use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};

use super::shape::{Leaf, Shape};

/// Wonde's own id of a school or record, for example `A1930499544`.
///
/// Only letters, digits, `-` and `_`, at most 64: it becomes part of a URL path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WondeId(String);

/// The text cannot be a Wonde id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a Wonde id consists of 1 to 64 letters, digits, - or _")]
pub struct InvalidWondeId;

impl WondeId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WondeId {
    type Error = InvalidWondeId;

    fn try_from(text: String) -> Result<Self, InvalidWondeId> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err(InvalidWondeId)
        }
    }
}

impl TryFrom<&str> for WondeId {
    type Error = InvalidWondeId;

    fn try_from(text: &str) -> Result<Self, InvalidWondeId> {
        Self::try_from(text.to_owned())
    }
}

impl fmt::Display for WondeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WondeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Leaf::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(InvalidWondeId))
    }
}

/// An id, as text or number; `None` for anything else.
pub(super) fn read<I, M>(shape: Shape<I, M>) -> Option<WondeId> {
    match shape {
        Shape::Text(text) => WondeId::try_from(text).ok(),
        // A longer number has lost digits, so it could be the id of another record.
        Shape::Number(number) if number.is_u64() => WondeId::try_from(number.to_string()).ok(),
        _ => None,
    }
}

/// An id that may be absent; `None` if it is not valid either.
pub(super) fn optional<'de, D>(deserializer: D) -> Result<Option<WondeId>, D::Error>
where
    D: Deserializer<'de>,
{
    Leaf::deserialize(deserializer).map(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_text_and_numbers_only() {
        for (json, expected) in [(r#""A193""#, "A193"), ("193", "193"), (r#""a-b_c""#, "a-b_c")] {
            let id: WondeId = serde_json::from_str(json).unwrap();
            assert_eq!(id.as_str(), expected);
        }
        for json in [
            r#""""#, r#"".."#, r#""..""#, r#""A/B""#, r#""A?b""#, "null", "[]", "{}", "1.5", "1e20",
        ] {
            assert!(serde_json::from_str::<WondeId>(json).is_err(), "{json}");
        }
        assert!(WondeId::try_from("A".repeat(65)).is_err());
    }
}
