//! Tokens that Wonde refused and may accept again.

use std::time::Duration;

use mis_sync_domain::{School, SchoolId};
use sqlx::PgPool;

use crate::Error;

/// Records that Wonde accepts the token that the school had when it was read. Nothing happens if
/// the school was connected again in the meantime.
pub async fn mark_token_accepted(pool: &PgPool, read: &School) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE school SET token_rejected_at = NULL, token_probed_at = NULL
        WHERE id = $1 AND updated_at = $2
        "#,
        read.id.as_str(),
        read.updated_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Schools whose refused token was not tried for `after`, the longest waiting first. Each is
/// returned once, and counts as tried from now on. A time in the future, which a clock that was set
/// back leaves behind, counts as long ago.
pub async fn take_for_probe(
    pool: &PgPool,
    after: Duration,
    limit: i64,
) -> Result<Vec<SchoolId>, Error> {
    let ids = sqlx::query_scalar!(
        r#"
        UPDATE school SET token_probed_at = now()
        WHERE id IN (
            SELECT id FROM school
            WHERE wonde_token IS NOT NULL AND token_rejected_at IS NOT NULL
                AND greatest(token_rejected_at, token_probed_at)
                    NOT BETWEEN now() - make_interval(secs => $1) AND now()
            ORDER BY greatest(token_rejected_at, token_probed_at), id
            LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        RETURNING id
        "#,
        after.as_secs_f64(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    ids.into_iter()
        .map(|id| {
            let broken = |_| Error::Inconsistent { table: "school", column: "id", id: id.clone() };
            id.parse().map_err(broken)
        })
        .collect()
}
