use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// Why a record could not be taken as it is. The list is closed: each has a stable code for
/// programs and a sentence for the school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueCode {
    /// No work email in the MIS, so there is no login.
    NoWorkEmail,
    /// The work email is no email address.
    InvalidWorkEmail,
    /// Forename or surname is empty.
    NameMissing,
    /// Several current people of the school have this work email.
    SharedWorkEmail,
    /// The work email is already the login of somebody else in iP.
    WorkEmailInUse,
    /// Wonde's record has a shape that cannot be read.
    UnreadableRecord,
    /// Current in the MIS, inactive in iP, and the school does not restore people.
    InactiveInIp,
    /// The line manager of the MIS is not in iP.
    ManagerMissing,
    /// The line manager of the MIS is inactive in iP.
    ManagerInactive,
    /// The person would be their own line manager, directly or through others.
    ManagerCircle,
}

impl IssueCode {
    /// Every code, for tables and docs.
    pub const ALL: [Self; 10] = [
        Self::NoWorkEmail,
        Self::InvalidWorkEmail,
        Self::NameMissing,
        Self::SharedWorkEmail,
        Self::WorkEmailInUse,
        Self::UnreadableRecord,
        Self::InactiveInIp,
        Self::ManagerMissing,
        Self::ManagerInactive,
        Self::ManagerCircle,
    ];

    /// The stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoWorkEmail => "no_work_email",
            Self::InvalidWorkEmail => "invalid_work_email",
            Self::NameMissing => "name_missing",
            Self::SharedWorkEmail => "shared_work_email",
            Self::WorkEmailInUse => "work_email_in_use",
            Self::UnreadableRecord => "unreadable_record",
            Self::InactiveInIp => "inactive_in_ip",
            Self::ManagerMissing => "manager_missing",
            Self::ManagerInactive => "manager_inactive",
            Self::ManagerCircle => "manager_circle",
        }
    }

    /// What the school reads.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoWorkEmail => {
                "This person has no work email in the MIS, and the work email is their login."
            }
            Self::InvalidWorkEmail => "The work email in the MIS is not an email address.",
            Self::NameMissing => "The forename or the surname is empty in the MIS.",
            Self::SharedWorkEmail => {
                "Several current people have this work email in the MIS, so nobody can say whose \
                 login it is."
            }
            Self::WorkEmailInUse => "This work email is already the login of somebody else in iP.",
            Self::UnreadableRecord => {
                "Wonde delivered this record in a shape that cannot be read. Tell support the id."
            }
            Self::InactiveInIp => {
                "This person is current staff in the MIS but inactive in iP, and the school's \
                 settings do not restore people."
            }
            Self::ManagerMissing => {
                "The line manager in the MIS is not in iP, so the person's line manager in iP was \
                 left as it is."
            }
            Self::ManagerInactive => {
                "The line manager in the MIS is inactive in iP, so the person's line manager in iP \
                 was left as it is."
            }
            Self::ManagerCircle => {
                "In the MIS this person is above themselves, directly or through others, so their \
                 line manager in iP was left as it is."
            }
        }
    }

    /// The field of the MIS that mends it, in the MIS' words.
    pub fn mis_field(self) -> Option<&'static str> {
        match self {
            Self::NoWorkEmail
            | Self::InvalidWorkEmail
            | Self::SharedWorkEmail
            | Self::WorkEmailInUse => Some("Work email"),
            Self::NameMissing => Some("Forename, Surname"),
            Self::ManagerMissing | Self::ManagerInactive | Self::ManagerCircle => {
                Some("Reports to")
            }
            Self::UnreadableRecord | Self::InactiveInIp => None,
        }
    }
}

impl std::str::FromStr for IssueCode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownName::new("issue code", text))
    }
}

/// One record that was left out or not taken whole, and why. Ids only: the school looks the person up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Why.
    pub code: IssueCode,
    /// Whose record; `None` when not even the id can be read.
    pub wonde_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_a_round_trip_in_every_form() {
        for code in IssueCode::ALL {
            assert_eq!(code.as_str().parse::<IssueCode>().unwrap(), code);
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{}\"", code.as_str()));
            assert!(code.sentence().ends_with('.'));
        }
        assert!("nonsense".parse::<IssueCode>().is_err());
    }
}
