use mis_sync_domain::{ChangedField, RecordKind, plan::Conflict};
use serde::Serialize;
use utoipa::ToSchema;

/// A field that cannot be restored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
pub(crate) struct ConflictView {
    /// The kind of record.
    record: RecordKind,
    /// iP's id of the person, class or subject.
    #[schema(format = "uuid")]
    id: String,
    /// The field, as in the changes of a job.
    field: ChangedField,
    /// The job that changed it last; null if a person changed it by hand, or if the old value is
    /// in use elsewhere or no longer exists.
    #[schema(format = "uuid", required)]
    job_id: Option<String>,
}

impl From<Conflict> for ConflictView {
    fn from(conflict: Conflict) -> Self {
        Self {
            record: conflict.record.kind(),
            id: conflict.record.id().map(|id| id.to_string()).unwrap_or_default(),
            field: conflict.field,
            job_id: conflict.job_id.map(|id| id.to_string()),
        }
    }
}
