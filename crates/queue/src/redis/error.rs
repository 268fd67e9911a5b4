use mis_sync_domain::named;
use redis::{ErrorKind, ServerErrorKind};

/// Redis cannot be reached or did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// The address itself is wrong.
    #[error("{0}")]
    Address(String),
    /// It answered with an error, or the connection broke.
    #[error("{0}")]
    Failed(#[from] redis::RedisError),
    /// Nothing was sent, because it was in trouble a moment ago.
    #[error("{}", .0.sentence())]
    Away(RedisTrouble),
}

impl RedisError {
    /// Whether the address itself is wrong, rather than the server away.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Failed(error) => matches!(error.kind(), ErrorKind::InvalidClientConfig),
            Self::Away(_) => false,
        }
    }

    /// What this says of the server as a whole.
    pub fn trouble(&self) -> RedisTrouble {
        match self {
            Self::Address(_) => RedisTrouble::Away,
            Self::Failed(error) => RedisTrouble::of(error).unwrap_or(RedisTrouble::RefusesWrites),
            Self::Away(trouble) => *trouble,
        }
    }
}

named!(
    /// Why Redis is of no use just now. The service works without it meanwhile.
    RedisTrouble, "trouble with Redis", {
        /// It does not answer, or not in time.
        Away = "away",
        /// It is reading its data after a start.
        Loading = "loading",
        /// It is a replica: its master is another one now.
        ReadOnly = "read-only",
        /// It has reached `maxmemory` and may evict nothing.
        Full = "full",
        /// It takes no writes for another reason, such as a disk that is full.
        RefusesWrites = "refuses-writes",
        /// It does not know our credentials, or does not let us do what we need.
        NotPermitted = "not-permitted",
    }
);

impl RedisTrouble {
    /// The same for people, and what to do.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Away => "Redis does not answer",
            Self::Loading => "Redis is loading its data",
            Self::ReadOnly => "Redis is a read-only replica",
            Self::Full => "Redis is full and refuses writes: give it more memory (maxmemory)",
            Self::RefusesWrites => "Redis refuses writes: see its log",
            Self::NotPermitted => "Redis refuses our credentials, or a command that we need",
        }
    }

    /// Whether ids that wait there can still be taken.
    pub(crate) fn lets_pop(self) -> bool {
        matches!(self, Self::Full | Self::RefusesWrites)
    }

    /// What an error says of the server; `None`: it is about this one command only. A script wraps
    /// the error of its command into text, more or less of it by version.
    pub(crate) fn of(error: &redis::RedisError) -> Option<Self> {
        let text = error.to_string();
        let says = |code: &str| error.code() == Some(code) || text.contains(code);
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Some(Self::NotPermitted)
            }
            ErrorKind::Server(ServerErrorKind::BusyLoading) => Some(Self::Loading),
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Some(Self::ReadOnly),
            ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::ExecAbort)
            | ErrorKind::Extension => [
                ("OOM", Self::Full),
                ("MISCONF", Self::RefusesWrites),
                ("NOREPLICAS", Self::RefusesWrites),
                ("READONLY", Self::ReadOnly),
                ("LOADING", Self::Loading),
                ("NOAUTH", Self::NotPermitted),
                ("WRONGPASS", Self::NotPermitted),
                ("NOPERM", Self::NotPermitted),
                ("max number of clients", Self::Away),
            ]
            .into_iter()
            .find_map(|(code, trouble)| says(code).then_some(trouble)),
            ErrorKind::Server(
                ServerErrorKind::NoScript | ServerErrorKind::CrossSlot | ServerErrorKind::NoSub,
            )
            | ErrorKind::UnexpectedReturnType => None,
            _ => Some(Self::Away),
        }
    }
}
