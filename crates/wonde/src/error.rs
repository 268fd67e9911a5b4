use std::error::Error as _;
use std::time::Duration;

use crate::addresses::RefusedAddress;
use crate::envelope::UndecodableRecord;
use crate::limit::Throttled;

/// Why a call to Wonde failed. No variant, and no source of one, contains a token, a query value or
/// a piece of a body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 429 from Wonde, or a refusal from our own limiter.
    #[error("Wonde's rate limit is reached")]
    RateLimited {
        /// When to ask again, if known.
        retry_after: Option<Duration>,
    },
    /// The token is bad, revoked or replaced: the school's own record was refused with 401 a moment
    /// after another 401, or the token cannot be sent at all. One 401 alone is a
    /// [`Gateway`](Self::Gateway) fault.
    #[error("Wonde does not accept the token")]
    Unauthorized,
    /// 403 in Wonde's own words: the school withdrew access, or never granted it.
    #[error(
        "the school does not grant this access{}",
        scope.as_ref().map(|name| format!(" ({name})")).unwrap_or_default()
    )]
    Forbidden {
        /// What is missing, for example `employees.read`, if the answer names it.
        scope: Option<String>,
    },
    /// 404 in Wonde's own words. For one person this is data, not a failure.
    #[error("Wonde does not have this record")]
    NotFound,
    /// Wonde does not know such an include for this school's MIS, and refuses the whole request.
    #[error("Wonde does not have this include{}", of_names(named))]
    InvalidInclude {
        /// The requested includes that the answer names; empty if it names none of them.
        named: Vec<String>,
    },
    /// Another server answered instead of Wonde, or one of Wonde's servers that knows less than the
    /// others. It is temporary.
    #[error("another server answered instead of Wonde (HTTP {status})")]
    Gateway { status: u16 },
    /// 5xx, 408 or 425: Wonde cannot answer now.
    #[error("Wonde cannot answer at the moment (HTTP {status})")]
    Server {
        status: u16,
        /// When to ask again, if the answer says so.
        retry_after: Option<Duration>,
    },
    /// There was no connection, or it broke before the body was complete.
    #[error("the connection to Wonde failed")]
    Network(#[source] reqwest::Error),
    /// The host is, or resolves to, an address that is not allowed. Nothing was sent.
    #[error("the host in the address is not allowed")]
    AddressRefused,
    /// No complete answer within the configured time.
    #[error("Wonde did not answer in time")]
    Timeout(#[source] reqwest::Error),
    /// The body is larger than the configuration allows.
    #[error("the answer is larger than {limit} bytes")]
    BodyTooLarge {
        /// The configured `max_body_bytes`.
        limit: usize,
    },
    /// A successful answer that is not the expected JSON envelope.
    #[error("the answer cannot be read: {reason}")]
    Decode { reason: String },
    /// The requested record does not decode.
    #[error(transparent)]
    Record(#[from] UndecodableRecord),
    /// The next page would be on another server, of another school or of another list. The token
    /// was not sent there.
    #[error("the next page does not belong to this list (host {host})")]
    ForeignNext {
        /// Host of the refused address, or the school's own host if only the path differs.
        host: String,
    },
    /// A page names a page that was already read as the next.
    #[error("a page names an earlier page as the next one")]
    PageLoop,
    /// Wonde refuses the request itself.
    #[error("unexpected answer (HTTP {status})")]
    Other { status: u16 },
    /// The client cannot be built with this configuration.
    #[error("the configuration of the Wonde client is wrong: {reason}")]
    Config { reason: String },
}

impl Error {
    /// Whether the same request may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Gateway { .. }
            | Self::Server { .. }
            | Self::Network(_)
            | Self::Timeout(_)
            | Self::Decode { .. } => true,
            Self::Unauthorized
            | Self::Forbidden { .. }
            | Self::NotFound
            | Self::AddressRefused
            | Self::InvalidInclude { .. }
            | Self::BodyTooLarge { .. }
            | Self::Record(_)
            | Self::ForeignNext { .. }
            | Self::PageLoop
            | Self::Other { .. }
            | Self::Config { .. } => false,
        }
    }

    /// When to ask again, if Wonde or the limiter said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Removes the URL, because its query does not belong in a log.
    pub(crate) fn from_transport(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if is_refused(&error) {
            return Self::AddressRefused;
        }
        if error.is_timeout() { Self::Timeout(error) } else { Self::Network(error) }
    }

    pub(crate) fn decode(reason: impl Into<String>) -> Self {
        Self::Decode { reason: reason.into() }
    }

    pub(crate) fn config(reason: impl Into<String>) -> Self {
        Self::Config { reason: reason.into() }
    }
}

fn of_names(named: &[String]) -> String {
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}

impl From<Throttled> for Error {
    fn from(throttled: Throttled) -> Self {
        Self::RateLimited { retry_after: Some(throttled.retry_after) }
    }
}

fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<RefusedAddress>() {
            return true;
        }
        cause = error.source();
    }
    false
}
