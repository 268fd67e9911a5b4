use serde::Deserialize;

use super::id::WondeId;
use super::shape;

/// A school as `schools/{id}` shows it, as far as a sync needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct School {
    /// Wonde's id of the school.
    pub id: WondeId,
    /// The name that people know.
    #[serde(default, deserialize_with = "shape::text")]
    pub name: Option<String>,
    /// The MIS in Wonde's spelling. Only `SIMS` is certain, so compare it tolerantly.
    #[serde(default, deserialize_with = "shape::text")]
    pub mis: Option<String>,
}

/// A school in the list of those that a token can see.
#[derive(Debug, Clone, Deserialize)]
pub struct ListedSchool {
    /// Wonde's id of the school.
    pub id: WondeId,
    #[serde(default, deserialize_with = "shape::text")]
    pub name: Option<String>,
    /// The MIS in Wonde's spelling.
    #[serde(default, deserialize_with = "shape::text")]
    pub mis: Option<String>,
    #[serde(default)]
    pub address: Option<SchoolAddress>,
}

/// Where a school is, as far as a person needs it to tell two schools apart.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct SchoolAddress {
    #[serde(default, rename = "address_town", deserialize_with = "shape::text")]
    pub town: Option<String>,
    #[serde(default, rename = "address_postcode", deserialize_with = "shape::text")]
    pub postcode: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_needs_only_its_id() {
        let school: School = serde_json::from_str(r#"{"id":"A1","region":null}"#).unwrap();
        assert_eq!(school.id.as_str(), "A1");

        let json = r#"{"id":"A1","name":"Hill Top","urn":1,"mis":"SIMS","timezone":"Europe/London",
            "region":{"code":"GBR","domain":"api.wonde.com","identifiers":{"urn":1}}}"#;
        let school: School = serde_json::from_str(json).unwrap();
        assert_eq!(school.mis.as_deref(), Some("SIMS"));
        assert_eq!(school.name.as_deref(), Some("Hill Top"));
    }
}
