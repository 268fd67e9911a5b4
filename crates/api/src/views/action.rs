use utoipa::ToSchema;

/// Why somebody acts on a job.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: it is read field by field, see `jobs::actions`")]
pub(crate) struct ActionRequest {
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    reason: Option<String>,
}
