use mis_sync_domain::LoginScope;

/// SQLSTATE of `RAISE EXCEPTION`.
const RAISED: &str = "P0001";

/// What can go wrong with the database.
///
/// A database's own error quotes values in its message and its detail, and values are personal
/// data. So only the code and the constraint are kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or went away.
    #[error("the database is away: {0}")]
    Unavailable(String),
    /// No session began.
    #[error("{0}")]
    Unreachable(crate::Unreachable),
    /// The address of the database is not valid.
    #[error("the database address is wrong: {0}")]
    Configuration(String),
    /// The schema is older than this release.
    #[error(
        "the database schema is at version {found}, this release needs {needed}: run `mis-sync migrate`"
    )]
    SchemaBehind { found: i64, needed: i64 },
    /// The database enforces another scope of logins than the configuration says.
    #[error(
        "the database has logins unique within the {}, and logins.unique_within is {}: run \
         `mis-sync migrate`",
        found.as_str(),
        wanted.as_str()
    )]
    LoginScope {
        /// The scope in the database.
        found: LoginScope,
        /// The scope in the configuration.
        wanted: LoginScope,
    },
    /// Logins cannot become unique within the installation.
    #[error(
        "{0} logins are held at more than one school, so logins.unique_within cannot be \
         `installation`: change these people's work emails, or deactivate all but one account of each"
    )]
    SharedLogins(u64),
    /// A migration failed.
    #[error("migrating the database failed: {0}")]
    Migration(String),
    /// The database refused a statement.
    #[error(
        "the database refused a statement (SQLSTATE {code}{})",
        constraint.as_ref().map(|name| format!(", constraint {name}")).unwrap_or_default()
    )]
    Refused {
        code: String,
        /// The violated constraint, if there is one.
        constraint: Option<String>,
    },
    /// A row contains a value that the program does not understand.
    #[error("{table}.{column} of row {id} has a value that this release does not understand")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        /// Key of the row.
        id: String,
    },
    /// Another claim followed, or the job was taken away. Nothing of this run counts any more.
    #[error("the lease on the job was lost")]
    LeaseLost,
    /// Rows changed after they were compared.
    #[error("rows changed after they were compared")]
    Moved,
    /// During the fetch the person was linked to another record, or was removed.
    #[error("the person was linked to another record meanwhile")]
    PersonMoved,
    /// A sync is writing the school and takes long.
    #[error("a sync is writing the school")]
    SchoolBusy,
    /// The school's token cannot be decrypted with the configured key.
    #[error("the token of school {school_id} cannot be decrypted: was the encryption key changed?")]
    SealedWithAnotherKey { school_id: String },
    /// The school's token would be sent to another host, and the change came without a new token.
    #[error("a change of host needs a new token")]
    TokenWouldMove,
    /// Another connected school has this Wonde id.
    #[error("another connected school has this Wonde id")]
    WondeSchoolTaken,
    /// A school has a receiver of callbacks and no secret that signs them.
    #[error("callbacks need a secret")]
    CallbackSecretMissing,
    /// The school is not as the caller last saw it.
    #[error("the school was changed meanwhile")]
    ChangedMeanwhile,
    /// The caller may not choose the Wonde id.
    #[error("this key may not choose the Wonde id")]
    WondeIdFixed,
    /// The `Idempotency-Key` was used before, for another request.
    #[error("this idempotency key was already used for another request")]
    IdempotencyKeyReused,
    /// An error of the driver that has no variant of its own.
    #[error("the database driver failed: {0}")]
    Driver(&'static str),
}

impl Error {
    /// Whether the same call may succeed later without any change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Unreachable(unreachable) => !unreachable.is_configuration(),
            // The connection was lost, was read-only or slept in a transaction; a serialisation
            // failure; a deadlock; too many connections; a shutdown.
            Self::Refused { code, .. } => {
                ["08", "25006", "25P03", "40", "53", "57"].iter().any(|c| code.starts_with(c))
            }
            _ => false,
        }
    }

    /// Whether this transaction and another waited for each other, and this one was aborted.
    pub(crate) fn is_deadlock(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "40P01")
    }

    /// Whether another session held a lock for longer than this transaction was prepared to wait.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "55P03")
    }

    /// Whether a referenced row does not exist, or no longer does.
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

/// What failed, in our own words, because the driver's may quote a value.
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
                // Errors that our own migrations raise contain only ids.
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
