//! The pool: how its sessions start, and which connections are used again.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use mis_sync_telemetry::metrics;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres, Row, pool::PoolConnection,
    postgres::PgPoolOptions,
};
use tokio::time::timeout;

use crate::{Address, Error};

/// How long a caller waits for a free connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was used this recently is taken without checking it. The check is a round
/// trip, which would double that of every single statement. No server restarts so fast.
const FRESH: Duration = Duration::from_millis(100);

/// A connection that does not answer the check in this time is dead.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

/// A refusal comes a moment before the session is ready for the next statement.
const SETTLING: Duration = Duration::from_millis(10);

/// How long a session may sleep inside a transaction by default.
const DEFAULT_LEASE: Duration = Duration::from_secs(30);

/// On a busy machine a transaction may be slow to send its next statement.
const SHORTEST_SLEEP: Duration = Duration::from_secs(2);

/// Connections that are older than this are not used again.
static DISTRUSTED_UNTIL: Mutex<Option<Instant>> = Mutex::new(None);

/// Opens a pool on `url`. Connections are made when they are needed.
pub fn connect(url: &str, max_connections: u32) -> Result<PgPool, Error> {
    Ok(connect_for_lease(&Address::parse(url, None)?, max_connections, DEFAULT_LEASE))
}

/// Opens a pool whose sessions the server ends about a lease after their process fell asleep or
/// vanished in a transaction. A worker that takes over the job then need not wait for it.
pub fn connect_for_lease(address: &Address, max_connections: u32, lease: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(prepare(connection, lease)))
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if is_distrusted(metadata.age) {
                    return Ok(false);
                }
                if metadata.idle_for > FRESH {
                    let look = timeout(LOOK_TIMEOUT, connection.ping()).await;
                    look.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| Box::pin(async move { Ok(is_at_rest(connection).await) }))
        .connect_lazy_with(address.options().clone())
}

/// A connection of the pool for a transaction. How long that took is recorded.
pub(crate) async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let asked = Instant::now();
    let connection = pool.acquire().await;
    metrics::POOL_WAIT.record(metrics::NO_LABELS, asked.elapsed());
    connection
}

/// Sets the gauges of the pool to what it is now.
pub fn observe(pool: &PgPool) {
    let (open, idle) = (pool.size(), u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
    metrics::POOL_CONNECTIONS.set(["idle"], idle.into());
    metrics::POOL_CONNECTIONS.set(["in_use"], open.saturating_sub(idle).into());
    let most = pool.options().get_max_connections();
    metrics::POOL_MAX_CONNECTIONS.set(metrics::NO_LABELS, most.into());
}

/// Tells a new session when the server should end it.
async fn prepare(connection: &mut PgConnection, lease: Duration) -> Result<(), sqlx::Error> {
    let asleep = lease.max(SHORTEST_SLEEP).as_millis();
    let (idle, interval) = keepalives(lease);
    let settings = format!(
        "SET idle_in_transaction_session_timeout = {asleep}; SET tcp_user_timeout = {asleep}; \
         SET tcp_keepalives_idle = {idle}; SET tcp_keepalives_interval = {interval}; \
         SET tcp_keepalives_count = 3; SHOW transaction_read_only"
    );
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(settings))).await?;
    if row.try_get::<String, _>(0)? == "on" {
        // It may be used for reading, once. The server that accepts writes may be back by the next
        // time.
        distrust(LOOK_TIMEOUT);
    }
    // The server checks whether the client is still there while a statement runs or waits for a
    // lock. Some systems cannot do this.
    if let Err(error) = connection.execute("SET client_connection_check_interval = '2s'").await {
        tracing::debug!(error = %Error::from(error), "the server cannot watch its client");
    }
    Ok(())
}

/// Seconds before the first keep-alive and between the following ones, so that three remain
/// unanswered within a lease.
pub(crate) fn keepalives(lease: Duration) -> (u64, u64) {
    ((lease.as_secs() / 3).max(1), (lease.as_secs() / 6).max(1))
}

/// Whether nothing is under way on a connection, that is, no statement was cut off before its
/// answer.
///
/// A connection that is not at rest is closed. Waiting for its answer could take as long as the
/// statement, and an error in counting answers would give one job those of another.
pub(crate) async fn is_at_rest(connection: &mut PgConnection) -> bool {
    matches!(timeout(SETTLING, connection.flush()).await, Ok(Ok(())))
}

/// Checks an error of the driver. After some errors no existing connection can be trusted: the
/// server stops or starts, no longer accepts writes, or is out of step with us.
pub(crate) fn heed(error: &sqlx::Error) {
    if let sqlx::Error::PoolTimedOut = error {
        metrics::POOL_TIMEOUTS.add(metrics::NO_LABELS, 1);
    }
    let is_bad = match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            code.starts_with("08") || ["25006", "57P01", "57P02", "57P03"].contains(&&*code)
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    };
    if is_bad {
        distrust(Duration::ZERO);
    }
}

/// Connections that exist now, or are made within `more`, are not used again.
fn distrust(more: Duration) {
    let until = Some(Instant::now() + more);
    let mut distrusted = DISTRUSTED_UNTIL.lock().expect("no code panics while it is locked");
    *distrusted = until.max(*distrusted);
}

fn is_distrusted(age: Duration) -> bool {
    let until = *DISTRUSTED_UNTIL.lock().expect("no code panics while it is locked");
    until.is_some_and(|until| {
        until.checked_duration_since(Instant::now()).is_some() || until.elapsed() < age
    })
}
