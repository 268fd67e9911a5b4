use mis_sync_domain::{Change, ChangedField, FieldValue, RecordKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::mask_text;
use crate::state::Mask;

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeList)]
pub(crate) struct ChangeListView {
    pub(crate) changes: Vec<ChangeView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One field of one person, class or subject that a job changed or, in a dry run, would change.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeView {
    /// The kind of record.
    record: RecordKind,
    /// The person; null for other records, and for a person a dry run would create.
    #[schema(required, format = "uuid")]
    staff_id: Option<String>,
    /// The class; null for other records, and for a class a dry run would create.
    #[schema(required, format = "uuid")]
    class_id: Option<String>,
    /// The subject; null for other records, and for a subject a dry run would create.
    #[schema(required, format = "uuid")]
    subject_id: Option<String>,
    /// Wonde's id of the person, class or subject.
    #[schema(required)]
    wonde_id: Option<String>,
    /// What changed.
    field: ChangedField,
    /// The value before; null if it was empty. Personal data is `•••••` for a key that may not
    /// read it.
    #[schema(required)]
    old: Option<FieldValueView>,
    /// The value after; null if it is empty.
    #[schema(required)]
    new: Option<FieldValueView>,
    #[serde(skip)]
    is_personal: bool,
}

/// The value of a field: true or false for `non_teaching` and `active`, text for all others.
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

    /// As a line of a table; null becomes an empty cell.
    pub(crate) fn cells(&self) -> [&str; 8] {
        [
            self.record.as_str(),
            self.staff_id.as_deref().unwrap_or_default(),
            self.class_id.as_deref().unwrap_or_default(),
            self.subject_id.as_deref().unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
            self.field.as_str(),
            self.old.as_ref().map_or("", FieldValueView::as_str),
            self.new.as_ref().map_or("", FieldValueView::as_str),
        ]
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
        let kind = change.record.kind();
        let id_of = |wanted| change.record.id().filter(|_| kind == wanted).map(|id| id.to_string());
        Self {
            record: kind,
            staff_id: id_of(RecordKind::Staff),
            class_id: id_of(RecordKind::Class),
            subject_id: id_of(RecordKind::Subject),
            wonde_id: change.wonde_id,
            is_personal: change.field.is_personal(),
            field: change.field,
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
