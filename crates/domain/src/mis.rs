use std::collections::HashMap;

use serde::Deserialize;

/// The table that is compiled in: `config/mis.toml`.
const BUILT_IN: &str = include_str!("../../../config/mis.toml");

/// Something that a MIS may or may not deliver through Wonde.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Roles, which become the job title.
    Roles,
    /// A photo of the person.
    Photo,
    /// Whom the person reports to.
    ReportsTo,
    /// Which staff teach a class.
    ClassStaff,
    /// Which staff teach a subject.
    SubjectStaff,
}

/// A Management Information System and what it does not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mis {
    /// Stable name in our own data, for example `rm-integris`.
    pub id: String,
    /// The name people know it by.
    pub name: String,
    /// Spellings seen in Wonde's `school.mis`.
    spellings: Vec<String>,
    unsupported: Vec<Capability>,
}

impl Mis {
    /// Whether a school's MIS delivers something. An unknown MIS (`None`) is taken to
    /// support everything: what arrives is trusted, what does not arrive is kept.
    pub fn supports(mis: Option<&Mis>, capability: Capability) -> bool {
        mis.is_none_or(|mis| !mis.unsupported.contains(&capability))
    }
}

/// The known MIS, found by any spelling.
#[derive(Debug, Clone)]
pub struct MisTable {
    all: Vec<Mis>,
    by_spelling: HashMap<String, usize>,
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MisTableError {
    /// It is no TOML of the expected shape.
    #[error("the table of MIS cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Two MIS claim one spelling, so a school could be taken for either.
    #[error("the table of MIS gives the spelling `{spelling}` to both `{first}` and `{second}`")]
    SharedSpelling {
        /// As it stands in the table, folded.
        spelling: String,
        /// Id of the MIS that has it first.
        first: String,
        /// Id of the MIS that claims it again.
        second: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    mis: Vec<Mis>,
}

impl MisTable {
    /// The eleven MIS that are compiled in.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the compiled-in table")
    }

    /// Reads a table of the shape of `config/mis.toml`.
    pub fn parse(toml: &str) -> Result<Self, MisTableError> {
        let TableFile { mis: all } = toml::from_str(toml)?;
        let mut by_spelling = HashMap::new();
        for (index, mis) in all.iter().enumerate() {
            for spelling in mis.spellings.iter().chain([&mis.id, &mis.name]) {
                let known = by_spelling.insert(fold(spelling), index);
                if let Some(first) = known.filter(|known| *known != index) {
                    return Err(MisTableError::SharedSpelling {
                        spelling: fold(spelling),
                        first: all[first].id.clone(),
                        second: mis.id.clone(),
                    });
                }
            }
        }
        Ok(Self { all, by_spelling })
    }

    /// The MIS that `school.mis` names, whatever its case and punctuation.
    pub fn find(&self, spelling: &str) -> Option<&Mis> {
        self.by_spelling.get(&fold(spelling)).map(|index| &self.all[*index])
    }

    /// All of them, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = &Mis> {
        self.all.iter()
    }
}

fn fold(spelling: &str) -> String {
    spelling.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missions_table_holds_for_each_of_the_eleven() {
        use Capability::{ClassStaff, Photo, ReportsTo, Roles, SubjectStaff};
        let all = [Roles, Photo, ReportsTo, ClassStaff, SubjectStaff];
        let expected: [(&str, &[Capability]); 11] = [
            ("Capita SIMS", &[]),
            ("Arbor", &[]),
            ("RM Integris", &all),
            ("Facility CMIS (Advanced Learning)", &[]),
            ("PupilAsset", &[]),
            ("iSAMS", &[Roles, ReportsTo, ClassStaff, SubjectStaff]),
            ("ScholarPack", &[Roles, Photo, ClassStaff, SubjectStaff]),
            ("Bromcom", &[ReportsTo, ClassStaff, SubjectStaff]),
            ("WCBS", &[Roles, ReportsTo]),
            ("engage", &[Roles, ReportsTo]),
            ("Progresso", &[]),
        ];
        let table = MisTable::built_in();
        assert_eq!(table.iter().count(), expected.len());
        for (name, unsupported) in expected {
            let mis = table.find(name).unwrap();
            for capability in all {
                let supported = Mis::supports(Some(mis), capability);
                assert_eq!(supported, !unsupported.contains(&capability), "{name} {capability:?}");
            }
        }
    }

    #[test]
    fn spelling_ignores_case_and_punctuation_and_the_unknown_supports_everything() {
        let table = MisTable::built_in();
        assert_eq!(table.find("rm integris").unwrap().id, "rm-integris");
        assert_eq!(table.find("Pupil-Asset").unwrap().id, "pupilasset");
        assert!(table.find("Some New MIS").is_none());
        assert!(Mis::supports(None, Capability::Roles));
    }

    #[test]
    fn a_spelling_belongs_to_one_mis() {
        let twice = r#"
            mis = [
              { id = "a", name = "A", spellings = ["X 1"], unsupported = [] },
              { id = "b", name = "B", spellings = ["x-1"], unsupported = [] },
            ]"#;
        let error = MisTable::parse(twice).unwrap_err().to_string();
        assert!(error.contains("`x1` to both `a` and `b`"), "{error}");
    }
}
