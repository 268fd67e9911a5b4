use std::error::Error as _;
use std::time::Duration;

use crate::addresses::RefusedAddress;
use crate::envelope::UndecodableRecord;
use crate::limit::Throttled;

/// Why a call to Wonde did not bring what was asked for. No variant, and no source of one, holds
/// a token, a query value or a piece of a body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 429 from Wonde, or our own limiter refused.
    #[error("Wonde's rate limit is reached")]
    RateLimited {
        /// When to ask again, where that is known.
        retry_after: Option<Duration>,
    },
    /// The token is bad, revoked or rotated: the school's own record was refused with 401 a moment
    /// after another 401, or the token cannot be sent at all. One 401 alone is a
    /// [`Gateway`](Self::Gateway) fault.
    #[error("Wonde does not accept the token")]
    Unauthorized,
    /// 403 in Wonde's own words: the school withdrew the access, or never granted it.
    #[error(
        "the school does not grant this access{}",
        scope.as_ref().map(|name| format!(" ({name})")).unwrap_or_default()
    )]
    Forbidden {
        /// What is missing, for example `employees.read`, where the answer names it.
        scope: Option<String>,
    },
    /// 404 in Wonde's own words: for one person this is data, not a failure.
    #[error("Wonde knows no such record")]
    NotFound,
    /// Wonde knows no such include for this school's MIS, and refuses the whole request for it.
    #[error("Wonde has no such include{}", of_names(named))]
    InvalidInclude {
        /// Which of the includes asked for the answer names; empty where it names none of them.
        named: Vec<String>,
    },
    /// Something between us and Wonde answered in its place, or one of Wonde's servers that knows
    /// less than the others. It passes.
    #[error("something in front of Wonde answered in its place (HTTP {status})")]
    Gateway {
        /// The HTTP status.
        status: u16,
    },
    /// 5xx, 408 or 425: Wonde cannot answer now.
    #[error("Wonde cannot answer now (HTTP {status})")]
    Server {
        /// The HTTP status.
        status: u16,
        /// When to ask again, where the answer says it.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke before the body was complete.
    #[error("the connection to Wonde failed")]
    Network(#[source] reqwest::Error),
    /// The host is, or resolves to, an address that is not allowed. Nothing was sent.
    #[error("the host of the address is not allowed")]
    AddressRefused,
    /// No complete answer within the configured time.
    #[error("Wonde did not answer in time")]
    Timeout(#[source] reqwest::Error),
    /// The body is larger than the configuration allows.
    #[error("the answer is larger than {limit} bytes")]
    BodyTooLarge {
        /// `max_body_bytes` of the configuration.
        limit: usize,
    },
    /// A successful answer that is not the JSON envelope it should be.
    #[error("the answer cannot be read: {reason}")]
    Decode {
        /// What is wrong, without any value from the body.
        reason: String,
    },
    /// The one record asked for does not decode.
    #[error(transparent)]
    Record(#[from] UndecodableRecord),
    /// The next page would be on another server, of another school or of another list. The token
    /// was not sent there.
    #[error("the next page is not of this list (host {host})")]
    ForeignNext {
        /// Host of the refused address; the school's own where only the path differs.
        host: String,
    },
    /// A page names a page as the next that was already read.
    #[error("the pages run in a circle")]
    PageLoop,
    /// Wonde refuses the request itself.
    #[error("unexpected answer (HTTP {status})")]
    Other {
        /// The HTTP status.
        status: u16,
    },
    /// The client cannot be built from this configuration.
    #[error("the Wonde client is not configured well: {reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// Whether the same request may succeed later, with nothing changed by anybody.
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

    /// When to ask again, where Wonde or the limiter said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Takes the URL out first: its query does not belong in a log.
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
