//! One visitor for all tolerance: read any value, then decide with `match`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Any JSON value: `I` is the type of list items, `M` the type of an object.
#[derive(Default)]
pub(crate) enum Shape<I, M> {
    #[default]
    Missing,
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<I>),
    Object(M),
}

/// A value that is of use only if it is neither a list nor an object.
pub(crate) type Leaf = Shape<IgnoredAny, IgnoredAny>;

impl<'de, I: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for Shape<I, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor(PhantomData))
    }
}

struct ShapeVisitor<I, M>(PhantomData<(I, M)>);

impl<'de, I: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for ShapeVisitor<I, M> {
    type Value = Shape<I, M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Shape::Null, Shape::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Shape::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Shape::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        M::deserialize(MapAccessDeserializer::new(map)).map(Shape::Object)
    }
}

/// A text. Numbers become text; blank text and anything else become `None`.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Leaf::deserialize(deserializer)? {
        Shape::Text(text) if !text.trim().is_empty() => Some(text),
        Shape::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The longest text for looking up records. A database index accepts no longer one.
const LONGEST_KEY: usize = 255;

/// A text for looking up records; `None` if it is too long for that.
pub(crate) fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text(deserializer)?.filter(|text| text.len() <= LONGEST_KEY))
}

/// A boolean: `true`, `1`, `"true"`, `"1"` and their opposites. Anything else is `None`.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Leaf::deserialize(deserializer)? {
        Shape::Bool(flag) => Some(flag),
        Shape::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Shape::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    })
}

/// A plain object; PHP writes an empty one as `[]`. Anything else counts as an empty object too.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(match Shape::<IgnoredAny, T>::deserialize(deserializer)? {
        Shape::Object(object) => object,
        _ => T::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases = [
            (r#""Ms""#, Some("Ms")),
            (r#""caf\u00e9""#, Some("café")),
            ("17", Some("17")),
            ("-2", Some("-2")),
            (r#""""#, None),
            (r#"" ""#, None),
            ("null", None),
            ("true", None),
            ("[]", None),
            (r#"{"data":"x"}"#, None),
        ];
        for (json, expected) in cases {
            let read = text(&mut serde_json::Deserializer::from_str(json)).unwrap();
            assert_eq!(read.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_key_has_a_length_that_an_index_takes() {
        let read = |length: usize| {
            let json = format!("\"{}\"", "x".repeat(length));
            key(&mut serde_json::Deserializer::from_str(&json)).unwrap().map(|key| key.len())
        };
        assert_eq!((read(255), read(256)), (Some(255), None));
    }

    #[test]
    fn flags() {
        let cases = [
            ("true", Some(true)),
            ("false", Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            (r#""true""#, Some(true)),
            (r#""False""#, Some(false)),
            (r#""1""#, Some(true)),
            (r#""0""#, Some(false)),
            ("null", None),
            ("2", None),
            ("1.5", None),
            (r#""perhaps""#, None),
            ("[true]", None),
            ("{}", None),
        ];
        for (json, expected) in cases {
            let read = flag(&mut serde_json::Deserializer::from_str(json)).unwrap();
            assert_eq!(read, expected, "{json}");
        }
    }
}
