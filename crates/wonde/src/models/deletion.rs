use serde::{Deserialize, Deserializer};

use super::date::{WondeDate, date};
use super::id::WondeId;
use super::shape;

/// A record that is gone from its list. Records that went with a parent have no entry of their own,
/// and a record may be back: see `restored_at`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Deletion {
    /// The kind of record, for example `employee`; empty if Wonde does not say. Check it: if Wonde
    /// ignores the filter, other kinds arrive too.
    #[serde(default, rename = "type", deserialize_with = "kind")]
    pub kind: String,
    pub id: WondeId,
    /// Set if it came back afterwards.
    #[serde(default, deserialize_with = "date")]
    pub restored_at: Option<WondeDate>,
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    shape::text(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_needs_only_its_id() {
        let json = r#"{"type":"class","id":"A4","mis_id":9,"restored_at":null,
            "deleted_at":{"date":"2023-05-25 09:09:31","timezone_type":3,"timezone":"UTC"}}"#;
        let deletion: Deletion = serde_json::from_str(json).unwrap();
        assert_eq!((deletion.kind.as_str(), deletion.id.as_str()), ("class", "A4"));
        assert_eq!(deletion.restored_at, None);

        for json in [r#"{"id":"A4"}"#, r#"{"id":"A4","type":null}"#, r#"{"id":"A4","type":[1]}"#] {
            assert_eq!(serde_json::from_str::<Deletion>(json).unwrap().kind, "", "{json}");
        }
        assert!(serde_json::from_str::<Deletion>(r#"{"type":"class"}"#).is_err());
    }
}
