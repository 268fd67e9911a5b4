use std::collections::HashMap;

use serde::Deserialize;

use crate::job::named;

/// The table that is compiled in: `config/mis.toml`.
const BUILT_IN: &str = include_str!("../../../config/mis.toml");

named!(
    /// Something that a MIS may or may not deliver through Wonde.
    Capability, "capability of a MIS", {
        /// Roles, which become the job title.
        Roles = "roles",
        /// A photo of the person.
        Photo = "photo",
        /// The line manager.
        ReportsTo = "reports_to",
        /// The staff of a class.
        ClassStaff = "class_staff",
        /// The staff of a subject.
        SubjectStaff = "subject_staff",
    }
);

/// A Management Information System and what it does not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mis {
    /// Stable name in our own data, for example `rm-integris`.
    pub id: String,
    /// The name that people know.
    pub name: String,
    /// Spellings seen in Wonde's `school.mis`.
    spellings: Vec<String>,
    unsupported: Vec<Capability>,
}

impl Mis {
    /// Whether a school's MIS delivers something. An unknown MIS (`None`) is assumed to support
    /// everything.
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

/// The table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MisTableError {
    #[error("the table of MIS cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Two MIS claim one spelling.
    #[error("the table of MIS gives the spelling `{spelling}` to both `{first}` and `{second}`")]
    SharedSpelling {
        /// The spelling, folded.
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
    /// The built-in table of eleven MIS.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("a test reads the compiled-in table")
    }

    /// Reads a table like `config/mis.toml`.
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

    /// Finds the MIS that `school.mis` names, without regard to case and punctuation.
    pub fn find(&self, spelling: &str) -> Option<&Mis> {
        self.by_spelling.get(&fold(spelling)).map(|index| &self.all[*index])
    }

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
