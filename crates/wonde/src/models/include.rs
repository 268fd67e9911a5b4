use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::shape::Shape;

/// Something asked for with `include`.
///
/// A shape that nobody expected counts as not delivered: what cannot be understood must not blank
/// what is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Include<T> {
    /// The key is missing or null: not asked for, not granted or not supported.
    #[default]
    Missing,
    /// Delivered, perhaps empty: `None` of a to-one, an empty `Vec` of a to-many.
    Delivered(T),
}

impl<T> Include<T> {
    /// What was delivered, if anything.
    pub fn delivered(&self) -> Option<&T> {
        match self {
            Self::Missing => None,
            Self::Delivered(value) => Some(value),
        }
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "I: Deserialize<'de>, M: Deserialize<'de>"))]
struct Wrapped<I, M> {
    #[serde(default)]
    data: Shape<I, M>,
}

/// `{"data": {…}}`; `{"data": null}` and PHP's `{"data": []}` are delivered empty.
pub(crate) fn to_one<'de, D, T>(deserializer: D) -> Result<Include<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let shape = Shape::<IgnoredAny, Wrapped<IgnoredAny, T>>::deserialize(deserializer)?;
    Ok(match shape {
        Shape::Object(Wrapped { data }) => match data {
            Shape::Object(value) => Include::Delivered(Some(value)),
            Shape::Null => Include::Delivered(None),
            Shape::List(items) if items.is_empty() => Include::Delivered(None),
            _ => Include::Missing,
        },
        _ => Include::Missing,
    })
}

/// `{"data": […]}` or a bare list; `{"data": null}` is delivered empty.
pub(crate) fn to_many<'de, D, T>(deserializer: D) -> Result<Include<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let shape = Shape::<T, Wrapped<T, IgnoredAny>>::deserialize(deserializer)?;
    Ok(match shape {
        Shape::List(items) => Include::Delivered(items),
        Shape::Object(Wrapped { data }) => match data {
            Shape::List(items) => Include::Delivered(items),
            Shape::Null => Include::Delivered(Vec::new()),
            _ => Include::Missing,
        },
        _ => Include::Missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Include::{Delivered, Missing};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        n: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Both {
        #[serde(default, deserialize_with = "to_one")]
        one: Include<Option<Item>>,
        #[serde(default, deserialize_with = "to_many")]
        many: Include<Vec<Item>>,
    }

    fn read(json: &str) -> Both {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn to_one_shapes() {
        let cases = [
            ("{}", Missing),
            (r#"{"one":null}"#, Missing),
            (r#"{"one":{}}"#, Missing),
            (r#"{"one":[]}"#, Missing),
            (r#"{"one":"x"}"#, Missing),
            (r#"{"one":{"data":"x"}}"#, Missing),
            (r#"{"one":{"data":[{"n":1}]}}"#, Missing),
            (r#"{"one":{"data":null}}"#, Delivered(None)),
            (r#"{"one":{"data":[]}}"#, Delivered(None)),
            (r#"{"one":{"data":{"n":1,"x":[2]}}}"#, Delivered(Some(Item { n: 1 }))),
        ];
        for (json, expected) in cases {
            assert_eq!(read(json).one, expected, "{json}");
        }
    }

    #[test]
    fn to_many_shapes() {
        let cases = [
            ("{}", Missing),
            (r#"{"many":null}"#, Missing),
            (r#"{"many":{}}"#, Missing),
            (r#"{"many":3}"#, Missing),
            (r#"{"many":{"data":false}}"#, Missing),
            (r#"{"many":{"data":{"count":1}}}"#, Missing),
            (r#"{"many":{"data":null}}"#, Delivered(vec![])),
            (r#"{"many":{"data":[]}}"#, Delivered(vec![])),
            (r#"{"many":[]}"#, Delivered(vec![])),
            (r#"{"many":[{"n":1}]}"#, Delivered(vec![Item { n: 1 }])),
            (
                r#"{"many":{"data":[{"n":1},{"n":2}],"meta":{}}}"#,
                Delivered(vec![Item { n: 1 }, Item { n: 2 }]),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(read(json).many, expected, "{json}");
        }
    }

    #[test]
    fn a_broken_item_breaks_the_record_rather_than_vanishing() {
        assert!(serde_json::from_str::<Both>(r#"{"many":{"data":["x"]}}"#).is_err());
    }
}
