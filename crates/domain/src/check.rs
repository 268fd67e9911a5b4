//! What a school grants, as Wonde said when it was asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{IssueCode, job::named};

named!(
    /// What Wonde says to a school's token.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    TokenVerdict, "verdict on a token", {
        /// It is accepted for this school.
        Accepted = "accepted",
        /// It is refused.
        Refused = "refused",
        /// It is known, and the school has not approved the access.
        NotApproved = "not_approved",
        /// Wonde knows no school with this Wonde id.
        UnknownSchool = "unknown_school",
    }
);

named!(
    /// A part of a school's data that needs a permission of its own.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    CheckedPart, "part of a school's data", {
        /// The people themselves, with their names.
        Staff = "staff",
        /// Contact details, whose work email is the login.
        WorkEmails = "work_emails",
        /// Employment details, which say who is current staff.
        Employment = "employment",
        /// Roles, which become job titles.
        JobTitles = "job_titles",
        /// Who reports to whom.
        LineManagers = "line_managers",
        Photos = "photos",
        Classes = "classes",
        /// Who teaches which class.
        ClassStaff = "class_staff",
        Subjects = "subjects",
    }
);

named!(
    /// Whether a part of a school's data arrives.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    GrantState, "state of a grant", {
        Granted = "granted",
        /// Wonde refuses it: the school has not approved the permission.
        NotGranted = "not_granted",
        /// Wonde does not refuse it, and none of the first records has a value.
        Empty = "empty",
        /// The school's MIS does not deliver it.
        NotInMis = "not_in_mis",
        /// The school's settings do not import it.
        NotImported = "not_imported",
    }
);

/// Whether one part arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub part: CheckedPart,
    pub state: GrantState,
}

/// The result of a check. It contains no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchoolCheck {
    /// When Wonde was asked.
    pub checked_at: DateTime<Utc>,
    pub token: TokenVerdict,
    /// The name of the school in Wonde, if the token is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wonde_name: Option<String>,
    /// Empty unless the token is accepted.
    pub grants: Vec<Grant>,
}

impl TokenVerdict {
    /// One sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Accepted => "Wonde accepts the token.",
            Self::Refused => {
                "Wonde refuses the token. Connect the school with the token of its \
                              approval in Wonde."
            }
            Self::NotApproved => {
                "The school has not approved the access in Wonde, or has ended it."
            }
            Self::UnknownSchool => "Wonde knows no school with this Wonde id.",
        }
    }
}

impl CheckedPart {
    /// The name that people know, which is that of the column in iP.
    pub fn label(self) -> &'static str {
        match self {
            Self::Staff => "Staff",
            Self::WorkEmails => "Work emails",
            Self::Employment => "Employment",
            Self::JobTitles => "Job titles",
            Self::LineManagers => "Line managers",
            Self::Photos => "Photos",
            Self::Classes => "Classes",
            Self::ClassStaff => "Class staff",
            Self::Subjects => "Subjects",
        }
    }

    /// The issue of a school that withholds it; a school that withholds its staff cannot be synced.
    pub fn withheld(self) -> Option<IssueCode> {
        match self {
            Self::Staff => None,
            Self::WorkEmails => Some(IssueCode::ContactDetailsWithheld),
            Self::Employment => Some(IssueCode::EmploymentWithheld),
            Self::JobTitles => Some(IssueCode::RolesWithheld),
            Self::LineManagers => Some(IssueCode::LineManagersWithheld),
            Self::Photos => Some(IssueCode::PhotosWithheld),
            Self::Classes => Some(IssueCode::ClassesWithheld),
            Self::ClassStaff => Some(IssueCode::ClassStaffWithheld),
            Self::Subjects => Some(IssueCode::SubjectsWithheld),
        }
    }

    /// What is missing in iP without it.
    fn consequence(self) -> &'static str {
        match self {
            Self::Staff => "Nothing can be synced.",
            Self::WorkEmails => "No one is imported or changed, because a person needs a login.",
            Self::Employment => "No one is imported, and no one becomes inactive.",
            Self::JobTitles => "Job titles stay as they are in iP.",
            Self::LineManagers => "Line managers stay as they are in iP.",
            Self::Photos => "Pictures stay as they are in iP.",
            Self::Classes => "Classes stay as they are in iP.",
            Self::ClassStaff => "Who teaches which class stays as it is in iP.",
            Self::Subjects => "Subjects stay as they are in iP.",
        }
    }
}

impl Grant {
    /// What is missing in iP, for people; `None` if nothing is.
    pub fn missing(self) -> Option<String> {
        let problem = match self.state {
            GrantState::Granted | GrantState::NotImported => return None,
            GrantState::NotGranted => "not granted",
            GrantState::Empty => "nothing arrives",
            GrantState::NotInMis => "the MIS does not deliver them",
        };
        Some(format!("{}: {problem}. {}", self.part.label(), self.part.consequence()))
    }
}

impl SchoolCheck {
    /// Everything that will be missing in iP, for people.
    pub fn missing(&self) -> Vec<String> {
        self.grants.iter().filter_map(|grant| grant.missing()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_and_what_is_not_wanted_is_not() {
        let of = |part, state| Grant { part, state }.missing();
        assert_eq!(
            of(CheckedPart::LineManagers, GrantState::NotGranted).unwrap(),
            "Line managers: not granted. Line managers stay as they are in iP."
        );
        for part in CheckedPart::ALL.iter().copied() {
            assert_eq!(of(part, GrantState::Granted), None);
            assert_eq!(of(part, GrantState::NotImported), None);
            assert!(of(part, GrantState::Empty).unwrap().contains(": nothing arrives. "));
        }
    }
}
