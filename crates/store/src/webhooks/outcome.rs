//! The results of an event. Each ends it, and its job, in the transaction that does what it says.

use chrono::{DateTime, Utc};
use mis_sync_domain::WebhookState;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{PgConnection, PgPool};

use super::{OpenEvent, seal_name};
use crate::{Error, TokenCipher, jobs};

/// Gives a token that Wonde confirmed to the school with this Wonde id: the connected one, or
/// otherwise the only one. Returns false if iP has none or it is not clear which, or if the school
/// was disconnected and the approval was handled before: that token was destroyed on purpose.
pub async fn apply_approval(
    pool: &PgPool,
    cipher: &TokenCipher,
    event: &OpenEvent,
    token: &SecretString,
    mis: Option<&str>,
) -> Result<bool, Error> {
    let wonde_school_id = event.wonde_school_id.as_deref().unwrap_or_default();
    let mut tx = crate::begin(pool).await?;
    let mut schools = sqlx::query_as!(
        Candidate,
        r#"
        SELECT id, wonde_token, token_rejected_at FROM school
        WHERE wonde_school_id = $1 AND (wonde_token IS NOT NULL OR NOT $2)
        FOR UPDATE
        "#,
        wonde_school_id,
        event.is_repeat,
    )
    .fetch_all(&mut *tx)
    .await?;
    if schools.iter().any(|school| school.wonde_token.is_some()) {
        schools.retain(|school| school.wonde_token.is_some());
    }
    let [school] = schools.as_slice() else { return Ok(false) };
    if !school.uses(cipher, token) {
        sqlx::query!(
            r#"
            UPDATE school SET wonde_token = $2, token_rejected_at = NULL, mis = coalesce(mis, $3),
                updated_at = now()
            WHERE id = $1
            "#,
            school.id,
            cipher.seal(&school.id, token),
            mis,
        )
        .execute(&mut *tx)
        .await?;
    }
    forget_kept(&mut tx, wonde_school_id, "replaced").await?;
    end(&mut tx, event, WebhookState::Applied, None).await?;
    Ok(tx.commit().await.map(|()| true)?)
}

/// A school that an approval may be for.
struct Candidate {
    id: String,
    wonde_token: Option<Vec<u8>>,
    token_rejected_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// Whether it already has this token, and Wonde has not refused it.
    fn uses(&self, cipher: &TokenCipher, token: &SecretString) -> bool {
        let held = self.wonde_token.as_ref().and_then(|sealed| cipher.open(&self.id, sealed));
        let is_held = held.is_some_and(|held| held.expose_secret() == token.expose_secret());
        is_held && self.token_rejected_at.is_none()
    }
}

/// Keeps a confirmed approval until the school is connected. An older one is deleted.
pub async fn keep_approval(pool: &PgPool, event: &OpenEvent) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    forget_kept(&mut tx, event.wonde_school_id.as_deref().unwrap_or_default(), "replaced").await?;
    end(&mut tx, event, WebhookState::Kept, None).await?;
    Ok(tx.commit().await?)
}

/// The school's token counts as refused, so it is no longer synced; its people stay. A kept
/// approval is deleted.
pub async fn end_access(pool: &PgPool, event: &OpenEvent) -> Result<(), Error> {
    let wonde_school_id = event.wonde_school_id.as_deref().unwrap_or_default();
    let mut tx = crate::begin(pool).await?;
    let ended = sqlx::query!(
        r#"
        UPDATE school SET token_rejected_at = coalesce(token_rejected_at, now())
        WHERE wonde_school_id = $1 AND wonde_token IS NOT NULL
        "#,
        wonde_school_id,
    )
    .execute(&mut *tx)
    .await?;
    let forgotten = forget_kept(&mut tx, wonde_school_id, "access_ended").await?;
    let (state, reason) = match ended.rows_affected() + forgotten {
        0 => (WebhookState::Ignored, Some("school_not_connected")),
        _ => (WebhookState::Applied, None),
    };
    end(&mut tx, event, state, reason).await?;
    Ok(tx.commit().await?)
}

