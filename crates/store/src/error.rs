use mis_sync_domain::LoginScope;

/// SQLSTATE of `RAISE EXCEPTION`.
const RAISED: &str = "P0001";

/// What can go wrong with the database.
///
/// A database's own error quotes values, in its message as in its detail, and values are personal
/// data: only code and constraint are kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or went away.
    #[error("the database is away: {0}")]
    Unavailable(String),
    /// The address of the database cannot be read.
    #[error("the database address is wrong: {0}")]
    Configuration(String),
    /// The schema is older than this release.
    #[error(
        "the database schema is at version {found}, this release needs {needed}: run `mis-sync migrate`"
    )]
    SchemaBehind {
        /// Version of the database.
        found: i64,
        /// Version of this release.
        needed: i64,
    },
    /// The database enforces something else than the configuration says.
    #[error(
        "the database has logins unique within the {}, and logins.unique_within is {}: run \
         `mis-sync migrate`",
        found.as_str(),
        wanted.as_str()
    )]
    LoginScope {
        /// What it enforces.
        found: LoginScope,
        /// What is wanted.
        wanted: LoginScope,
    },
    /// Logins cannot become unique within the installation.
    #[error(
        "{0} logins are held at more than one school, so logins.unique_within cannot be \
         `installation`: change these people's work emails, or deactivate all but one account of each"
    )]
    SharedLogins(u64),
    /// A migration did not go through.
    #[error("migrating the database failed: {0}")]
    Migration(String),
    /// The database refused a statement.
    #[error(
        "the database refused a statement (SQLSTATE {code}{})",
        constraint.as_ref().map(|name| format!(", constraint {name}")).unwrap_or_default()
    )]
    Refused {
        /// SQLSTATE.
        code: String,
        /// The constraint that was violated, if it was one.
        constraint: Option<String>,
    },
    /// A row holds something that the program cannot understand.
    #[error("{table}.{column} of row {id} holds a value that is not understood")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Key of the row.
        id: String,
    },
    /// Another claim followed, or the job was taken away: nothing of this run counts any more.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// What was compared is not any more as it was then.
    #[error("what was compared changed meanwhile")]
    Moved,
    /// The person was linked with another record of the MIS while theirs was being fetched, or is
    /// no longer there.
    #[error("the person was linked anew meanwhile")]
    PersonMoved,
    /// A sync of the school is writing and takes its time.
    #[error("the school is being written by a sync")]
    SchoolBusy,
    /// The school's token cannot be opened with the configured key.
    #[error("the token of school {school_id} cannot be opened: was the encryption key changed?")]
    SealedWithAnotherKey {
        /// The school.
        school_id: String,
    },
    /// The school's token would be sent to another host, and no new one came with the change.
    #[error("another host needs a new token")]
    TokenWouldMove,
    /// Another connected school has the Wonde id.
    #[error("another school has this Wonde id")]
    WondeSchoolTaken,
    /// Whoever changes the connection may not choose the Wonde id.
    #[error("the Wonde id is not for this key to choose")]
    WondeIdFixed,
    /// An `Idempotency-Key` came back with another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// Something of the driver that has no case of its own.
    #[error("the database driver failed: {0}")]
    Driver(&'static str),
}

impl Error {
    /// Whether the same call may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            // Connection lost, read-only or asleep in a transaction, serialisation failure, deadlock,
            // too many connections, shutting down.
            Self::Refused { code, .. } => {
                ["08", "25006", "25P03", "40", "53", "57"].iter().any(|c| code.starts_with(c))
            }
            _ => false,
        }
    }

    /// Whether this transaction and another waited for each other, and this one was given up.
    pub(crate) fn is_deadlock(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "40P01")
    }

    /// Whether somebody else held a lock for longer than this transaction wanted to wait.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "55P03")
    }

    /// Whether a row that another one names is not there (any more).
    pub(crate) fn misses_a_row(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "23503")
    }

    /// Whether a unique constraint of this name was violated.
    pub(crate) fn violates(&self, name: &str) -> bool {
        matches!(self, Self::Refused { constraint: Some(found), .. } if found == name)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        crate::pool::heed(&error);
        match error {
            sqlx::Error::Database(refusal) => Self::Refused {
                code: refusal.code().unwrap_or_default().into_owned(),
                constraint: refusal.constraint().map(str::to_owned),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::Configuration(_) => Self::Configuration(error.to_string()),
            other => Self::Driver(driver_failure(&other)),
        }
    }
}

/// What failed, in words of ours: the driver's may quote a value.
fn driver_failure(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::RowNotFound => "no row came",
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => "a value cannot be read",
        sqlx::Error::Encode(_) => "a value cannot be sent",
        sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => {
            "a column is missing"
        }
        sqlx::Error::TypeNotFound { .. } => "a type is missing",
        sqlx::Error::Protocol(_) => "an answer came that was not expected",
        _ => "it did not say how",
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(cause)
            | sqlx::migrate::MigrateError::ExecuteMigration(cause, _) => {
                // What a migration of ours raises by itself holds ids only.
                if let sqlx::Error::Database(refusal) = &cause
                    && refusal.code().as_deref() == Some(RAISED)
                {
                    return Self::Migration(refusal.message().to_owned());
                }
                match Self::from(cause) {
                    away @ Self::Unavailable(_) => away,
                    other => Self::Migration(other.to_string()),
                }
            }
            other => Self::Migration(other.to_string()),
        }
    }
}
