//! Elects the one worker that does what only one may do. The leader holds an advisory lock of
//! Postgres on a connection of its own, so the lock ends with the process.

use std::time::Duration;

use sqlx::{Connection, PgConnection};

use crate::{Address, Error, pool};

/// The lock of the leader; one for each database.
const LOCK: i64 = 0x6d69_735f_6c65_6164;

/// The name of candidates' connections in `pg_stat_activity`.
const APPLICATION_NAME: &str = "mis-sync leader";

/// A leader renews its session every two seconds; a busy machine may take longer.
const SHORTEST_SLEEP: Duration = Duration::from_secs(6);

/// A worker that is the leader or wants to be.
pub struct Candidate {
    connection: PgConnection,
    leads: bool,
}

impl Candidate {
    /// Opens the connection. It does not come from the pool, because the lock belongs to the
    /// connection and a pool gives connections to others. So does a pooler, so `address` must name
    /// Postgres itself or a pooler that keeps sessions.
    ///
    /// Postgres ends it within a lease if the process sleeps or its machine is gone, so that a
    /// leader is always able to lead.
    pub async fn connect(address: &Address, lease: Duration) -> Result<Self, Error> {
        let options = address.options().clone().application_name(APPLICATION_NAME);
        let mut connection = PgConnection::connect_with(&options).await?;
        let asleep = lease.max(SHORTEST_SLEEP).as_millis().to_string();
        let (idle, interval) = pool::keepalives(lease);
        sqlx::query!(
            r#"
            SELECT set_config('idle_session_timeout', $1, false) AS asleep,
                set_config('tcp_user_timeout', $1, false) AS unheard,
                set_config('tcp_keepalives_idle', $2, false) AS keepalive,
                set_config('tcp_keepalives_interval', $3, false) AS interval,
                set_config('tcp_keepalives_count', '3', false) AS count
            "#,
            asleep,
            idle.to_string(),
            interval.to_string(),
        )
        .fetch_one(&mut connection)
        .await?;
        Ok(Self { connection, leads: false })
    }

    /// Whether it is the leader now: takes the lock if it is free, or checks the connection that
    /// holds it.
    pub async fn leads(&mut self) -> Result<bool, Error> {
        if self.leads {
            self.connection.ping().await?;
        } else {
            // A lock that is taken twice has to be released twice, so only a candidate without it
            // asks.
            self.leads =
                sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "taken!""#, LOCK)
                    .fetch_one(&mut self.connection)
                    .await?;
        }
        Ok(self.leads)
    }
}