/// Records on the school which MIS it leaves and which it changes to. Once the change is complete,
/// the school has the new MIS, and the next delta reads everything.
pub async fn note_migration(
    pool: &PgPool,
    event: &OpenEvent,
    from: Option<&str>,
    to: Option<&str>,
    is_completed: bool,
) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    let noted = sqlx::query!(
        r#"
        UPDATE school s SET migrating_from = $2, migrating_to = $3, migration_completed = $4,
            migration_noted_at = now(),
            mis = CASE WHEN $4 THEN coalesce($3, mis) ELSE mis END,
            updated_at = CASE WHEN $4 THEN now() ELSE updated_at END
        -- Where one that has the id is connected, it is meant.
        WHERE wonde_school_id = $1 AND (wonde_token IS NOT NULL OR NOT EXISTS (
            SELECT FROM school o WHERE o.wonde_school_id = $1 AND o.wonde_token IS NOT NULL))
        "#,
        event.wonde_school_id.as_deref().unwrap_or_default(),
        from,
        to,
        is_completed,
    )
    .execute(&mut *tx)
    .await?;
    let (state, reason) = match noted.rows_affected() {
        0 => (WebhookState::Ignored, Some("school_not_connected")),
        _ => (WebhookState::Applied, None),
    };
    end(&mut tx, event, state, reason).await?;
    Ok(tx.commit().await?)
}

/// It is not true, or cannot be understood.
pub async fn refuse(pool: &PgPool, event: &OpenEvent, reason: &str) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    end(&mut tx, event, WebhookState::Refused, Some(reason)).await?;
    Ok(tx.commit().await?)
}

/// It has no effect.
pub async fn ignore(pool: &PgPool, event: &OpenEvent, reason: &str) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    end(&mut tx, event, WebhookState::Ignored, Some(reason)).await?;
    Ok(tx.commit().await?)
}

/// Records why it is not handled yet.
pub async fn note_wait(pool: &PgPool, event: &OpenEvent, reason: &str) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE webhook_event SET reason = $2 WHERE id = $1 AND state = 'received'",
        event.id.0,
        reason,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The token of a kept approval, which is then no longer kept. The caller gives it to a school in
/// the same transaction.
pub(crate) async fn take_kept(
    db: &mut PgConnection,
    cipher: &TokenCipher,
    wonde_school_id: &str,
) -> Result<Option<SecretString>, Error> {
    let sealed = sqlx::query_scalar!(
        r#"
        WITH kept AS (
            SELECT id, sealed_token FROM webhook_event
            WHERE wonde_school_id = $1 AND state = 'kept' FOR UPDATE
        )
        UPDATE webhook_event e SET state = 'applied', sealed_token = NULL, handled_at = now()
        FROM kept WHERE e.id = kept.id
        RETURNING kept.sealed_token AS "sealed_token!"
        "#,
        wonde_school_id,
    )
    .fetch_optional(db)
    .await?;
    Ok(sealed.and_then(|sealed| cipher.open(&seal_name(wonde_school_id), &sealed)))
}

/// Destroys the tokens of a school's kept approvals, and returns their number.
pub(crate) async fn forget_kept(
    db: &mut PgConnection,
    wonde_school_id: &str,
    reason: &str,
) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE webhook_event SET state = 'ignored', reason = $2, sealed_token = NULL
        WHERE wonde_school_id = $1 AND state = 'kept'
        "#,
        wonde_school_id,
        reason,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Only a kept approval still needs its token. [`Error::Moved`] if the same body came again since
/// the event was opened, and may be true now although it was not then.
async fn end(
    db: &mut PgConnection,
    event: &OpenEvent,
    state: WebhookState,
    reason: Option<&str>,
) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        UPDATE webhook_event SET state = $2, reason = $3, handled_at = now(),
            sealed_token = CASE WHEN $2 = 'kept' THEN sealed_token END
        WHERE id = $1 AND state = 'received' AND times_received = $4
        "#,
        event.id.0,
        state.as_str(),
        reason,
        event.times_received,
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Moved);
    }
    jobs::finish(db, event.lease).await
}
