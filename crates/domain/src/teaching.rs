//! Classes and subjects as the MIS describes them, in iP's words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::named;

/// A class or a subject of the MIS.
///
/// Its name says nothing about a person, but schools name classes after people too: `Debug`
/// prints the id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeachingRecord {
    /// Wonde's id of it in this school.
    pub wonde_id: String,
    /// Its name; `None`: it is there, but cannot be imported.
    pub name: Option<String>,
    /// Short code; `None`: not said.
    pub code: Option<String>,
    /// Description; `None`: not said.
    pub description: Option<String>,
    /// Which subject a class is of.
    pub subject: SubjectOfClass,
    /// Who teaches it, main teachers first; `None`: not said.
    pub staff: Option<Vec<Teacher>>,
}

impl fmt::Debug for TeachingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TeachingRecord").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

/// The subject of a class. Saying nothing about it is not the same as saying that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubjectOfClass {
    /// Not delivered: iP keeps what it holds.
    NotDelivered,
    /// The class has no subject.
    Without,
    /// Wonde's id of the subject.
    Of(String),
}

/// Somebody who teaches a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teacher {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// Is a main teacher of the class.
    pub is_main: bool,
}

named!(
    /// Whether something is a class or a subject.
    TeachingKind, "kind of teaching", {
        /// A teaching group.
        Class = "class",
        /// What is taught.
        Subject = "subject",
    }
);
