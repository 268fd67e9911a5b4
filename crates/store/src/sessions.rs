//! Who is signed in to the dashboard.

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, JobId};
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

/// For so long a session shows the personal data of a job once its owner has asked for it.
pub const REVEAL_MINUTES: u32 = 15;

/// Records that a session shows the personal data of a job from now on.
pub async fn reveal(pool: &PgPool, id: Uuid, job_id: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO dashboard_reveal (session_id, job_id, until)
        VALUES ($1, $2, now() + make_interval(mins => $3))
        ON CONFLICT (session_id, job_id) DO UPDATE SET until = excluded.until
        "#,
        id,
        job_id.0,
        i32::try_from(REVEAL_MINUTES).expect("a few minutes"),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Until when a session shows the personal data of a job; `None` if it does not.
pub async fn revealed_until(
    pool: &PgPool,
    id: Uuid,
    job_id: JobId,
) -> Result<Option<DateTime<Utc>>, Error> {
    let until = sqlx::query_scalar!(
        r#"
        SELECT until FROM dashboard_reveal
        WHERE session_id = $1 AND job_id = $2 AND until > now()
        "#,
        id,
        job_id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(until)
}
