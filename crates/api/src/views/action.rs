use mis_sync_domain::GuardCategory;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Body;

/// Why a person acts on a job.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionRequest {
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

/// What a person approves of a held job, and why.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveRequest {
    /// Some of the categories in `report.guard`; iP keeps its values for the others. If left out,
    /// all of them.
    #[schema(min_items = 1)]
    pub(crate) categories: Option<Vec<GuardCategory>>,
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl Body for ActionRequest {}

impl Body for ApproveRequest {
    fn wanted(field: &str) -> Option<String> {
        (field == "categories").then(at_least_one_category)
    }
}

/// What `categories` has to be.
pub(crate) fn at_least_one_category() -> String {
    let known: Vec<_> = GuardCategory::ALL.iter().map(|known| known.as_str()).collect();
    format!("has to be a list of texts; it has to name at least one of {}", known.join(", "))
}
