use mis_sync_store::undo::Conflict;
use serde::Serialize;
use utoipa::ToSchema;

/// A field that is not any more as the job left it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conflict)]
pub(crate) struct ConflictView {
    /// Whose field: `staff`, `class` or `subject`.
    record: String,
    /// iP's id of the person, class or subject.
    #[schema(format = "uuid")]
    id: String,
    /// The field, as in the changes of a job.
    field: &'static str,
    /// The job that touched it last; null: somebody did by hand.
    #[schema(format = "uuid", required)]
    job_id: Option<String>,
}

impl From<Conflict> for ConflictView {
    fn from(conflict: Conflict) -> Self {
        Self {
            record: conflict.record,
            id: conflict.id.to_string(),
            field: conflict.field.as_str(),
            job_id: conflict.job_id.map(|id| id.to_string()),
        }
    }
}
