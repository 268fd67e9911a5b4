//! Why a Postgres cannot be reached, as an operator needs to hear it. The pool only says that its
//! patience ended.

use std::{
    fmt, io,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::{Address, Error};

/// How long a server may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two attempts to reach a server that is just starting.
const AGAIN: Duration = Duration::from_millis(100);

/// Why no session began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Host and port, or the socket.
    pub place: String,
    pub cause: UnreachableCause,
    /// What Postgres or the system says: it names the role, the database and addresses.
    pub message: String,
}

/// The kind of problem, which decides what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreachableCause {
    /// The host has no address.
    UnknownHost,
    /// No process listens there.
    Refused,
    /// Nothing answered in time.
    NoAnswer,
    /// The password is wrong.
    Password,
    /// The role may not log in from here, or does not exist.
    NotAdmitted,
    /// The server has no such database.
    NoDatabase,
    /// The server offers no TLS.
    NoTls,
    /// The server's certificate is not accepted, or the handshake failed.
    Certificate,
    /// All its connections are in use.
    Full,
    /// It is starting, stopping or recovering.
    Starting,
    /// A pooler refuses how sessions begin.
    Pooler,
    /// Something else.
    Other,
}

impl Unreachable {
    /// Whether the address or the server has to be changed, rather than waited for.
    pub fn is_configuration(&self) -> bool {
        use UnreachableCause::{Certificate, NoDatabase, NoTls, NotAdmitted, Password, Pooler};
        matches!(self.cause, Password | NotAdmitted | NoDatabase | NoTls | Certificate | Pooler)
    }

    /// What a person can do.
    pub fn what_to_do(&self) -> &'static str {
        use UnreachableCause as Cause;
        match self.cause {
            Cause::UnknownHost => "Check the host in database.url, and the name server.",
            Cause::Refused => "Check that Postgres runs there, and the port in database.url.",
            Cause::NoAnswer => "Check the network and its firewalls, and that Postgres answers.",
            Cause::Password => {
                "Check user and password in database.url; special characters have \
                                to be percent-encoded."
            }
            Cause::NotAdmitted => {
                "Check that the role exists and may log in, and the server's \
                                   pg_hba.conf."
            }
            Cause::NoDatabase => "Create the database, or check its name in database.url.",
            Cause::NoTls => "Switch TLS on at the server, or change sslmode in database.url.",
            Cause::Certificate => {
                "Name the file with the server's root in database.ca, and check \
                                   that the certificate is valid for this host."
            }
            Cause::Full => "Raise max_connections of Postgres, or lower database.max_connections.",
            Cause::Starting => "Wait until Postgres has started; its log says what it does.",
            Cause::Pooler => "See `PgBouncer` in docs/operations.md.",
            Cause::Other => "See the log of Postgres.",
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, message, .. } = self;
        write!(f, "no session at Postgres {place}: {message}")
    }
}

/// Begins a session and ends it again. A server that is just starting has a few seconds; after that,
/// [`Error::Unreachable`] says what is wrong.
pub async fn reach(address: &Address) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let failed = match timeout(PATIENCE, PgConnection::connect_with(address.options())).await {
            Ok(Ok(connection)) => return Ok(connection.close().await?),
            Ok(Err(error)) => explain(address, &error),
            Err(_) => Unreachable {
                place: address.to_string(),
                cause: UnreachableCause::NoAnswer,
                message: format!("nothing answered within {} seconds", PATIENCE.as_secs()),
            },
        };
        let may_come = matches!(
            failed.cause,
            UnreachableCause::Refused | UnreachableCause::Starting | UnreachableCause::Full
        );
        if !may_come || began.elapsed() > PATIENCE {
            return Err(Error::Unreachable(failed));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a server that starts has no event to await"
        )]
        tokio::time::sleep(AGAIN).await;
    }
}

fn explain(address: &Address, error: &sqlx::Error) -> Unreachable {
    let (cause, message) = match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            (of_code(&code, refusal.message()), refusal.message().to_owned())
        }
        sqlx::Error::Io(error) => (of_io(error), error.to_string()),
        sqlx::Error::Tls(error) => {
            let message = error.to_string();
            let is_absent = message.contains("does not support TLS");
            let cause =
                if is_absent { UnreachableCause::NoTls } else { UnreachableCause::Certificate };
            (cause, message)
        }
        sqlx::Error::Protocol(_) => {
            (UnreachableCause::Other, "what answers there is not Postgres".to_owned())
        }
        other => (UnreachableCause::Other, other.to_string()),
    };
    Unreachable { place: address.to_string(), cause, message }
}

/// Messages of a refused login name the role, the database and addresses, and nothing of a person.
fn of_code(code: &str, message: &str) -> UnreachableCause {
    match code {
        "28P01" => UnreachableCause::Password,
        // PgBouncer has this one code for all that it refuses at a login.
        "08P01" if message.contains("password authentication failed") => UnreachableCause::Password,
        "08P01" if message.contains("no such database") => UnreachableCause::NoDatabase,
        "08P01" if message.contains("no such user") => UnreachableCause::NotAdmitted,
        "08P01" => UnreachableCause::Pooler,
        "3D000" => UnreachableCause::NoDatabase,
        // No right to connect to the database is a refusal too.
        code if code.starts_with("28") || code == "42501" => UnreachableCause::NotAdmitted,
        "53300" => UnreachableCause::Full,
        "57P03" => UnreachableCause::Starting,
        _ => UnreachableCause::Other,
    }
}

fn of_io(error: &io::Error) -> UnreachableCause {
    let text = error.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => UnreachableCause::Refused,
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => UnreachableCause::NoAnswer,
        _ if text.contains("failed to lookup address") => UnreachableCause::UnknownHost,
        _ if text.contains("certificate") => UnreachableCause::Certificate,
        _ => UnreachableCause::Other,
    }
}
