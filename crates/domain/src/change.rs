use std::fmt;

use uuid::Uuid;

use crate::{ClassId, StaffId, SubjectId, job::named};

named!(
    /// What of a person, a class or a subject a job changed: `created`, a new record, or
    /// one of its columns. `photo_hash` is the SHA-256 of the picture; `department_id` a department that
    /// the person was taken out of; `staff` the ids in iP of those who teach a class or subject, main
    /// teachers first, joined by commas.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    ChangedField, "field", {
        /// It is new; its fields are no changes.
        Created = "created",
        /// Wonde's id.
        WondeId = "wonde_id",
        /// The UPI of the MIS.
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
        /// Whether they do not teach.
        NonTeaching = "non_teaching",
        /// Whether a person can log in; of a class or subject, whether it is not archived.
        Active = "active",
        /// The account passed on by a person's decision, so it has a new password that nobody knows.
        PasswordResetRequired = "password_reset_required",
        /// iP's id of the line manager.
        LineManagerId = "line_manager_id",
        /// SHA-256 of the picture.
        PhotoHash = "photo_hash",
        /// iP's id of a department that the person was taken out of.
        DepartmentId = "department_id",
        /// The name of a class or subject.
        Name = "name",
        /// Its short code.
        Code = "code",
        /// Its description.
        Description = "description",
        /// iP's id of the subject of a class.
        SubjectId = "subject_id",
        /// iP's ids of those who teach it, main teachers first, joined by commas.
        Staff = "staff",
        /// iP's ids of those among them who are main teachers, joined by commas.
        MainTeachers = "main_teachers",
    }
);

impl ChangedField {
    /// Whether what the field holds is about a person. Ids and switches say nothing by themselves,
    /// and the names of classes and subjects are nobody's.
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

    /// Reads a value of this field, as the change history keeps it: booleans as `true` and
    /// `false`, everything else as it is. `None`: it is no value of this field.
    pub fn value(self, text: String) -> Option<FieldValue> {
        match self {
            Self::NonTeaching | Self::Active | Self::PasswordResetRequired => {
                text.parse().ok().map(FieldValue::Flag)
            }
            _ => Some(FieldValue::Text(text)),
        }
    }
}

/// What a field held, or holds now.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Of [`ChangedField::NonTeaching`], [`ChangedField::Active`] and
    /// [`ChangedField::PasswordResetRequired`].
    Flag(bool),
    /// Of every other field.
    Text(String),
}

impl FieldValue {
    /// The value as a text: of a flag `true` or `false`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::Text(text) => text,
        }
    }
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

/// Whose field a job changed. Without an id a dry run would create it.
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

    /// iP's id, whatever it is of.
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
    /// The person, class or subject.
    pub record: ChangedRecord,
    /// Wonde's id of it, if it has one.
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
