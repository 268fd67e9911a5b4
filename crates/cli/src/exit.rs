use std::{fmt, process::ExitCode};

use mis_sync_control::Refused;

/// Why a command did not succeed; decides the exit code.
#[derive(Debug)]
pub enum Failure {
    /// 1: the work failed.
    Work(String),
    /// 2: wrong usage or configuration.
    Usage(String),
    /// 3: something that we depend on is away.
    Dependency(String),
}

impl Failure {
    /// The work failed.
    pub fn work(text: impl fmt::Display) -> Self {
        Self::Work(text.to_string())
    }

    /// Wrong usage or configuration.
    pub fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    /// Something that we depend on is away.
    pub fn dependency(text: impl fmt::Display) -> Self {
        Self::Dependency(text.to_string())
    }

    /// Says on standard error what went wrong, and gives the exit code.
    #[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
    pub(crate) fn report(&self, program: &str) -> ExitCode {
        let code = match self {
            Self::Work(_) => 1,
            Self::Usage(_) => 2,
            Self::Dependency(_) => 3,
        };
        eprintln!("{program}: {self}");
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Work(text) | Self::Usage(text) | Self::Dependency(text)) = self;
        f.write_str(text)
    }
}

impl From<mis_sync_store::Error> for Failure {
    fn from(error: mis_sync_store::Error) -> Self {
        use mis_sync_store::Error;
        match error {
            Error::Unavailable(_) => Self::dependency(error),
            Error::Unreachable(ref why) => {
                let text = format!("{error}. {}", why.what_to_do());
                if why.is_configuration() { Self::Usage(text) } else { Self::Dependency(text) }
            }
            Error::Configuration(_) | Error::SchemaBehind { .. } | Error::LoginScope { .. } => {
                Self::usage(error)
            }
            other => Self::work(other),
        }
    }
}

impl From<mis_sync_queue::Error> for Failure {
    fn from(error: mis_sync_queue::Error) -> Self {
        match error {
            mis_sync_queue::Error::Store(error) => error.into(),
            mis_sync_queue::Error::Redis(error) => Self::dependency(error),
            mis_sync_queue::Error::Runtime(_) => Self::work(error),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Failed(error) => error.into(),
            Refused::UnknownJob => {
                Self::work("there is no job with this id; `mis-sync jobs list` shows the newest")
            }
            refused @ Refused::NotHeldFor(_) => {
                Self::work(format!("{refused} `mis-sync jobs show` shows it."))
            }
            refused => Self::work(refused),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::work(error)
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::work(error.without_url())
    }
}
