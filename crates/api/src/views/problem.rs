use mis_sync_control::Refused;
use mis_sync_domain::JobState;
use serde::Serialize;
use utoipa::ToSchema;

use super::ConflictView;
use crate::{
    ApiError,
    problem::{ProblemType, ProblemUri},
};

/// An RFC 9457 problem (`application/problem+json`). Only some types have the optional members.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    #[serde(rename = "type")]
    uri: ProblemUri,
    /// One line, the same for every problem of the type.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong in this case.
    detail: String,
    /// The requested path.
    instance: String,
    /// For `invalid-school`: each field that is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// For `invalid-parameter`: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// For `invalid-parameter`: the value that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<String>,
    /// For `invalid-parameter`: the valid values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wanted: Option<String>,
    /// For `wrong-job-state`: the state of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state: Option<JobState>,
    /// For `undo-conflict`: the fields that were changed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    conflicts: Option<Vec<ConflictView>>,
}

impl ProblemView {
    pub(crate) fn new(error: &ApiError, path: &str) -> Self {
        let problem = error.problem_type();
        let plain = Self {
            uri: ProblemUri(problem),
            title: problem.title(),
            status: problem.status().as_u16(),
            detail: error.to_string(),
            instance: path.to_owned(),
            errors: None,
            parameter: None,
            found: None,
            wanted: None,
            state: None,
            conflicts: None,
        };
        match error {
            ApiError::InvalidSchool { errors } => Self { errors: Some(errors.clone()), ..plain },
            ApiError::InvalidParameter { parameter, found, wanted } => Self {
                parameter: Some(parameter.clone()),
                found: Some(found.clone()),
                wanted: Some(wanted.clone()),
                ..plain
            },
            ApiError::Refused(Refused::UndoConflict(conflicts)) => {
                let conflicts = conflicts.iter().copied().map(ConflictView::from).collect();
                Self { conflicts: Some(conflicts), ..plain }
            }
            ApiError::Refused(Refused::WrongState { state, .. }) => {
                Self { state: Some(*state), ..plain }
            }
            _ => plain,
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Its path, for example `settings.guard`.
    pub(crate) field: String,
    /// The rule it breaks, for people. It never repeats the value.
    pub(crate) message: String,
}

/// Every type of problem.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemList)]
pub(crate) struct ProblemListView {
    pub(crate) problems: Vec<ProblemTypeView>,
}

/// What a type of problem means.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemType)]
pub(crate) struct ProblemTypeView {
    #[serde(rename = "type")]
    uri: ProblemUri,
    /// Its HTTP status.
    status: u16,
    title: &'static str,
    /// What the caller can do.
    advice: &'static str,
}

impl From<ProblemType> for ProblemTypeView {
    fn from(problem: ProblemType) -> Self {
        Self {
            uri: ProblemUri(problem),
            status: problem.status().as_u16(),
            title: problem.title(),
            advice: problem.advice(),
        }
    }
}
