//! Every type of problem that the API answers with, in one table: what `type` of a problem
//! points at, and what `GET /problems` shows.

use axum::http::StatusCode;

/// A type of problem. Codes are for ever; titles and advice may be put better.
#[derive(Debug)]
pub(crate) struct ProblemType {
    /// Last part of the `type` URI.
    pub(crate) code: &'static str,
    /// HTTP status that it always has.
    pub(crate) status: StatusCode,
    /// One line for people, the same for every occurrence.
    pub(crate) title: &'static str,
    /// What the caller can do about it.
    pub(crate) advice: &'static str,
}

impl ProblemType {
    /// The `type` of a problem: a reference relative to the service.
    pub(crate) fn uri(&self) -> String {
        format!("/problems/{}", self.code)
    }
}

/// The entry with this code.
pub(crate) fn find(code: &str) -> Option<&'static ProblemType> {
    CATALOGUE.iter().copied().find(|problem| problem.code == code)
}

/// Declares each entry as a constant and lists them all.
macro_rules! catalogue {
    ($($name:ident = $status:ident $code:literal: $title:literal, $advice:literal;)+) => {
        $(pub(crate) static $name: ProblemType =
            ProblemType { code: $code, status: StatusCode::$status, title: $title, advice: $advice };)+
        /// All of them.
        pub(crate) static CATALOGUE: &[&ProblemType] = &[$(&$name,)+];
    };
}

