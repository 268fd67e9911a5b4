//! How long Wonde asks us to wait (429), for the time without Redis. Tokens are identified by a
//! hash.

use std::time::Duration;

use sqlx::PgPool;

use crate::{Error, jobs::interval};

/// Records that no request with `key` may be sent for this long, unless a longer wait is recorded
/// already. Old waits are deleted at the same time.
pub async fn note(pool: &PgPool, key: &str, length: Duration) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH over AS (
            DELETE FROM wonde_pause WHERE limit_key IN (
                SELECT limit_key FROM wonde_pause WHERE paused_until < now() AND limit_key <> $1
                FOR UPDATE SKIP LOCKED)
        )
        INSERT INTO wonde_pause AS p (limit_key, paused_until) VALUES ($1, now() + $2)
        ON CONFLICT (limit_key) DO UPDATE
            SET paused_until = greatest(p.paused_until, excluded.paused_until)
        "#,
        key,
        interval(length),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How long no request with `key` may be sent.
pub async fn left(pool: &PgPool, key: &str) -> Result<Option<Duration>, Error> {
    let seconds = sqlx::query_scalar!(
        r#"
        SELECT extract(epoch FROM paused_until - now())::float8 AS "seconds!" FROM wonde_pause
        WHERE limit_key = $1 AND paused_until > now()
        "#,
        key,
    )
    .fetch_optional(pool)
    .await?;
    Ok(seconds.map(duration))
}

/// The same for every key.
pub async fn list(pool: &PgPool) -> Result<Vec<(String, Duration)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT limit_key, extract(epoch FROM paused_until - now())::float8 AS "seconds!"
        FROM wonde_pause WHERE paused_until > now()
        "#,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.limit_key, duration(row.seconds))).collect())
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
