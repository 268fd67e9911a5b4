use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{StaffId, WorkEmail, identity::folded, text};

/// A member of staff as iP holds them.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffMember {
    /// iP's own key.
    pub id: StaffId,
    /// Wonde's id of the person; `None`: made by hand and not linked yet.
    pub wonde_id: Option<String>,
    /// Wonde's unique person identifier.
    pub upi: Option<String>,
    /// The login.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Surname.
    pub surname: String,
    /// Initials.
    pub initials: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Non-teaching staff.
    pub non_teaching: bool,
    /// Whom the person reports to.
    pub line_manager_id: Option<StaffId>,
    /// Whether the person can log in.
    pub active: bool,
}

/// Personal data: only the id is printed.
impl fmt::Debug for StaffMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaffMember").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One current member of staff as the MIS describes them, in iP's words.
///
/// `None` in a field means *the MIS did not say*: iP keeps what it holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRecord {
    /// Wonde's id of the person in this school.
    pub wonde_id: String,
    /// Wonde's unique person identifier; survives a re-added person.
    pub upi: Option<String>,
    /// The login; `None`: the MIS has none that can be one.
    pub email: Option<WorkEmail>,
    /// Forename; empty: the MIS did not say.
    pub first_name: String,
    /// Surname; empty: the MIS did not say.
    pub surname: String,
    /// Initials, by which the app shows the person.
    pub initials: Option<String>,
    /// What the roles of the MIS come to.
    pub job_title: JobTitle,
    /// The reverse of the MIS' *teaching staff*.
    pub non_teaching: Option<bool>,
    /// Wonde ids of the people that the MIS lists above or below the person, nearest first;
    /// which of the two is only seen over a whole school.
    pub hierarchy: Option<Vec<String>>,
}

/// A job title as the MIS tells it. Saying nothing about roles is not the same as saying
/// that there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobTitle {
    /// Roles were not delivered: iP keeps what it holds.
    NotDelivered,
    /// The person has no role.
    Empty,
    /// Roles, joined by commas.
    Roles(String),
}

impl JobTitle {
    /// Joins role names by commas, in the order the MIS gave them, without empty ones and repeats.
    /// What differs in capitals and blanks only is a repeat, and the first spelling stays. The second
    /// value says whether the title was too long and is cut.
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

    /// The text for iP; `None` where there is none.
    pub fn as_deref(&self) -> Option<&str> {
        match self {
            Self::NotDelivered | Self::Empty => None,
            Self::Roles(text) => Some(text),
        }
    }
}

/// Personal data: only the id is printed.
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