catalogue! {
    MALFORMED_BODY = BAD_REQUEST "malformed-body": "The body cannot be read",
        "Send one JSON object with the fields that the API reference names.";
    INVALID_PARAMETER = BAD_REQUEST "invalid-parameter": "A parameter is not valid",
        "Members `parameter`, `found` and `wanted` say which one and what it may be.";
    INVALID_IDEMPOTENCY_KEY = BAD_REQUEST "invalid-idempotency-key": "The Idempotency-Key is not valid",
        "Send one header of 1 to 255 visible ASCII characters, for example a UUID.";
    UNAUTHORIZED = UNAUTHORIZED "unauthorized": "A valid API key is needed",
        "Send `Authorization: Bearer <key>`. `mis-sync keys create` makes a key.";
    WEBHOOK_SECRET_MISSING = UNAUTHORIZED "webhook-secret-missing": "The webhook has no secret",
        "Register the address at Wonde with `?secret=…`.";
    WEBHOOK_SECRET_WRONG = FORBIDDEN "webhook-secret-wrong": "The webhook's secret is not known",
        "Register the address at Wonde with a secret of `webhooks.wonde_secret`.";
    WEBHOOKS_OFF = NOT_FOUND "webhooks-off": "Webhooks from Wonde are not taken here",
        "Set `webhooks.wonde_secret` in the configuration of the API.";
    FORBIDDEN = FORBIDDEN "forbidden": "The role of this key does not allow this",
        "Use a key of another role, or ask whoever runs the service for one.";
    WONDE_ID_FIXED = FORBIDDEN "wonde-id-fixed": "The Wonde id is not for this key to choose",
        "Send the school's Wonde id as it is, or use a key that is not bound to a school.";
    FOREIGN_FORM = FORBIDDEN "foreign-form": "The form is not of this session",
        "Reload the page, and send the form again from there.";
    NOT_FOUND = NOT_FOUND "not-found": "There is nothing here",
        "`/openapi.json` lists every address.";
    UNKNOWN_SCHOOL = NOT_FOUND "unknown-school": "There is no such school",
        "Check the id. A key that is bound to one school knows no other.";
    UNKNOWN_STAFF = NOT_FOUND "unknown-staff": "There is no such person in the school",
        "Check the id: it is iP's own, not Wonde's.";
    NO_PHOTO = NOT_FOUND "no-photo": "This person has no picture",
        "Show initials instead. A sync with `photos` fetches pictures where the MIS delivers them.";
    UNKNOWN_JOB = NOT_FOUND "unknown-job": "There is no such job",
        "Check the id. Finished jobs are removed after a while, and a key that is bound to one school knows no other's.";
    UNKNOWN_MATCH = NOT_FOUND "unknown-match": "There is no such possible match",
        "`GET /v1/schools/{school_id}/matches` lists them; each full sync finds them anew.";
    UNKNOWN_PROBLEM = NOT_FOUND "unknown-problem": "There is no such type of problem",
        "`/problems` lists them all.";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method-not-allowed": "This address does not take this method",
        "The header `Allow` names the methods that it takes.";
    NOT_ACCEPTABLE = NOT_ACCEPTABLE "not-acceptable": "This address has nothing in the format that was asked for",
        "Send `Accept: application/json` or `Accept: text/csv`.";
    WRONG_JOB_STATE = CONFLICT "wrong-job-state": "The state of the job forbids this",
        "The member `state` says where the job stands. Read it again: somebody may have been quicker.";
    NOT_HELD_FOR = CONFLICT "not-held-for": "The job is not held for this",
        "`report.guard` of the job lists the categories that can be approved.";
    NOTHING_TO_UNDO = CONFLICT "nothing-to-undo": "There is nothing to take back",
        "Its changes (`/v1/jobs/{job_id}/changes`) say what a job did.";
    UNDO_CONFLICT = CONFLICT "undo-conflict": "Later changes stand in the way",
        "The member `conflicts` lists the fields and the jobs that touched them: undo those first, or mend the fields in the MIS.";
    WONDE_SCHOOL_TAKEN = CONFLICT "wonde-school-taken": "Another school has this Wonde id",
        "Check the Wonde id. Where it should move, disconnect the other school first.";
    SCHOOL_NOT_CONNECTED = CONFLICT "school-not-connected": "The school is not connected",
        "Connect it with its Wonde token: `PUT /v1/schools/{school_id}`.";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body-too-large": "The body is too large",
        "No request of this API needs more than 64 KiB.";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type": "The body is not JSON",
        "Send `Content-Type: application/json`.";
    INVALID_SCHOOL = UNPROCESSABLE_ENTITY "invalid-school": "The school is not valid",
        "The member `errors` says for each field what is wrong.";
    INVALID_TEXT = UNPROCESSABLE_ENTITY "invalid-text": "A text holds a control character",
        "Leave out NUL, line breaks and other control characters.";
    TOKEN_MISSING = UNPROCESSABLE_ENTITY "token-missing": "A token is needed",
        "Send `token` when a school is connected for the first time or again.";
    TOKEN_WOULD_MOVE = UNPROCESSABLE_ENTITY "token-would-move": "Another Wonde host needs a new token",
        "Send `token` together with the new `wonde_base_url`; a token is never sent to another host than it came with.";
    IDEMPOTENCY_KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency-key-reused":
        "The Idempotency-Key belongs to another request",
        "Make a new key for each new request; send the old one only with the very same request.";
    INTERNAL = INTERNAL_SERVER_ERROR "internal": "Something went wrong inside the service",
        "Tell whoever runs the service the request id (header `X-Request-Id`).";
    DEPENDENCY_AWAY = SERVICE_UNAVAILABLE "dependency-away": "Something the service needs is away",
        "Try again after `Retry-After` seconds.";
    TIMED_OUT = SERVICE_UNAVAILABLE "timed-out": "The request took too long",
        "Try again after `Retry-After` seconds, with the same Idempotency-Key if it had one.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let codes: HashSet<_> = CATALOGUE.iter().map(|problem| problem.code).collect();
        assert_eq!(codes.len(), CATALOGUE.len());
        for problem in CATALOGUE {
            let status = problem.status;
            assert!(status.is_client_error() || status.is_server_error(), "{problem:?}");
            assert!(problem.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(problem.advice.ends_with('.'));
        }
    }
}
