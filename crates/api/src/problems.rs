use axum::Json;

use crate::{
    ApiError,
    parameters::PathId,
    problem::ProblemType,
    views::{ProblemListView, ProblemTypeView, ProblemView},
};

/// List every type of problem
///
/// With what each means, and what a caller can do about it.
#[utoipa::path(
    get,
    path = "/problems",
    tag = "service",
    security(()),
    responses((status = 200, description = "All types of problems", body = ProblemListView)),
)]
pub(crate) async fn list_problems() -> Json<ProblemListView> {
    let problems = ProblemType::ALL.iter().copied().map(ProblemTypeView::from).collect();
    Json(ProblemListView { problems })
}

/// What a type of problem means
///
/// The `type` of every problem leads here.
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "service",
    security(()),
    params(("code" = String, Path, description = "Last part of the problem's `type`")),
    responses(
        (status = 200, description = "The type of problem", body = ProblemTypeView),
        (status = 404, description = "`unknown-problem`", body = ProblemView,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_problem(PathId(code): PathId) -> Result<Json<ProblemTypeView>, ApiError> {
    let found: ProblemType = code.parse().map_err(|_| ApiError::UnknownProblem)?;
    Ok(Json(found.into()))
}
