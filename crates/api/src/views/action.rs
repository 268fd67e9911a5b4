use mis_sync_domain::GuardCategory;
use utoipa::ToSchema;

/// Why a person acts on a job.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `jobs::actions`")]
pub(crate) struct ActionRequest {
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// What a person approves of a held job, and why.
#[derive(ToSchema)]
#[schema(as = ApproveRequest)]
#[expect(dead_code, reason = "only described: it is read field by field, see `jobs::actions`")]
pub(crate) struct ApproveRequest {
    /// Some of the categories in `report.guard`; iP keeps its values for the others. If left out,
    /// all of them.
    #[schema(min_items = 1)]
    categories: Option<Vec<GuardCategory>>,
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    reason: Option<String>,
}
