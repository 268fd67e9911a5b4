//! Who is signed in to the dashboard.

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, JobId, named};
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

named!(
    /// Why a session is over.
    Over, "end of a session", {
        KeyRevoked = "key_revoked",
        KeyExpired = "key_expired",
        SignedOut = "signed_out",
        /// It lasted [`LONGEST_HOURS`].
        TooLong = "too_long",
        /// It was not used for [`IDLE_MINUTES`].
        Idle = "idle",
    }
);

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
/// key was not revoked and has not expired. The call keeps the session alive.
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
        SELECT k.id, k.name, k.role, k.school_id, k.created_at, k.revoked_at, k.expires_at
        FROM live JOIN api_key k ON k.id = live.api_key_id AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > now())
        "#,
        id,
        i32::try_from(LONGEST_HOURS).expect("a few hours"),
        i32::try_from(IDLE_MINUTES).expect("a few minutes"),
    )
    .fetch_optional(pool)
    .await?;
    row.map(ApiKey::try_from).transpose()
}

/// Why a session is over, for the person whom it bounced; `None` if it is not, or never was.
pub async fn why_over(pool: &PgPool, id: Uuid) -> Result<Option<Over>, Error> {
    let why = sqlx::query_scalar!(
        r#"
        SELECT CASE
            WHEN k.revoked_at IS NOT NULL THEN 'key_revoked'
            WHEN k.expires_at <= now() THEN 'key_expired'
            WHEN s.ended_at IS NOT NULL THEN 'signed_out'
            WHEN s.created_at <= now() - make_interval(hours => $2) THEN 'too_long'
            WHEN s.seen_at <= now() - make_interval(mins => $3) THEN 'idle'
        END
        FROM dashboard_session s JOIN api_key k ON k.id = s.api_key_id WHERE s.id = $1
        "#,
        id,
        i32::try_from(LONGEST_HOURS).expect("a few hours"),
        i32::try_from(IDLE_MINUTES).expect("a few minutes"),
    )
    .fetch_optional(pool)
    .await?;
    let broken = |_| Error::Inconsistent {
        table: "dashboard_session",
        column: "ended_at",
        id: id.to_string(),
    };
    why.flatten().map(|why| why.parse().map_err(broken)).transpose()
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
