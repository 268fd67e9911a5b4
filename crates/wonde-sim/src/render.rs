//! The JSON of the Wonde API, written directly from the state: keys in the captured order, null but
//! never absent.

pub(crate) mod dates;
pub(crate) mod details;
pub(crate) mod employee;
pub(crate) mod school;
pub(crate) mod teaching;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use crate::mis::Feature;
use crate::options::{HierarchyDirection, Unsupported};
use crate::paging::Pagination;
use crate::school::School;

/// The look of a response where Wonde's own is not known and the school has none of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) unsupported: Unsupported,
    pub(crate) hierarchy: HierarchyDirection,
}

impl Look {
    /// How a feature that `school` does not share looks.
    fn without(self, school: &School, feature: Feature) -> Unsupported {
        school.look_without(feature, self.unsupported)
    }

    /// A to-one include: the value, or `bare` if it is not shared. The outer `None` is `null` in
    /// place of the include, the inner one `{"data":null}`.
    #[expect(clippy::option_option, reason = "the wire has both nulls")]
    fn to_one<T>(
        self,
        school: &School,
        feature: Feature,
        has: Option<T>,
        bare: T,
    ) -> Option<Option<T>> {
        match self.without(school, feature) {
            _ if school.delivers(feature) => Some(has),
            Unsupported::Null => None,
            Unsupported::Empty | Unsupported::Forbidden => Some(Some(bare)),
        }
    }
}

/// A single thing: `{"data": …, "meta": …}`.
#[derive(Serialize)]
pub(crate) struct Single<'a, T> {
    pub(crate) data: T,
    pub(crate) meta: Meta<'a>,
}

/// `meta` of any answer.
#[derive(Serialize)]
pub(crate) struct Meta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pagination: Option<Pagination>,
    pub(crate) includes: Vec<&'a str>,
}

/// An include: `{"data": …}`.
#[derive(Serialize)]
pub(crate) struct Data<T> {
    pub(crate) data: T,
}

/// A list that is written item by item, without being collected first.
pub(crate) struct Each<I>(pub(crate) I);

impl<I> Serialize for Each<I>
where
    I: Iterator + Clone,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in self.0.clone() {
            list.serialize_element(&item)?;
        }
        list.end()
    }
}

/// An include of many things.
pub(crate) fn many<M, I>(map: &mut M, key: &'static str, items: I) -> Result<(), M::Error>
where
    M: SerializeMap,
    I: Iterator + Clone,
    I::Item: Serialize,
{
    map.serialize_entry(key, &Data { data: Each(items) })
}

/// An include of many records that are not shared.
pub(crate) fn none_of_many<M: SerializeMap>(
    map: &mut M,
    key: &'static str,
    look: Unsupported,
) -> Result<(), M::Error> {
    match look {
        Unsupported::Null => map.serialize_entry(key, &()),
        Unsupported::Empty | Unsupported::Forbidden => {
            map.serialize_entry(key, &Data { data: [(); 0] })
        }
    }
}

/// The bytes of an answer.
pub(crate) fn json(answer: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    serde_json::to_writer(&mut bytes, answer)
        .expect("only text keys, and writing to memory does not fail");
    bytes
}
