//! Every type of problem that the API answers with, in one table: what `type` of a problem
//! points at, and what `GET /problems` shows.

use std::fmt;

use axum::http::StatusCode;
use mis_sync_domain::named;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// Declares the types and what each of them means.
macro_rules! catalogue {
    ($($name:ident = $status:ident $code:tt: $title:literal, $advice:literal;)+) => {
        named!(
            /// A type of problem. Codes are for ever; titles and advice may be put better.
            pub(crate) ProblemType, "type of problem", { $(#[doc = $title] $name = $code,)+ }
        );

        impl ProblemType {
            /// HTTP status that it always has.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// One line for people, the same for every occurrence.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What the caller can do about it.
            pub(crate) fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }
        }
    };
}

/// The `type` of a problem: a reference relative to the service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemUri(pub(crate) ProblemType);

impl fmt::Display for ProblemUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/problems/{}", self.0)
    }
}

impl Serialize for ProblemUri {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl ToSchema for ProblemUri {}

impl PartialSchema for ProblemUri {
    fn schema() -> RefOr<Schema> {
        let all = ProblemType::ALL.iter().map(|problem| Self(*problem).to_string());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Which type of problem: stable, and an address that explains it."))
            .enum_values(Some(all))
            .into()
    }
}

catalogue! {
    MalformedBody = BAD_REQUEST "malformed-body": "The body cannot be read",
        "Send one JSON object with the fields that the API reference names.";
    InvalidParameter = BAD_REQUEST "invalid-parameter": "A parameter is not valid",
        "The members `parameter`, `found` and `wanted` say which one, and which values are valid.";
    InvalidIdempotencyKey = BAD_REQUEST "invalid-idempotency-key":
        "The Idempotency-Key is not valid",
        "Send one header of 1 to 255 visible ASCII characters, for example a UUID.";
    InvalidRequestedBy = BAD_REQUEST "invalid-requested-by": "The X-Requested-By is not valid",
        "Send one header with the id of the person who pressed, at most 100 characters in UTF-8.";
    Unauthorized = UNAUTHORIZED "unauthorized": "A valid API key is needed",
        "Send `Authorization: Bearer <key>`. `mis-sync keys create` makes a key.";
    WebhookSecretMissing = UNAUTHORIZED "webhook-secret-missing": "The webhook has no secret",
        "Register the address at Wonde with `?secret=…`.";
    WebhookSecretWrong = FORBIDDEN "webhook-secret-wrong": "The webhook's secret is wrong",
        "Register the address at Wonde with a secret from `webhooks.wonde_secret`.";
    WebhooksOff = NOT_FOUND "webhooks-off": "Webhooks from Wonde are not accepted here",
        "Set `webhooks.wonde_secret` in the configuration of the API.";
    Forbidden = FORBIDDEN "forbidden": "The role of this key does not allow this",
        "Use a key with another role, or ask the people who run the service for one.";
    WondeIdFixed = FORBIDDEN "wonde-id-fixed": "This key may not choose the Wonde id",
        "Send the school's Wonde id as it is, or use a key that is not bound to a school.";
    ForeignForm = FORBIDDEN "foreign-form": "The form is not from this session",
        "Reload the page and send the form again.";
    NotFound = NOT_FOUND "not-found": "There is nothing here",
        "`/openapi.json` lists every address.";
    UnknownSchool = NOT_FOUND "unknown-school": "There is no such school",
        "Check the id. A key that is bound to one school cannot see any other.";
    UnknownStaff = NOT_FOUND "unknown-staff": "There is no such person in the school",
        "Check the id: it is the id in iP, not the id in Wonde.";
    NoPhoto = NOT_FOUND "no-photo": "This person has no picture",
        "Show initials instead. A sync with `photos` fetches pictures where the MIS delivers them.";
    UnknownJob = NOT_FOUND "unknown-job": "There is no such job",
        "Check the id. Finished jobs are removed after a while, and a key that is bound to one \
         school cannot see the jobs of another.";
    UnknownMatch = NOT_FOUND "unknown-match": "There is no such possible match",
        "`GET /v1/schools/{school_id}/matches` lists them; each full sync finds them again.";
    UnknownProblem = NOT_FOUND "unknown-problem": "There is no such type of problem",
        "`/problems` lists them all.";
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed":
        "This address does not accept this method",
        "The header `Allow` lists the methods that it accepts.";
    NotAcceptable = NOT_ACCEPTABLE "not-acceptable":
        "This address has no answer in the requested format",
        "Send `Accept: application/json` or `Accept: text/csv`.";
    WrongJobState = CONFLICT "wrong-job-state": "The state of the job does not allow this",
        "The member `state` has the current state. Read the job again: another person may have \
         acted first.";
    NotHeldFor = CONFLICT "not-held-for": "The job is not held for this",
        "`report.guard` of the job lists the categories that can be approved, and \
         `/v1/jobs/{job_id}/changes` the people.";
    NothingToUndo = CONFLICT "nothing-to-undo": "There is nothing to undo",
        "`/v1/jobs/{job_id}/changes` lists what the job changed.";
    UndoConflict = CONFLICT "undo-conflict": "Later changes prevent the undo",
        "The member `conflicts` lists the fields and the jobs that changed them later: undo \
         those first, or correct the fields in the MIS.";
    WondeSchoolTaken = CONFLICT "wonde-school-taken": "Another school has this Wonde id",
        "Check the Wonde id. To move it, disconnect the other school first.";
    SchoolNotConnected = CONFLICT "school-not-connected": "The school is not connected",
        "Connect it with its Wonde token: `PUT /v1/schools/{school_id}`.";
    ChangedMeanwhile = PRECONDITION_FAILED "changed-meanwhile": "The school was changed meanwhile",
        "Read the school again, and repeat the change with its new `ETag` if it is still right.";
    BodyTooLarge = PAYLOAD_TOO_LARGE "body-too-large": "The body is too large",
        "No request of this API needs more than 64 KiB.";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type": "The body is not JSON",
        "Send `Content-Type: application/json`.";
    InvalidSchool = UNPROCESSABLE_ENTITY "invalid-school": "The school is not valid",
        "The member `errors` says what is wrong with each field.";
    InvalidText = UNPROCESSABLE_ENTITY "invalid-text": "A text contains a control character",
        "Leave out NUL, line breaks and other control characters.";
    TokenMissing = UNPROCESSABLE_ENTITY "token-missing": "A token is needed",
        "Send `token` when a school is connected for the first time or again.";
    TokenWouldMove = UNPROCESSABLE_ENTITY "token-would-move":
        "Another Wonde host needs a new token",
        "Send `token` together with the new `wonde_base_url`. A token is only ever sent to the \
         host it was given for.";
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "idempotency-key-reused":
        "The Idempotency-Key belongs to another request",
        "Use a new key for each new request, and the old key only to repeat the same request.";
    TooManyRequests = TOO_MANY_REQUESTS "too-many-requests": "This key sends too many requests",
        "Wait for `Retry-After` seconds. The headers `RateLimit-Policy` and `RateLimit` say what a \
         key may send. Logins do not count.";
    Internal = INTERNAL_SERVER_ERROR "internal": "Something went wrong inside the service",
        "Tell the people who run the service the request id (header `X-Request-Id`).";
    DependencyAway = SERVICE_UNAVAILABLE "dependency-away":
        "Something that the service needs is unavailable",
        "Try again after `Retry-After` seconds.";
    NotChecked = SERVICE_UNAVAILABLE "not-checked": "The school could not be checked",
        "Try again after `Retry-After` seconds. The school is stored as it was.";
    TimedOut = SERVICE_UNAVAILABLE "timed-out": "The request took too long",
        "Try again after `Retry-After` seconds, with the same Idempotency-Key if it had one.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let codes: HashSet<_> = ProblemType::ALL.iter().map(|problem| problem.as_str()).collect();
        assert_eq!(codes.len(), ProblemType::ALL.len());
        for problem in ProblemType::ALL {
            let status = problem.status();
            assert!(status.is_client_error() || status.is_server_error(), "{problem:?}");
            assert!(problem.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(problem.advice().ends_with('.'));
        }
    }
}
