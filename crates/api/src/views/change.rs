use mis_sync_domain::{Change, ChangedRecord, FieldValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::mask_text;
use crate::state::Mask;

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeList)]
pub(crate) struct ChangeListView {
    pub(crate) changes: Vec<ChangeView>,
    /// Where the next page begins; null: this is the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One field of one person, class or subject that a job changed or, in a dry run, would change.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeView {
    /// Whose field it is.
    record: RecordView,
    /// The person; null: it is another record, or a dry run would create them.
    #[schema(required, format = "uuid")]
    staff_id: Option<String>,
    /// The class; null: it is another record, or a dry run would create it.
    #[schema(required, format = "uuid")]
    class_id: Option<String>,
    /// The subject; null: it is another record, or a dry run would create it.
    #[schema(required, format = "uuid")]
    subject_id: Option<String>,
    /// Wonde's id of the person, class or subject.
    #[schema(required)]
    wonde_id: Option<String>,
    /// What changed. Of every record: `created`, a new one; `wonde_id`, `active`. Of a person:
    /// `upi`, `email`, `first_name`, `surname`, `initials`, `job_title`, `non_teaching`,
    /// `line_manager_id`, `password_reset_required` (the account passed on, and has a new password that nobody knows),
    /// `photo_hash` (SHA-256 of the picture), `department_id` (one that the
    /// person was taken out of). Of a class or subject: `name`, `code`, `description`, `staff`
    /// (iP's ids of those who teach it, main teachers first, joined by commas); of a class also
    /// `subject_id`.
    #[schema(examples("job_title"))]
    field: &'static str,
    /// The value before; null: empty. What is about a person is `•••••` for a key that may not read
    /// personal data.
    #[schema(required)]
    old: Option<FieldValueView>,
    /// The value after; null: empty.
    #[schema(required)]
    new: Option<FieldValueView>,
    #[serde(skip)]
    is_personal: bool,
}

/// What sort of record a job changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedRecord)]
#[serde(rename_all = "kebab-case")]
enum RecordView {
    Staff,
    Class,
    Subject,
}

/// The value of a field: true or false for `non_teaching` and `active`, else a text.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldValue)]
#[serde(untagged)]
pub(crate) enum FieldValueView {
    Flag(bool),
    Text(String),
}

impl ChangeView {
    /// Names of the columns of [`Self::cells`].
    pub(crate) const COLUMNS: [&str; 8] =
        ["record", "staff_id", "class_id", "subject_id", "wonde_id", "field", "old", "new"];

    /// As a line of a table; null is empty.
    pub(crate) fn cells(&self) -> [&str; 8] {
        [
            self.record.as_str(),
            self.staff_id.as_deref().unwrap_or_default(),
            self.class_id.as_deref().unwrap_or_default(),
            self.subject_id.as_deref().unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
            self.field,
            self.old.as_ref().map_or("", FieldValueView::as_str),
            self.new.as_ref().map_or("", FieldValueView::as_str),
        ]
    }
}

impl RecordView {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Class => "class",
            Self::Subject => "subject",
        }
    }
}

impl FieldValueView {
    fn as_str(&self) -> &str {
        match self {
            Self::Flag(true) => "true",
            Self::Flag(false) => "false",
            Self::Text(text) => text,
        }
    }
}

impl Mask for ChangeView {
    fn masked(self) -> Self {
        if !self.is_personal {
            return self;
        }
        Self { old: self.old.map(Mask::masked), new: self.new.map(Mask::masked), ..self }
    }
}

impl Mask for FieldValueView {
    fn masked(self) -> Self {
        Self::Text(mask_text())
    }
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        let (record, [staff_id, class_id, subject_id]) = match change.record {
            ChangedRecord::Staff(id) => {
                (RecordView::Staff, [id.map(|id| id.to_string()), None, None])
            }
            ChangedRecord::Class(id) => {
                (RecordView::Class, [None, id.map(|id| id.to_string()), None])
            }
            ChangedRecord::Subject(id) => {
                (RecordView::Subject, [None, None, id.map(|id| id.to_string())])
            }
        };
        Self {
            record,
            staff_id,
            class_id,
            subject_id,
            wonde_id: change.wonde_id,
            is_personal: change.field.is_personal(),
            field: change.field.as_str(),
            old: change.old.map(FieldValueView::from),
            new: change.new.map(FieldValueView::from),
        }
    }
}

impl From<FieldValue> for FieldValueView {
    fn from(value: FieldValue) -> Self {
        match value {
            FieldValue::Flag(flag) => Self::Flag(flag),
            FieldValue::Text(text) => Self::Text(text),
        }
    }
}
