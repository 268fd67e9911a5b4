//! What can go wrong with a private server, in words for the developer.

use std::io;
use std::path::{Path, PathBuf};

/// Why a server could not be found, started or kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No way led to usable programs. The text names each way that was tried and the one command
    /// that helps.
    #[error(
        "no usable {what} on this machine\n{tried}\nInstall what is missing with:\n\n    {install}\n"
    )]
    Missing {
        /// The program.
        what: &'static str,
        /// One line for each way that was tried, with the reason why it failed.
        tried: String,
        /// The command to run.
        install: &'static str,
    },
    /// `DEVSERVICES_FROM` is neither `path`, `apt` nor `pip`.
    #[error("DEVSERVICES_FROM is {value:?}; it has to be path, apt or pip")]
    UnknownWay { value: String },
    /// A template's key is not 1 to 64 letters, digits, `-` and `_`.
    #[error("a template's key consists of 1 to 64 letters, digits, - or _")]
    Key,
    #[error("running as root, and /etc/passwd has no account `nobody` to run the servers as")]
    NoAccount,
    /// Reading or writing failed.
    #[error("{action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A command could not be started, or ended with a failure.
    #[error("`{command}` failed\n{output}")]
    Command {
        /// The command and its arguments.
        command: String,
        /// The end of its output, or why it did not start.
        output: String,
    },
    /// A server did not become ready.
    #[error("{server} {problem}; the end of its log:\n{log}")]
    Server {
        /// `Postgres`, `Redis` or `Chromium`.
        server: &'static str,
        /// What it did not do.
        problem: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// A process could not be signalled.
    #[error("cannot signal the {server} process {pid}")]
    Signal {
        /// `Postgres`, `Redis` or `Chromium`.
        server: &'static str,
        /// The process.
        pid: u32,
        /// The system's reason.
        source: io::Error,
    },
}

/// For `map_err`: says what was being done to which path.
pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { action, path, source }
}
