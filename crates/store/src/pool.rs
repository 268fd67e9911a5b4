//! The pool: what its connections are told at their start, and which of them are used again.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::Error;

/// How long a caller waits for a free connection before it is told that the database is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was used this shortly ago is taken without a look whether it still lives:
/// the look is a round trip, and at work it would double those of every single statement. No
/// server restarts so fast.
const FRESH: Duration = Duration::from_millis(100);

/// A refusal comes a moment before the word that the session is ready for more.
const SETTLING: Duration = Duration::from_millis(10);

/// Opens a pool on `url`. Connections are made when they are needed.
pub fn connect(url: &str, max_connections: u32) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("mis-sync");
    Ok(PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| Box::pin(async move { Ok(is_at_rest(connection).await) }))
        .connect_lazy_with(options))
}

/// Tells a new session when the server shall end it.
async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // The server looks whether the client is still there while a statement runs or waits for a
    // lock. Some systems cannot, and go without.
    if let Err(error) = connection.execute("SET client_connection_check_interval = '2s'").await {
        tracing::debug!(error = %Error::from(error), "the server cannot watch its client");
    }
    Ok(())
}

/// Whether nothing is under way on a connection: no statement was cut off before its answer.
///
/// One that is not at rest is closed. To wait for its answer could take as long as the statement,
/// and whoever counts the answers wrong gives one job those of another.
pub(crate) async fn is_at_rest(connection: &mut PgConnection) -> bool {
    matches!(timeout(SETTLING, connection.flush()).await, Ok(Ok(())))
}
