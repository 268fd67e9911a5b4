use std::{num::NonZeroU32, sync::Arc};

use axum::{
    http::{
        HeaderValue,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use mis_sync_control::Refused;
use mis_sync_domain::{Action, InvalidOnBehalfOf, JobFailure, Role};

use crate::{problem::ProblemType, views::FieldError};

/// Seconds after which it is worth asking again when something is away.
const RETRY_AFTER_SECONDS: u16 = 5;

/// Why a request was not done. The text is the problem's `detail`, so it is written for the
/// caller: never a token, a body or an internal cause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("Send a valid API key: `Authorization: Bearer <key>`.")]
    Unauthorized,
    #[error("A key of the role `{role}` may not do this.")]
    Forbidden { role: Role, action: Action },
    #[error("Add one query parameter `secret` to the address.")]
    WebhookSecretMissing,
    #[error("The secret in the address is not one of the configured secrets.")]
    WebhookSecretWrong,
    #[error("No secret for webhooks from Wonde is configured.")]
    WebhooksOff,
    #[error("The form does not come from a page of your session. Reload the page and try again.")]
    ForeignForm,
    #[error("There is nothing at this address.")]
    NotFound,
    #[error("This address does not accept this method; the header `Allow` lists those it accepts.")]
    MethodNotAllowed,
    #[error("There is no school with this id.")]
    UnknownSchool,
    #[error("There is no person with this id in the school.")]
    UnknownStaff,
    #[error("This person has no picture.")]
    NoPhoto,
    #[error("There is no job with this id.")]
    UnknownJob,
    /// The rules for what people do forbid it.
    #[error(transparent)]
    Refused(Refused),
    #[error("The school has no possible match of this record with this person.")]
    UnknownMatch,
    #[error("There is no type of problem with this name.")]
    UnknownProblem,
    #[error(
        "This list is available as `application/json` or `text/csv`, but `Accept` allows neither."
    )]
    NotAcceptable,
    #[error(
        "A school that has no token yet, and has not approved the access in Wonde, cannot be connected \
             without one."
    )]
    TokenMissing,
    #[error("A key that is bound to a school can neither set nor change its Wonde id.")]
    WondeIdFixed,
    #[error("Another school has this Wonde id.")]
    WondeSchoolTaken,
    #[error(
        "The school's token is for another Wonde host. Send a new `token` with the new \
         `wonde_base_url`, or keep the old address."
    )]
    TokenWouldMove,
    #[error("Wonde could not be asked{}.", .0.as_ref().map(|error| format!(": {}", error.title)).unwrap_or_default())]
    NotChecked(Option<JobFailure>),
    #[error("The school was changed after you read it; read it again.")]
    ChangedMeanwhile,
    #[error("The school is not valid: {}.", list(.errors))]
    InvalidSchool { errors: Vec<FieldError> },
    #[error("The body cannot be read: {0}.")]
    MalformedBody(String),
    #[error("`{field}` {}.", crate::body::NO_CONTROL)]
    InvalidText { field: String },
    #[error("The body has to be JSON: send `Content-Type: application/json`.")]
    UnsupportedMediaType,
    #[error("The body is larger than {} KiB.", crate::body::MAX_BODY_BYTES / 1024)]
    BodyTooLarge,
    #[error("The parameter `{parameter}` is `{found}`; wanted: {wanted}.")]
    InvalidParameter { parameter: String, found: String, wanted: String },
    #[error("`Idempotency-Key` has to be one header of 1 to 255 visible ASCII characters.")]
    InvalidIdempotencyKey,
    #[error("`X-Requested-By` has to be one header of {InvalidOnBehalfOf}.")]
    InvalidRequestedBy,
    #[error("This `Idempotency-Key` was already used with another request; use a new one.")]
    IdempotencyKeyReused,
    #[error("This key sends more than {per_second} requests per second; wait {seconds} s.")]
    TooManyRequests { per_second: NonZeroU32, seconds: u16 },
    #[error("The request took too long and was stopped.")]
    TimedOut,
    #[error("Something that this service needs is unavailable; try again.")]
    DependencyAway(#[source] mis_sync_queue::Error),
    #[error("Something went wrong inside the service. It was logged with the request id.")]
    Internal(#[source] mis_sync_queue::Error),
    #[error("Something went wrong inside the service. It was logged with the request id.")]
    Panicked,
}

impl ApiError {
    /// Its entry in the catalogue.
    pub(crate) fn problem_type(&self) -> ProblemType {
        match self {
            Self::Unauthorized => ProblemType::Unauthorized,
            Self::Forbidden { .. } => ProblemType::Forbidden,
            Self::WebhookSecretMissing => ProblemType::WebhookSecretMissing,
            Self::WebhookSecretWrong => ProblemType::WebhookSecretWrong,
            Self::WebhooksOff => ProblemType::WebhooksOff,
            Self::ForeignForm => ProblemType::ForeignForm,
            Self::NotFound => ProblemType::NotFound,
            Self::MethodNotAllowed => ProblemType::MethodNotAllowed,
            Self::UnknownSchool => ProblemType::UnknownSchool,
            Self::UnknownStaff => ProblemType::UnknownStaff,
            Self::NoPhoto => ProblemType::NoPhoto,
            Self::UnknownJob => ProblemType::UnknownJob,
            Self::Refused(refused) => refusal_type(refused),
            Self::UnknownMatch => ProblemType::UnknownMatch,
            Self::UnknownProblem => ProblemType::UnknownProblem,
            Self::NotAcceptable => ProblemType::NotAcceptable,
            Self::TokenMissing => ProblemType::TokenMissing,
            Self::WondeIdFixed => ProblemType::WondeIdFixed,
            Self::WondeSchoolTaken => ProblemType::WondeSchoolTaken,
            Self::TokenWouldMove => ProblemType::TokenWouldMove,
            Self::NotChecked(_) => ProblemType::NotChecked,
            Self::ChangedMeanwhile => ProblemType::ChangedMeanwhile,
            Self::InvalidSchool { .. } => ProblemType::InvalidSchool,
            Self::MalformedBody(_) => ProblemType::MalformedBody,
            Self::InvalidText { .. } => ProblemType::InvalidText,
            Self::UnsupportedMediaType => ProblemType::UnsupportedMediaType,
            Self::BodyTooLarge => ProblemType::BodyTooLarge,
            Self::InvalidParameter { .. } => ProblemType::InvalidParameter,
            Self::InvalidIdempotencyKey => ProblemType::InvalidIdempotencyKey,
            Self::InvalidRequestedBy => ProblemType::InvalidRequestedBy,
            Self::IdempotencyKeyReused => ProblemType::IdempotencyKeyReused,
            Self::TooManyRequests { .. } => ProblemType::TooManyRequests,
            Self::TimedOut => ProblemType::TimedOut,
            Self::DependencyAway(_) => ProblemType::DependencyAway,
            Self::Internal(_) | Self::Panicked => ProblemType::Internal,
        }
    }

    /// The name of the server that does not answer, if that is the reason.
    pub(crate) fn absent_server(&self) -> Option<&'static str> {
        match self {
            Self::DependencyAway(mis_sync_queue::Error::Redis(_)) => Some("Redis"),
            Self::DependencyAway(_) => Some("The database (Postgres)"),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u16> {
        match self {
            Self::TooManyRequests { seconds, .. } => Some(*seconds),
            Self::DependencyAway(_) | Self::NotChecked(_) | Self::TimedOut => {
                Some(RETRY_AFTER_SECONDS)
            }
            _ => None,
        }
    }
}

fn refusal_type(refused: &Refused) -> ProblemType {
    match refused {
        Refused::UnknownJob => ProblemType::UnknownJob,
        Refused::WrongState { .. } => ProblemType::WrongJobState,
        Refused::NotHeldFor(_) | Refused::UnknownPeople(_) => ProblemType::NotHeldFor,
        Refused::NothingToUndo => ProblemType::NothingToUndo,
        Refused::UndoConflict(_) => ProblemType::UndoConflict,
        Refused::NotConnected => ProblemType::SchoolNotConnected,
        Refused::Failed(_) => ProblemType::Internal,
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(error) => error.into(),
            refused => Self::Refused(refused),
        }
    }
}

fn list(errors: &[FieldError]) -> String {
    let errors: Vec<_> =
        errors.iter().map(|error| format!("`{}` {}", error.field, error.message)).collect();
    errors.join("; ")
}

impl From<mis_sync_queue::Error> for ApiError {
    fn from(error: mis_sync_queue::Error) -> Self {
        use mis_sync_queue::Error::{Redis, Runtime, Store};
        match &error {
            Store(mis_sync_store::Error::IdempotencyKeyReused) => Self::IdempotencyKeyReused,
            Store(mis_sync_store::Error::WondeIdFixed) => Self::WondeIdFixed,
            Store(mis_sync_store::Error::ChangedMeanwhile) => Self::ChangedMeanwhile,
            Store(mis_sync_store::Error::CallbackSecretMissing) => {
                let message = "is needed with `callback_url`".to_owned();
                let field = "callback_secret".to_owned();
                Self::InvalidSchool { errors: vec![FieldError { field, message }] }
            }
            Store(mis_sync_store::Error::WondeSchoolTaken) => Self::WondeSchoolTaken,
            Store(mis_sync_store::Error::TokenWouldMove) => Self::TokenWouldMove,
            Store(cause) if cause.is_transient() => Self::DependencyAway(error),
            Redis(_) => Self::DependencyAway(error),
            Store(_) | Runtime(_) => Self::Internal(error),
        }
    }
}

impl From<mis_sync_store::Error> for ApiError {
    fn from(error: mis_sync_store::Error) -> Self {
        mis_sync_queue::Error::from(error).into()
    }
}

/// Gives status and headers. The body is written at the edge ([`crate::edge`]), which knows
/// the path and the request id; until then the error travels in the response's extensions.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.problem_type().status().into_response();
        let headers = response.headers_mut();
        if matches!(self, Self::Unauthorized) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
