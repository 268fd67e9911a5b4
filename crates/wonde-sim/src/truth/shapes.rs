//! The truth as other programs read it.

use serde::{Deserialize, Serialize};

use crate::mis::{Feature, Mis};

/// A school as iP should hold it. Lists are sorted by `wonde_id` as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Wonde's id of the school.
    pub school_id: String,
    /// Its MIS.
    pub mis: Mis,
    /// The features that reach the application. A field or list of any other feature is null or
    /// empty below, and stays as it is in iP.
    pub delivers: Vec<Feature>,
    /// Everyone who is imported.
    pub staff: Vec<StaffTruth>,
    /// Everyone who is not, and why.
    pub not_imported: Vec<NotImported>,
    /// All classes.
    pub classes: Vec<ClassTruth>,
    /// All subjects.
    pub subjects: Vec<SubjectTruth>,
}

/// A person as iP should hold them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffTruth {
    /// Wonde's id.
    pub wonde_id: String,
    /// The UPI, if there is one.
    pub upi: Option<String>,
    /// The record number in the MIS.
    pub mis_id: String,
    /// Work email, trimmed, case kept.
    pub email: String,
    /// Forename, trimmed; empty if the MIS has none.
    pub first_name: String,
    /// Surname, trimmed; empty if the MIS has none.
    pub surname: String,
    /// Initials, trimmed; null if the MIS has none.
    pub initials: Option<String>,
    /// Role names joined by a comma and a space; null if there are none.
    pub job_title: Option<String>,
    /// `teaching_staff` reversed; false if that is null.
    pub non_teaching: bool,
    /// The line manager, if imported too and not above the person in a circle.
    pub line_manager_wonde_id: Option<String>,
    /// Whether there is a photo that can be imported; those of the scenario `odd_photos` cannot.
    pub has_photo: bool,
    /// The lower-case hexadecimal SHA-256 of the photo's bytes, which is also its `hash` on the wire.
    pub photo_hash: Option<String>,
}

/// A person who is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotImported {
    /// Wonde's id.
    pub wonde_id: String,
    /// The reason.
    pub reason: Reason,
}

/// Why a person is not imported. If several reasons apply, the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not a current member of staff.
    NotCurrent,
    /// No work email, or a blank one.
    NoWorkEmail,
    /// The work email does not look like one.
    InvalidWorkEmail,
    /// Neither forename nor surname.
    NameMissing,
    /// Another current person has the same work email.
    SharedWorkEmail,
}

/// A class as iP should hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassTruth {
    /// Wonde's id.
    pub wonde_id: String,
    /// Its name.
    pub name: String,
    /// Its code, if any.
    pub code: Option<String>,
    /// Its description, if any.
    pub description: Option<String>,
    /// Wonde's id of its subject, if any and if subjects reach the application.
    pub subject_wonde_id: Option<String>,
    /// The imported people who teach it, the main teacher first, the others in the order given.
    pub staff: Vec<String>,
}

/// A subject as iP should hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectTruth {
    /// Wonde's id.
    pub wonde_id: String,
    /// Its name.
    pub name: String,
    /// Its code, if any.
    pub code: Option<String>,
    /// The imported people who teach a class of it, each once, sorted.
    pub staff: Vec<String>,
}
