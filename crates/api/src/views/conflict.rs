use mis_sync_domain::{ChangedField, RecordKind, plan::Conflict};
use serde::Serialize;
use utoipa::ToSchema;

/// A field that cannot be taken back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
pub(crate) struct ConflictView {
    /// Whose field.
    record: RecordKind,
    /// iP's id of the person, class or subject.
    #[schema(format = "uuid")]
    id: String,
    /// The field, as in the changes of a job.
    field: ChangedField,
    /// The job that touched it last; null: a person did by hand, or what it was is taken or gone.
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
