use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ApiError, problem::ProblemType};

/// An RFC 9457 problem (`application/problem+json`).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView {
    /// Which type of problem: stable, and an address that explains it.
    #[serde(rename = "type")]
    #[schema(examples("/problems/unknown-school"), format = "uri-reference")]
    uri: String,
    /// One line, the same for every problem of the type.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What exactly is wrong this time.
    detail: String,
    /// The path that was asked for.
    instance: String,
    /// More members of some types: `errors`, `parameter`, `found`, `wanted`.
    #[serde(flatten)]
    extensions: Map<String, Value>,
}

impl ProblemView {
    pub(crate) fn new(error: &ApiError, path: &str) -> Self {
        let problem = error.problem_type();
        Self {
            uri: problem.uri(),
            title: problem.title,
            status: problem.status.as_u16(),
            detail: error.to_string(),
            instance: path.to_owned(),
            extensions: error.extensions(),
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    pub(crate) field: String,
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
    /// The `type` of such a problem.
    #[serde(rename = "type")]
    #[schema(examples("/problems/unknown-school"))]
    uri: String,
    /// The HTTP status that comes with it.
    status: u16,
    title: &'static str,
    /// What the caller can do.
    advice: &'static str,
}

impl From<&ProblemType> for ProblemTypeView {
    fn from(problem: &ProblemType) -> Self {
        Self {
            uri: problem.uri(),
            status: problem.status.as_u16(),
            title: problem.title,
            advice: problem.advice,
        }
    }
}
