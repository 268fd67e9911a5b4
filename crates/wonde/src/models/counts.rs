use serde::Deserialize;
use serde_json::Value;

/// How many records of each kind there are. Each is wrapped like an include: `{"employees":
/// {"data": {"count": 12}}}`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Counts(Value);

impl Counts {
    pub(crate) fn employees(&self) -> Option<u64> {
        self.0.pointer("/employees/data/count")?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_and_any_other_shape_is_none() {
        let count = |json: &str| serde_json::from_str::<Counts>(json).unwrap().employees();
        assert_eq!(count(r#"{"employees":{"data":{"count":12}}}"#), Some(12));
        for other in ["null", "[]", r#"{"employees":[]}"#, r#"{"employees":{"data":{"count":-1}}}"#]
        {
            assert_eq!(count(other), None, "{other}");
        }
    }
}
