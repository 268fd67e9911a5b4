//! Transactions whose future may be dropped at any await: a job is aborted, a client hangs up, a
//! deadline passes.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex},
    time::Instant,
};

use mis_sync_domain::Lease;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, SqlSafeStr, pool::PoolConnection};
use tokio::runtime::Handle;
use tracing::Instrument;

use crate::{
    Error,
    pool::{acquire, is_at_rest},
};

/// A transaction. Dropping it without [`Transaction::commit`] rolls it back.
pub(crate) struct Transaction {
    inner: Option<sqlx::Transaction<'static, Postgres>>,
    open: Option<Open>,
}

tokio::task_local! {
    static WRITING: Writing;
}

/// Whether the work of a claim is inside a transaction, for its watcher: a connection that died
/// silently returns neither an answer nor an error.
#[derive(Debug, Clone, Default)]
pub struct Writing(Arc<Mutex<Option<Instant>>>);

impl Writing {
    /// Runs the work.
    pub async fn watch<T>(&self, work: impl Future<Output = T>) -> T {
        WRITING.scope(self.clone(), work).await
    }

    /// When the open transaction began.
    pub fn since(&self) -> Option<Instant> {
        *self.0.lock().expect("no code panics while it is locked")
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().expect("no code panics while it is locked") = since;
    }
}

/// Ends with its transaction.
struct Open(Writing);

impl Open {
    fn begin() -> Option<Self> {
        let writing = WRITING.try_with(Clone::clone).ok()?;
        writing.set(Some(Instant::now()));
        Some(Self(writing))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// The name in `pg_stat_activity` of the session with this claim's open transaction.
pub(crate) fn session_name(lease: Lease) -> String {
    format!("mis-sync job {} {}", lease.job_id, lease.fence)
}

/// Opens a transaction of a claim. The session carries its name to the end, so that others can see
/// what became of it.
pub(crate) async fn begin_for(
    pool: &PgPool,
    lease: Lease,
    statement: &'static str,
) -> Result<Transaction, Error> {
    let name = session_name(lease);
    let statement = AssertSqlSafe(format!("{statement}; SET LOCAL application_name = '{name}'"));
    let connection = acquire(pool).await?;
    let open = Open::begin();
    let mut transaction = begin_on(connection, statement).await?;
    transaction.open = open;
    Ok(transaction)
}

pub(crate) async fn begin(pool: &PgPool) -> Result<Transaction, Error> {
    begin_with(pool, "BEGIN").await
}

/// Opens a transaction with this statement.
///
/// sqlx forgets a `BEGIN` whose future is dropped before the answer, and the connection would
/// return to the pool inside a transaction that no one ends. So a separate task waits for the
/// answer, and rolls the transaction back if its caller has gone.
pub(crate) async fn begin_with(
    pool: &PgPool,
    statement: impl SqlSafeStr,
) -> Result<Transaction, Error> {
    begin_on(acquire(pool).await?, statement).await
}

async fn begin_on(
    connection: PoolConnection<Postgres>,
    statement: impl SqlSafeStr,
) -> Result<Transaction, Error> {
    let begun = sqlx::Transaction::begin(connection, Some(statement.into_sql_str()));
    let begun = tokio::spawn(begun.in_current_span()).await;
    let inner = begun.map_err(|error| Error::Unavailable(error.to_string()))??;
    Ok(Transaction { inner: Some(inner), open: None })
}

impl Transaction {
    /// Commits everything that was written.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let inner = self.inner.take().expect("it is taken at its end only");
        inner.commit().await
    }

    /// Rolls back everything that was written.
    pub(crate) async fn rollback(mut self) -> Result<(), sqlx::Error> {
        let inner = self.inner.take().expect("it is taken at its end only");
        inner.rollback().await
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.inner.as_ref().expect("it is taken at its end only")
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.inner.as_mut().expect("it is taken at its end only")
    }
}

/// Between two statements the connection can be used again once the rollback has succeeded. In the
/// middle of a statement it is left alone, and the pool closes it.
impl Drop for Transaction {
    fn drop(&mut self) {
        let (Some(mut inner), Ok(runtime)) = (self.inner.take(), Handle::try_current()) else {
            return;
        };
        runtime.spawn(async move {
            if is_at_rest(&mut inner).await
                && let Err(error) = inner.rollback().await
            {
                tracing::debug!(error = %Error::from(error), "a rollback did not go through");
            }
        });
    }
}
