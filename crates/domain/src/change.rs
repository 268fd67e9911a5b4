use std::fmt;

use crate::{StaffId, UnknownName};

/// What of a person a job changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangedField {
    /// The person is new; their fields are no changes.
    Created,
    /// Wonde's id.
    WondeId,
    /// The UPI of the MIS.
    Upi,
    /// The work email, which is the login.
    Email,
    /// The forename.
    FirstName,
    /// The surname.
    Surname,
    /// The initials.
    Initials,
    /// The job title.
    JobTitle,
    /// Whether they do not teach.
    NonTeaching,
    /// Whether they can log in.
    Active,
    /// iP's id of the line manager.
    LineManagerId,
}

impl ChangedField {
    /// Every field, for tables and docs.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::WondeId,
        Self::Upi,
        Self::Email,
        Self::FirstName,
        Self::Surname,
        Self::Initials,
        Self::JobTitle,
        Self::NonTeaching,
        Self::Active,
        Self::LineManagerId,
    ];

    /// The stable name: a column of `staff`, or `created`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::WondeId => "wonde_id",
            Self::Upi => "upi",
            Self::Email => "email",
            Self::FirstName => "first_name",
            Self::Surname => "surname",
            Self::Initials => "initials",
            Self::JobTitle => "job_title",
            Self::NonTeaching => "non_teaching",
            Self::Active => "active",
            Self::LineManagerId => "line_manager_id",
        }
    }

    /// Reads a value of this field, as the change history keeps it: booleans as `true` and
    /// `false`, everything else as it is. `None`: it is no value of this field.
    pub fn value(self, text: String) -> Option<FieldValue> {
        match self {
            Self::NonTeaching | Self::Active => text.parse().ok().map(FieldValue::Flag),
            _ => Some(FieldValue::Text(text)),
        }
    }
}

impl std::str::FromStr for ChangedField {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|field| field.as_str() == text)
            .ok_or_else(|| UnknownName::new("field", text))
    }
}

/// What a field held, or holds now.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Of [`ChangedField::NonTeaching`] and [`ChangedField::Active`].
    Flag(bool),
    /// Of every other field.
    Text(String),
}

/// Personal data: the value is not printed.
impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(_) => f.write_str("Flag(..)"),
            Self::Text(_) => f.write_str("Text(..)"),
        }
    }
}

/// One field of one person that a job changed or, in a dry run, would change.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// The person; `None`: a dry run would create them.
    pub staff_id: Option<StaffId>,
    /// Wonde's id of the person, if they have one.
    pub wonde_id: Option<String>,
    /// What changed.
    pub field: ChangedField,
    /// The value before; `None`: empty.
    pub old: Option<FieldValue>,
    /// The value after; `None`: empty.
    pub new: Option<FieldValue>,
}

/// Personal data: of the change only who and what is printed, no value.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("staff_id", &self.staff_id)
            .field("wonde_id", &self.wonde_id)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for field in ChangedField::ALL {
            assert_eq!(field.as_str().parse::<ChangedField>().unwrap(), field);
        }
        assert!("password_hash".parse::<ChangedField>().is_err());
    }

    #[test]
    fn only_booleans_are_flags() {
        for field in ChangedField::ALL {
            let is_flag = matches!(field.value("true".into()).unwrap(), FieldValue::Flag(true));
            assert_eq!(is_flag, [ChangedField::NonTeaching, ChangedField::Active].contains(&field));
        }
        assert_eq!(ChangedField::Active.value("false".into()).unwrap(), FieldValue::Flag(false));
        assert_eq!(ChangedField::Active.value("t".into()), None);
    }

    #[test]
    fn no_value_is_printed() {
        let value = |text: &str| Some(FieldValue::Text(text.into()));
        let change = Change {
            staff_id: None,
            wonde_id: Some("A1".into()),
            field: ChangedField::Email,
            old: value("ada@oak.example"),
            new: value("bea@oak.example"),
        };
        let text = format!("{change:?} {:?}", change.old);
        assert!(text.contains("A1") && text.contains("Email"), "{text}");
        assert!(!text.contains("oak.example"), "{text}");
    }
}
