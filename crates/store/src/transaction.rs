//! Transactions whose future may be dropped at any await: a job is aborted, a client hangs up, a
//! deadline passes.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, Postgres, SqlSafeStr};
use tokio::runtime::Handle;

use crate::{Error, pool::is_at_rest};

/// A transaction; dropped without [`Transaction::commit`] it is taken back.
pub(crate) struct Transaction {
    inner: Option<sqlx::Transaction<'static, Postgres>>,
}

/// Opens a transaction.
pub(crate) async fn begin(pool: &PgPool) -> Result<Transaction, Error> {
    begin_with(pool, "BEGIN").await
}

/// Opens a transaction with this statement.
///
/// sqlx forgets a `BEGIN` whose future is dropped before the answer, and the connection would go
/// back to the pool inside a transaction that nobody ends. So a task of its own waits for the
/// answer: where nobody wants it any more, the transaction is taken back.
pub(crate) async fn begin_with(
    pool: &PgPool,
    statement: impl SqlSafeStr,
) -> Result<Transaction, Error> {
    let connection = pool.acquire().await?;
    let begun = sqlx::Transaction::begin(connection, Some(statement.into_sql_str()));
    let begun = tokio::spawn(begun).await;
    let inner = begun.map_err(|error| Error::Unavailable(error.to_string()))??;
    Ok(Transaction { inner: Some(inner) })
}

impl Transaction {
    /// Makes everything true that was written.
    pub(crate) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let inner = self.inner.take().expect("it is taken at its end only");
        inner.commit().await
    }

    /// Takes everything back that was written.
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

/// Between two statements the connection is as good as new once the rollback went through. In the
/// middle of one it is left as it is, and the pool closes it.
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
