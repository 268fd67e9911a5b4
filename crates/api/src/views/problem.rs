use mis_sync_domain::JobState;
use mis_sync_queue::control::Refused;
use serde::Serialize;
use utoipa::ToSchema;

use super::ConflictView;
use crate::{
    ApiError,
    problem::{ProblemType, ProblemUri},
};

/// An RFC 9457 problem (`application/problem+json`). The optional members come with some types only.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    #[serde(rename = "type")]
    uri: ProblemUri,
    /// One line, the same for every problem of the type.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What exactly is wrong this time.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// Of `invalid-school`: each field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// Of `invalid-parameter`: its name …
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// … what it was …
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    found: Option<String>,
    /// … and what it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    wanted: Option<String>,
    /// Of `wrong-job-state`: where the job stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state: Option<JobState>,
    /// Of `undo-conflict`: the fields that later changes touched.
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
    /// What it has to be, for people. It never repeats the value.
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
    /// The HTTP status that comes with it.
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
