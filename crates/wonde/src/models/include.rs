use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::id::{self, WondeId};
use super::shape::{Leaf, Shape};

/// Something that was requested with `include`.
///
/// An unexpected shape counts as not delivered: what cannot be understood must not empty a known
/// value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Include<T> {
    /// The key is missing or null: not requested, not granted or not supported.
    #[default]
    Missing,
    /// Delivered, perhaps empty: `None` for one record, an empty `Vec` for several.
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
pub(super) struct Wrapped<I, M> {
    #[serde(default)]
    pub(super) data: Shape<I, M>,
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

/// Links that each name a record. A link in which `read` finds no record is left out. If that is
/// true of all of them, nothing was understood, so nothing counts as delivered.
pub(crate) fn links<'de, D, T, L>(
    deserializer: D,
    read: impl Fn(T) -> Option<L>,
) -> Result<Include<Vec<L>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let written = to_many::<D, Shape<IgnoredAny, T>>(deserializer)?;
    let Include::Delivered(written) = written else { return Ok(Include::Missing) };
    let is_empty = written.is_empty();
    let link = |written| if let Shape::Object(written) = written { read(written) } else { None };
    let links: Vec<L> = written.into_iter().filter_map(link).collect();
    Ok(if links.is_empty() && !is_empty { Include::Missing } else { Include::Delivered(links) })
}

/// Ids of the included records, one or many, each an object with an id or the id itself. A record
/// without a readable id is left out. If none has one, nothing was understood, so nothing counts as
/// delivered.
pub(crate) fn ids<'de, D>(deserializer: D) -> Result<Include<Vec<WondeId>>, D::Error>
where
    D: Deserializer<'de>,
{
    let shape = Shape::<Identified, IdsWrapped>::deserialize(deserializer)?;
    Ok(match shape {
        Shape::List(items) => readable(items),
        Shape::Object(IdsWrapped { data, id }) => match data {
            Shape::List(items) => readable(items),
            Shape::Null => Include::Delivered(Vec::new()),
            Shape::Object(item) => readable(vec![item]),
            Shape::Missing => readable(vec![Identified(id::read(id))]),
            leaf => readable(vec![Identified(id::read(leaf))]),
        },
        leaf => readable(vec![Identified(id::read(leaf))]),
    })
}

fn readable(items: Vec<Identified>) -> Include<Vec<WondeId>> {
    let nothing_to_read = items.is_empty();
    let ids: Vec<WondeId> = items.into_iter().filter_map(|Identified(id)| id).collect();
    if ids.is_empty() && !nothing_to_read { Include::Missing } else { Include::Delivered(ids) }
}

#[derive(Deserialize)]
struct IdsWrapped {
    #[serde(default)]
    data: Shape<Identified, Identified>,
    /// The id of a single record that is not wrapped.
    #[serde(default)]
    id: Leaf,
}

/// A record of which only the id matters.
struct Identified(Option<WondeId>);

impl<'de> Deserialize<'de> for Identified {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Record {
            #[serde(default)]
            id: Leaf,
        }
        let id = match Shape::<IgnoredAny, Record>::deserialize(deserializer)? {
            Shape::Object(record) => id::read(record.id),
            leaf => id::read(leaf),
        };
        Ok(Self(id))
    }
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
    fn ids_of_any_shape() {
        let cases = [
            ("null", None),
            ("{}", None),
            ("true", None),
            (r#""""#, None),
            (r#"{"data":false}"#, None),
            (r#"{"data":{}}"#, None),
            (r#"{"data":{"id":null,"surname":null}}"#, None),
            (r#"{"data":[null]}"#, None),
            (r#"{"data":[{"employee":"A1"},{"employee":"A2"}]}"#, None),
            (r#"{"id":null}"#, None),
            ("[]", Some(vec![])),
            (r#"{"data":null}"#, Some(vec![])),
            (r#"{"data":[]}"#, Some(vec![])),
            (r#""A1""#, Some(vec!["A1"])),
            ("17", Some(vec!["17"])),
            (r#"{"id":"A1","surname":"x"}"#, Some(vec!["A1"])),
            (r#"{"data":"A1"}"#, Some(vec!["A1"])),
            (r#"{"data":{"id":"A1","employment_details":{"data":{}}}}"#, Some(vec!["A1"])),
            (r#"["A2",{"id":"A1"}]"#, Some(vec!["A2", "A1"])),
            (
                r#"{"data":[{"id":"A3"},"A1",null,{"id":7},{"id":"a/b"},[],{"x":1},"A2"]}"#,
                Some(vec!["A3", "A1", "7", "A2"]),
            ),
        ];
        for (json, expected) in cases {
            let read = ids(&mut serde_json::Deserializer::from_str(json)).unwrap();
            let read = read.delivered().map(|ids| ids.iter().map(WondeId::as_str).collect());
            assert_eq!(read, expected, "{json}");
        }
    }

    #[test]
    fn a_broken_item_breaks_the_record_rather_than_vanishing() {
        assert!(serde_json::from_str::<Both>(r#"{"many":{"data":["x"]}}"#).is_err());
    }
}
