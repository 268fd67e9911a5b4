//! Answers of the Wonde API that are not data, with the bodies that others have seen. Those of 401,
//! 405, 422 and 429 are not known, and are JSON like all others.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refused request: a status and a JSON body.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Refusal {
    /// 401: no token, or an unknown one.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "The access token is missing or not valid.",
        )
    }

    /// 403: the token is valid, but not for this.
    pub(crate) fn forbidden(permission: &str) -> Self {
        let description = format!("Scope {permission} not enabled");
        Self::described(StatusCode::FORBIDDEN, "invalid_permissions", &description)
    }

    /// 404: no such thing.
    pub(crate) fn not_found() -> Self {
        Self::described(StatusCode::NOT_FOUND, "resource_not_found", "Resource not found")
    }

    /// 400: an include that the API does not have for this school.
    pub(crate) fn invalid_include(name: &str) -> Self {
        Self::described(StatusCode::BAD_REQUEST, "invalid_include", name)
    }

    fn described(status: StatusCode, error: &str, description: &str) -> Self {
        Self { status, body: json!({"error": error, "error_description": description}) }
    }

    /// 405: the method is not allowed.
    pub(crate) fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "The method is not allowed here.",
        )
    }

    /// 422: a parameter that cannot be used.
    pub(crate) fn invalid(parameter: &str, problem: &str) -> Self {
        let message = format!("The {parameter} {problem}.");
        let body = json!({"error": "validation_failed", "message": message, "errors": {parameter: [message]}});
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, body }
    }

    /// Any status, for a fault.
    pub(crate) fn new(status: StatusCode, error: &str, message: &str) -> Self {
        Self { status, body: json!({"error": error, "message": message}) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, "application/json")], self.body.to_string())
            .into_response()
    }
}
