use std::fmt;

use uuid::Uuid;

use crate::{ClassId, StaffId, SubjectId, job::named};

named!(
    /// Which field of a person, a class or a subject a job changed.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    ChangedField, "field", {
        /// The record is new. Its fields are not listed as changes.
        Created = "created",
        /// Wonde's id.
        WondeId = "wonde_id",
        /// The UPI.
        Upi = "upi",
        /// The work email, which is the login.
        Email = "email",
        /// The forename.
        FirstName = "first_name",
        /// The surname.
        Surname = "surname",
        /// The initials.
        Initials = "initials",
        /// The job title.
        JobTitle = "job_title",
        /// Whether they are non-teaching staff.
        NonTeaching = "non_teaching",
        /// Whether a person can log in, or whether a class or subject is not archived.
        Active = "active",
        /// The account passed to another person by a decision, so it has a new random password.
        PasswordResetRequired = "password_reset_required",
        /// iP's id of the line manager.
        LineManagerId = "line_manager_id",
        /// SHA-256 of the picture.
        PhotoHash = "photo_hash",
        /// iP's id of a department that the person was removed from.
        DepartmentId = "department_id",
        /// The name of a class or subject.
        Name = "name",
        /// The short code of a class or subject.
        Code = "code",
        /// The description of a class or subject.
        Description = "description",
        /// iP's id of the subject of a class.
        SubjectId = "subject_id",
        /// iP's ids of the teachers, main teachers first, joined by commas.
        Staff = "staff",
        /// iP's ids of the main teachers, joined by commas.
        MainTeachers = "main_teachers",
    }
);

impl ChangedField {
    /// Whether the value is personal data. Ids and switches reveal nothing by themselves, and names
    /// of classes and subjects are not about a person.
    pub fn is_personal(self) -> bool {
        matches!(
            self,
            Self::Upi
                | Self::Email
                | Self::FirstName
                | Self::Surname
                | Self::Initials
                | Self::JobTitle
                | Self::PhotoHash
        )
    }

    /// Parses a value as the change history stores it: `true` and `false` for flags, and the text
    /// itself for all other fields. Returns `None` if this field cannot have that value.
    pub fn value(self, text: String) -> Option<FieldValue> {
        match self {
            Self::NonTeaching | Self::Active | Self::PasswordResetRequired => {
                text.parse().ok().map(FieldValue::Flag)
            }
            _ => Some(FieldValue::Text(text)),
        }
    }
}

/// The value of a field.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// The value of [`ChangedField::NonTeaching`], [`ChangedField::Active`] and
    /// [`ChangedField::PasswordResetRequired`].
    Flag(bool),
    /// The value of every other field.
    Text(String),
}

impl FieldValue {
    /// The value as a text; `true` or `false` for a flag.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::Text(text) => text,
        }
    }
}

/// Values are personal data and are never printed.
impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(_) => f.write_str("Flag(..)"),
            Self::Text(_) => f.write_str("Text(..)"),
        }
    }
}

named!(
    /// A sort of record.
    #[derive(PartialOrd, Ord)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ChangedRecord))]
    RecordKind, "sort of record", {
        /// A person.
        Staff = "staff",
        /// A class.
        Class = "class",
        /// A subject.
        Subject = "subject",
    }
);

/// The record that a job changed. There is no id if a dry run would create it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangedRecord {
    /// A person.
    Staff(Option<StaffId>),
    /// A class.
    Class(Option<ClassId>),
    /// A subject.
    Subject(Option<SubjectId>),
}

impl ChangedRecord {
    /// What it is.
    pub fn kind(self) -> RecordKind {
        match self {
            Self::Staff(_) => RecordKind::Staff,
            Self::Class(_) => RecordKind::Class,
            Self::Subject(_) => RecordKind::Subject,
        }
    }

    /// iP's id, of whichever kind.
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Staff(id) => id.map(|id| id.0),
            Self::Class(id) => id.map(|id| id.0),
            Self::Subject(id) => id.map(|id| id.0),
        }
    }
}

/// One field of one record that a job changed or, in a dry run, would change.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    pub record: ChangedRecord,
    /// Wonde's id of the record, if it has one.
    pub wonde_id: Option<String>,
    /// What changed.
    pub field: ChangedField,
    /// The value before; `None` if it was empty.
    pub old: Option<FieldValue>,
    /// The value after; `None` if it is empty.
    pub new: Option<FieldValue>,
}

/// Values are personal data, so only the record and the field are printed.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("record", &self.record)
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
            assert_eq!(field.as_str().parse::<ChangedField>().as_ref(), Ok(field));
        }
        assert!("password_hash".parse::<ChangedField>().is_err());
    }

    #[test]
    fn only_booleans_are_flags() {
        for field in ChangedField::ALL {
            let is_flag = matches!(field.value("true".into()).unwrap(), FieldValue::Flag(true));
            let flags = [
                ChangedField::NonTeaching,
                ChangedField::Active,
                ChangedField::PasswordResetRequired,
            ];
            assert_eq!(is_flag, flags.contains(field));
        }
        assert_eq!(ChangedField::Active.value("false".into()).unwrap(), FieldValue::Flag(false));
        assert_eq!(ChangedField::Active.value("t".into()), None);
    }

    #[test]
    fn no_value_is_printed() {
        let value = |text: &str| Some(FieldValue::Text(text.into()));
        let change = Change {
            record: ChangedRecord::Staff(None),
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
