//! Wonde's JSON envelope: `{"data": …, "meta": {"pagination": …}}`.
//!
//! An answer is decoded in one pass. Only if that fails is it taken apart and read again, record by
//! record, to name the records that do not decode and keep the others.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::bom::without_marks;
use crate::error::Error;
use crate::mend::Mended;
use crate::models::WondeId;
use crate::models::shape::{self, Shape};
use crate::parts::{items, key_and_value, members};

/// A record that does not decode. The caller must not treat the person as gone: the record is
/// there, only unreadable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct UndecodableRecord {
    /// The record's id, if that can be read.
    pub wonde_id: Option<String>,
    /// What is wrong with its shape, without any of its values.
    pub reason: String,
}

impl fmt::Display for UndecodableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.wonde_id.as_deref().unwrap_or("without id");
        write!(f, "record {id} does not decode: {}", self.reason)
    }
}

/// The content of one list answer. `next` is still as it was written.
pub(crate) struct DecodedPage<T> {
    pub(crate) records: Vec<Result<T, UndecodableRecord>>,
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
struct ListEnvelope<T> {
    // There is no default: an answer without `data` must never count as an empty school.
    data: Vec<T>,
    #[serde(default)]
    meta: Shape<IgnoredAny, Meta>,
}

#[derive(Deserialize)]
struct SingleEnvelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    pagination: Shape<IgnoredAny, Pagination>,
}

#[derive(Deserialize)]
struct Pagination {
    #[serde(default, deserialize_with = "shape::text")]
    next: Option<String>,
    #[serde(default, deserialize_with = "shape::flag")]
    more: Option<bool>,
}

/// Decodes a list answer. Records that do not decode are separate errors.
pub(crate) fn decode_page<T: DeserializeOwned>(body: &[u8]) -> Result<DecodedPage<T>, Error> {
    let error = match serde_json::from_slice::<ListEnvelope<T>>(body) {
        Ok(page) => {
            let records = page.data.into_iter().map(Ok).collect();
            return Ok(DecodedPage { records, next: next_page(page.meta)? });
        }
        Err(error) => error,
    };
    if let Some(clean) = without_marks(body) {
        return decode_page(&clean);
    }
    let mended = Mended::of(body);
    let parts = Parts::of(&mended).ok_or_else(|| unreadable(&error))?;
    let records = items(parts.data).ok_or_else(|| unreadable(&error))?;
    let in_records: usize = records.iter().map(|record| mended.replaced_in(record)).sum();
    if in_records < mended.replaced() {
        return Err(unreadable(&error));
    }
    // Without it, we do not know whether the list continues.
    let meta = parts.meta.map(serde_json::from_str).transpose();
    let meta = meta.map_err(|_quoting| unreadable_place())?.unwrap_or_default();
    let records = records.into_iter().map(|record| decode_record(body, &mended, record)).collect();
    Ok(DecodedPage { records, next: next_page(meta)? })
}

/// Decodes the answer to a request for one record.
pub(crate) fn decode_single<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let error = match serde_json::from_slice::<SingleEnvelope<T>>(body) {
        Ok(single) => return Ok(single.data),
        Err(error) => error,
    };
    if let Some(clean) = without_marks(body) {
        return decode_single(&clean);
    }
    let mended = Mended::of(body);
    let parts = Parts::of(&mended).ok_or_else(|| unreadable(&error))?;
    Ok(decode_record(body, &mended, parts.data)?)
}

/// Decodes a record that is not about a person, so a damaged text does no harm.
pub(crate) fn decode_damaged<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let as_it_was = decode_single(body);
    if !matches!(as_it_was, Err(Error::Record(_))) {
        return as_it_was;
    }
    match serde_json::from_slice::<SingleEnvelope<T>>(Mended::of(body).body()) {
        Ok(single) => Ok(single.data),
        Err(_) => as_it_was,
    }
}

/// An answer in parts, each as it was written.
struct Parts<'a> {
    data: &'a str,
    meta: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// `None` if the answer is not complete, or if one of the parts comes twice.
    fn of(mended: &'a Mended) -> Option<Self> {
        let text = std::str::from_utf8(mended.body()).ok()?;
        let (mut data, mut meta) = (None, None);
        for member in members(text)? {
            let (key, value) = key_and_value(member)?;
            let part = match key.as_str() {
                "data" => &mut data,
                "meta" => &mut meta,
                _ => continue,
            };
            if part.replace(value).is_some() {
                return None;
            }
        }
        Some(Self { data: data?, meta })
    }
}

/// A missing pagination object means the last page: Wonde's reference says that short lists have
/// none. But `more` without `next` is a truncated list. If it counted as the end, everyone on the
/// missing pages would become a leaver. The same is true of a pagination of another type.
fn next_page(meta: Shape<IgnoredAny, Meta>) -> Result<Option<String>, Error> {
    let pagination = match meta {
        Shape::Object(Meta { pagination }) => pagination,
        other if is_nothing(&other) => Shape::Missing,
        _ => return Err(unreadable_place()),
    };
    match pagination {
        // Some servers name the last page as its own next, or a page behind it.
        Shape::Object(Pagination { more: Some(false), .. }) => Ok(None),
        Shape::Object(Pagination { next: None, more: Some(true) }) => {
            Err(Error::decode("more pages are promised, but none is named"))
        }
        Shape::Object(Pagination { next, .. }) => Ok(next),
        other if is_nothing(&other) => Ok(None),
        _ => Err(unreadable_place()),
    }
}

/// Missing, null, or PHP's empty object.
fn is_nothing<T>(shape: &Shape<IgnoredAny, T>) -> bool {
    match shape {
        Shape::Missing | Shape::Null => true,
        Shape::List(items) => items.is_empty(),
        _ => false,
    }
}

fn unreadable_place() -> Error {
    Error::decode("where the list goes on cannot be read")
}

/// Decodes a record as it was. A damaged text in a field that is not read does no harm.
fn decode_record<T: DeserializeOwned>(
    body: &[u8],
    mended: &Mended,
    record: &str,
) -> Result<T, UndecodableRecord> {
    serde_json::from_slice(&body[mended.place_of(record)]).map_err(|error| explain(record, &error))
}

/// Says where a record fails. The decoder's own words are not used, because they quote values.
fn explain(record: &str, error: &serde_json::Error) -> UndecodableRecord {
    let Some(members) = members(record) else {
        return UndecodableRecord { wonde_id: None, reason: "it is not an object".to_owned() };
    };
    let wonde_id = id_among(&members);
    let reason = match wonde_id {
        None => "it has no usable id".to_owned(),
        Some(_) => format!("unexpected shape at character {}", error.column()),
    };
    UndecodableRecord { wonde_id, reason }
}

/// The only id among the members of a record.
fn id_among(members: &[&str]) -> Option<String> {
    let values = members.iter().filter_map(|member| key_and_value(member));
    let ids = values.filter(|(key, _)| key == "id");
    let mut ids = ids.map(|(_, id)| serde_json::from_str::<WondeId>(id).ok());
    let id = ids.next()??;
    ids.all(|other| other.as_ref() == Some(&id)).then(|| id.to_string())
}

fn unreadable(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    Error::decode(match error.classify() {
        serde_json::error::Category::Data => {
            format!("no usable data at line {line} column {column}")
        }
        serde_json::error::Category::Eof => "the JSON ends too early".to_owned(),
        _ => format!("not JSON at line {line} column {column}"),
    })
}

#[cfg(test)]
mod tests;
