use mis_sync_domain::{Change, FieldValue};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangeList)]
pub(crate) struct ChangeListView {
    pub(crate) changes: Vec<ChangeView>,
    /// Where the next page begins; null: this is the last.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One field of one person that a job changed or, in a dry run, would change.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeView {
    /// The person; null: a dry run would create them.
    #[schema(required, format = "uuid")]
    staff_id: Option<String>,
    /// Wonde's id of the person.
    #[schema(required)]
    wonde_id: Option<String>,
    /// What changed: `wonde_id`, `upi`, `email`, `first_name`, `surname`, `initials`,
    /// `job_title`, `non_teaching`, `active`, `line_manager_id`; or `created`, a new person.
    #[schema(examples("job_title"))]
    field: &'static str,
    /// The value before; null: empty.
    #[schema(required)]
    old: Option<FieldValueView>,
    /// The value after; null: empty.
    #[schema(required)]
    new: Option<FieldValueView>,
}

/// The value of a field: true or false for `non_teaching` and `active`, else a text.
#[derive(Serialize, ToSchema)]
#[schema(as = FieldValue)]
#[serde(untagged)]
enum FieldValueView {
    Flag(bool),
    Text(String),
}

impl ChangeView {
    /// Names of the columns of [`Self::cells`].
    pub(crate) const COLUMNS: [&str; 5] = ["staff_id", "wonde_id", "field", "old", "new"];

    /// As a line of a table; null is empty.
    pub(crate) fn cells(&self) -> [&str; 5] {
        [
            self.staff_id.as_deref().unwrap_or_default(),
            self.wonde_id.as_deref().unwrap_or_default(),
            self.field,
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

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            staff_id: change.staff_id.map(|id| id.to_string()),
            wonde_id: change.wonde_id,
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
