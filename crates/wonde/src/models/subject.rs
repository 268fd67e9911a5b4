use serde::Deserialize;

use super::id::{self, InvalidWondeId, WondeId};
use super::shape;

/// A subject that is taught.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenSubject")]
pub struct Subject {
    /// Wonde's id; changes when the school changes its MIS.
    pub id: WondeId,
    /// Short code.
    pub code: Option<String>,
    pub name: Option<String>,
    /// What it is about. This field is not documented.
    pub description: Option<String>,
    /// Whether it is taught now, as the MIS says; often null.
    pub active: Option<bool>,
}

/// A subject that may lack its id: if a school does not grant subjects, it may consist of nulls.
#[derive(Deserialize)]
pub(super) struct WrittenSubject {
    #[serde(default, deserialize_with = "id::optional")]
    id: Option<WondeId>,
    #[serde(default, deserialize_with = "shape::text")]
    code: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "shape::text")]
    description: Option<String>,
    #[serde(default, deserialize_with = "shape::flag")]
    active: Option<bool>,
}

impl TryFrom<WrittenSubject> for Subject {
    type Error = InvalidWondeId;

    fn try_from(written: WrittenSubject) -> Result<Self, InvalidWondeId> {
        Ok(Self {
            id: written.id.ok_or(InvalidWondeId)?,
            code: written.code,
            name: written.name,
            description: written.description,
            active: written.active,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_needs_only_its_id() {
        let json = r#"{"id":"A5","mis_id":12,"code":"Ma","name":"Mathematics","active":"1",
            "created_at":{"date":"2020-01-07 10:00:00.000000","timezone_type":3,"timezone":"UTC"},
            "updated_at":"soon"}"#;
        let subject: Subject = serde_json::from_str(json).unwrap();
        assert_eq!(subject.id.as_str(), "A5");
        assert_eq!((subject.code.as_deref(), subject.active), (Some("Ma"), Some(true)));
        assert_eq!(subject.name.as_deref(), Some("Mathematics"));

        let bare: Subject = serde_json::from_str(r#"{"id":5,"name":[],"active":"?"}"#).unwrap();
        assert_eq!((bare.id.as_str(), bare.name, bare.active), ("5", None, None));
        for json in ["{}", r#"{"id":null,"name":"Mathematics"}"#, r#"{"id":"a/b"}"#] {
            assert!(serde_json::from_str::<Subject>(json).is_err(), "{json}");
        }
    }
}
