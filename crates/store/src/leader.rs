//! One worker at a time does what must not be done by all: it holds an advisory lock of Postgres
//! on a connection of its own, so the lock goes when the process does.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use crate::{Error, pool};

/// The lock that the leader holds; one for each database.
const LOCK: i64 = 0x6d69_735f_6c65_6164;

/// How connections of leaders and of those who would be are called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "mis-sync leader";

/// A leader shows itself every two seconds; a busy machine may take longer.
const SHORTEST_SLEEP: Duration = Duration::from_secs(6);

/// A worker that leads, or would.
pub struct Candidate {
    connection: PgConnection,
    leads: bool,
}

impl Candidate {
    /// Opens the connection. It is not one of the pool's: the lock belongs to the connection, and
    /// a pool gives those away.
    ///
    /// Postgres ends it by itself when the process sleeps or its machine is gone without a word,
    /// within a lease: nobody leads who cannot.
    pub async fn connect(pool: &PgPool, lease: Duration) -> Result<Self, Error> {
        let options = pool.connect_options().as_ref().clone().application_name(APPLICATION_NAME);
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

    /// Whether it leads now: takes the lock if nobody has it, or looks whether the connection
    /// that holds it still lives.
    pub async fn leads(&mut self) -> Result<bool, Error> {
        if self.leads {
            self.connection.ping().await?;
        } else {
            // Taken twice the lock would have to be given back twice: only who has none asks.
            self.leads =
                sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "taken!""#, LOCK)
                    .fetch_one(&mut self.connection)
                    .await?;
        }
        Ok(self.leads)
    }
}
