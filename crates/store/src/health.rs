use std::time::Duration;

use sqlx::PgPool;

use crate::Error;

/// The state of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its version, for example `16.4`.
    pub version: String,
    /// Bytes of this database on disk.
    pub size_bytes: i64,
    /// Client connections to all databases of the server.
    pub connections: i64,
    /// The most connections that it accepts.
    pub max_connections: i64,
    /// How long the oldest open transaction has been open; `None` if there is only this one, or if
    /// the role may not see others.
    pub oldest_transaction: Option<Duration>,
}

/// Reads the state of the database.
pub async fn health(pool: &PgPool) -> Result<Health, Error> {
    let row = sqlx::query!(
        r#"
        SELECT split_part(current_setting('server_version'), ' ', 1) AS "version!",
            pg_database_size(current_database()) AS "size_bytes!",
            count(*) FILTER (WHERE backend_type = 'client backend') AS "connections!",
            current_setting('max_connections')::bigint AS "max_connections!",
            extract(epoch FROM now() - min(xact_start) FILTER (WHERE pid <> pg_backend_pid()
                AND backend_type = 'client backend'))::float8 AS oldest
        FROM pg_stat_activity
        "#,
    )
    .fetch_one(pool)
    .await?;
    Ok(Health {
        version: row.version,
        size_bytes: row.size_bytes,
        connections: row.connections,
        max_connections: row.max_connections,
        oldest_transaction: row.oldest.map(|age| Duration::from_secs_f64(age.max(0.0))),
    })
}
