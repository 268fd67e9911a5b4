//! Who is signed in to the dashboard.

use mis_sync_domain::AuditAction;
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error,
    api_keys::{ApiKey, ApiKeyRow},
    audit::{self, Entry},
};

/// No session lasts longer, however busy it is.
pub const LONGEST_HOURS: u32 = 12;
/// A session ends after this time without use.
pub const IDLE_MINUTES: u32 = 60;

/// Begins a session for the owner of this key, and returns its id.
pub async fn begin(pool: &PgPool, key: &ApiKey) -> Result<Uuid, Error> {
    let id = Uuid::new_v4();
    let mut tx = crate::begin(pool).await?;
    sqlx::query!("INSERT INTO dashboard_session (id, api_key_id) VALUES ($1, $2)", id, key.id.0)
        .execute(&mut *tx)
        .await?;
    audit::record(&mut tx, &key.actor(), &Entry::new(AuditAction::SignIn)).await?;
    tx.commit().await?;
    Ok(id)
}

/// The key of a session that has not ended: it was not signed out, its time is not over, and the
/// key was not revoked. The call keeps the session alive.
pub async fn resume(pool: &PgPool, id: Uuid) -> Result<Option<ApiKey>, Error> {
    let row = sqlx::query_as!(
        ApiKeyRow,
        r#"
        WITH live AS (
            SELECT id, api_key_id, seen_at FROM dashboard_session
            WHERE id = $1 AND ended_at IS NULL
                AND created_at > now() - make_interval(hours => $2)
                AND seen_at > now() - make_interval(mins => $3)
        ), seen AS (
            UPDATE dashboard_session s SET seen_at = now() FROM live
            WHERE s.id = live.id AND live.seen_at < now() - interval '1 minute'
        )
        SELECT k.id, k.name, k.role, k.school_id, k.created_at, k.revoked_at
        FROM live JOIN api_key k ON k.id = live.api_key_id AND k.revoked_at IS NULL
        "#,
        id,
        i32::try_from(LONGEST_HOURS).expect("a few hours"),
        i32::try_from(IDLE_MINUTES).expect("a few minutes"),
    )
    .fetch_optional(pool)
    .await?;
    row.map(ApiKey::try_from).transpose()
}

/// Ends a session of this key. If it has already ended, nothing changes.
pub async fn end(pool: &PgPool, id: Uuid, key: &ApiKey) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    let ended = sqlx::query!(
        "UPDATE dashboard_session SET ended_at = now() WHERE id = $1 AND ended_at IS NULL",
        id
    )
    .execute(&mut *tx)
    .await?;
    if ended.rows_affected() > 0 {
        audit::record(&mut tx, &key.actor(), &Entry::new(AuditAction::SignOut)).await?;
    }
    tx.commit().await?;
    Ok(())
}
