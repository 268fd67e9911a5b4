//! Classes and subjects as the MIS describes them, in iP's terms.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::named;

/// A class or a subject in the MIS.
///
/// Schools sometimes name classes after people, so `Debug` prints only the id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeachingRecord {
    pub wonde_id: String,
    /// Its name; `None` if it cannot be imported.
    pub name: Option<String>,
    /// Short code; `None` if not given.
    pub code: Option<String>,
    /// Description; `None` if not given.
    pub description: Option<String>,
    pub subject: SubjectOfClass,
    /// Its teachers, main teachers first; `None` if not given.
    pub staff: Option<Vec<Teacher>>,
}

impl fmt::Debug for TeachingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TeachingRecord").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

/// The subject of a class. No information is not the same as having no subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubjectOfClass {
    /// Not delivered: iP's value stays.
    NotDelivered,
    /// The class has no subject.
    Without,
    /// Wonde's id of the subject.
    Of(String),
}

/// A teacher of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teacher {
    pub wonde_id: String,
    /// Whether they are a main teacher.
    pub is_main: bool,
}

named!(
    /// A class or a subject.
    TeachingKind, "kind of teaching", {
        /// A teaching group.
        Class = "class",
        /// What is taught.
        Subject = "subject",
    }
);
