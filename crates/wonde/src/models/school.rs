use serde::Deserialize;

use super::id::WondeId;
use super::shape;

/// A school as `schools/{id}` shows it, as far as a sync needs it.
#[derive(Debug, Clone, Deserialize)]
pub struct School {
    /// Wonde's id of the school.
    pub id: WondeId,
    #[serde(default, deserialize_with = "shape::text")]
    pub name: Option<String>,
    /// The MIS in Wonde's spelling. Only `SIMS` is certain, so compare it tolerantly.
    #[serde(default, deserialize_with = "shape::text")]
    pub mis: Option<String>,
    /// IANA name of the school's time zone.
    #[serde(default, deserialize_with = "shape::text")]
    pub timezone: Option<String>,
    /// Where its data are stored.
    #[serde(default, deserialize_with = "shape::object")]
    pub region: Region,
}

/// Where a school's data are stored. The wrong domain answers with no data instead of a redirect.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Region {
    /// Short name of the region.
    #[serde(default, deserialize_with = "shape::text")]
    pub code: Option<String>,
    /// Host that serves the school's data, for example `api.wonde.com`.
    #[serde(default, deserialize_with = "shape::text")]
    pub domain: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_needs_only_its_id() {
        let school: School = serde_json::from_str(r#"{"id":"A1","region":null}"#).unwrap();
        assert_eq!(school.id.as_str(), "A1");
        assert_eq!(school.region.domain, None);

        let json = r#"{"id":"A1","name":"Hill Top","urn":1,"mis":"SIMS","timezone":"Europe/London",
            "region":{"code":"GBR","domain":"api.wonde.com","identifiers":{"urn":1}}}"#;
        let school: School = serde_json::from_str(json).unwrap();
        assert_eq!(school.name.as_deref(), Some("Hill Top"));
        assert_eq!(school.mis.as_deref(), Some("SIMS"));
        assert_eq!(school.region.domain.as_deref(), Some("api.wonde.com"));
    }
}
