use chrono::{DateTime, Utc};
use mis_sync_domain::{GuardCategory, PersonKey};
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
    /// People of `/v1/jobs/{job_id}/changes` who are left as they are in iP, whatever would change
    /// about them. A person who would be new is named by their Wonde id.
    #[serde(default)]
    pub(crate) leave_people: Vec<PersonKey>,
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

/// Why a person undoes a job, and what follows.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoRequest {
    /// Pauses the school until then, so that no sync applies the same again before the MIS is
    /// corrected. It has to be in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) pause_until: Option<DateTime<Utc>>,
    /// In the person's own words; kept with the action.
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
}

impl Body for ActionRequest {}

impl Body for UndoRequest {
    fn wanted(field: &str) -> Option<String> {
        (field == "pause_until").then(a_time_to_come)
    }
}

/// What `pause_until` has to be.
pub(crate) fn a_time_to_come() -> String {
    "has to be a time in the future (RFC 3339)".to_owned()
}

impl Body for ApproveRequest {
    fn wanted(field: &str) -> Option<String> {
        match field {
            "categories" => Some(at_least_one_category()),
            "leave_people" => Some(people_to_leave()),
            _ => None,
        }
    }
}

/// What `leave_people` has to be.
fn people_to_leave() -> String {
    "has to be a list of people, each as `{\"staff_id\": …}` or `{\"wonde_id\": …}`".to_owned()
}

/// What `categories` has to be.
pub(crate) fn at_least_one_category() -> String {
    let known: Vec<_> = GuardCategory::ALL.iter().map(|known| known.as_str()).collect();
    format!("has to be a list of texts; it has to name at least one of {}", known.join(", "))
}
