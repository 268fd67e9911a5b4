use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{StaffId, WorkEmail, identity::folded, text};

/// A member of staff in iP.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffMember {
    pub id: StaffId,
    /// Wonde's id of the person; `None` if they were added by hand and are not linked yet.
    pub wonde_id: Option<String>,
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    pub email: String,
    pub first_name: String,
    pub surname: String,
    pub initials: Option<String>,
    pub job_title: Option<String>,
    pub non_teaching: bool,
    pub line_manager_id: Option<StaffId>,
    pub active: bool,
}

/// Values are personal data, so only the id is printed.
impl fmt::Debug for StaffMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffMember").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One current member of staff as the MIS describes them, in iP's terms.
///
/// `None` in a field means that *the MIS did not say*, so iP's value stays.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRecord {
    /// Wonde's id of the person in this school.
    pub wonde_id: String,
    /// Wonde's unique person identifier. It survives when a person is added again.
    pub upi: Option<String>,
    /// The login; `None` if the MIS has no usable one.
    pub email: Option<WorkEmail>,
    /// Forename; empty if not given.
    pub first_name: String,
    /// Surname; empty if not given.
    pub surname: String,
    /// Initials, by which the app shows the person.
    pub initials: Option<String>,
    /// The job title that follows from the roles.
    pub job_title: JobTitle,
    /// The reverse of *teaching staff*.
    pub non_teaching: Option<bool>,
    /// Wonde ids of the people that the MIS lists above or below the person, nearest first. Only a
    /// whole school shows which.
    pub hierarchy: Option<Vec<String>>,
}

/// A job title from the MIS. No information about roles is not the same as having no role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobTitle {
    /// Roles were not delivered: iP's value stays.
    NotDelivered,
    /// The person has no role.
    Empty,
    /// Roles, joined by commas.
    Roles(String),
}

impl JobTitle {
    /// Joins role names by commas, in the order of the MIS, without empty and repeated ones. Names
    /// that differ only in capitals and spaces are repeats, and the first spelling stays. The
    /// second value says whether the title was too long and was cut.
    pub fn from_roles<'a>(roles: impl IntoIterator<Item = &'a str>) -> (Self, bool) {
        let mut names: Vec<String> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        for role in roles {
            let words: Vec<&str> =
                role.split(text::is_blank).filter(|word| !word.is_empty()).collect();
            let name = words.join(" ");
            if !name.is_empty() && known.insert(folded(&name)) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return (Self::Empty, false);
        }
        let joined = names.join(", ");
        let title = text::cut(&joined, text::MAX_TITLE);
        let is_cut = title.len() < joined.len();
        let title = if is_cut { title.trim_end_matches([',', ' ']) } else { title };
        (Self::Roles(title.to_owned()), is_cut)
    }

    /// The text for iP; `None` if there is none.
    pub fn as_deref(&self) -> Option<&str> {
        match self {
            Self::NotDelivered | Self::Empty => None,
            Self::Roles(text) => Some(text),
        }
    }
}

/// Values are personal data, so only the id is printed.
impl fmt::Debug for StaffRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffRecord").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_joined_in_order_without_blanks_and_repeats() {
        let table: [(&[&str], Option<&str>); 9] = [
            (&[], None),
            (&["", "  "], None),
            (&["Teacher"], Some("Teacher")),
            (&["Teacher", "Head of Year"], Some("Teacher, Head of Year")),
            (&[" Teacher ", "", "Teacher", "SENCO"], Some("Teacher, SENCO")),
            (&["Tutor, Year 7", "Teacher"], Some("Tutor, Year 7, Teacher")),
            (&["Teacher", "teacher", "TEACHER", "Teacher\u{a0}"], Some("Teacher")),
            (&["head  of year", "Head of Year"], Some("head of year")),
            (&["Tutor, Year 7", "Tutor"], Some("Tutor, Year 7, Tutor")),
        ];
        for (roles, title) in table {
            let (joined, is_cut) = JobTitle::from_roles(roles.iter().copied());
            assert_eq!((joined.as_deref(), is_cut), (title, false), "{roles:?}");
        }
        let many: Vec<String> = (0..200).map(|n| format!("Role {n}")).collect();
        let (joined, is_cut) = JobTitle::from_roles(many.iter().map(String::as_str));
        assert!(is_cut && joined.as_deref().unwrap().chars().count() <= text::MAX_TITLE);
    }
}
