use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::AlertId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Error, jobs::interval};

/// A message that a worker has taken to send.
#[derive(Debug, Clone)]
pub struct AlertMessage {
    /// The same in every attempt, so that a receiver can tell a repeat.
    pub id: Uuid,
    /// The JSON to sign and to send.
    pub body: String,
    /// Which attempt this is.
    pub attempt: i32,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

pub(super) async fn write(db: &mut PgConnection, alert: AlertId, body: &str) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO alert_message (id, alert_id, body) VALUES ($1, $2, $3)",
        Uuid::now_v7(),
        alert.0,
        body,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the message that is due longest; nobody else takes it for `lease`. That an alert is over
/// is not sent before that it was raised.
pub async fn take_message(pool: &PgPool, lease: Duration) -> Result<Option<AlertMessage>, Error> {
    let row = sqlx::query!(
        r#"
        UPDATE alert_message SET attempts = attempts + 1, next_attempt_at = now() + $1
        WHERE id = (
            SELECT id FROM alert_message m
            WHERE state = 'waiting' AND next_attempt_at <= now()
                AND NOT EXISTS (
                    SELECT FROM alert_message earlier
                    WHERE earlier.alert_id = m.alert_id AND earlier.id < m.id
                        AND earlier.state = 'waiting'
                )
            ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, body, attempts, created_at
        "#,
        interval(lease),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| AlertMessage {
        id: row.id,
        body: row.body,
        attempt: row.attempts,
        created_at: row.created_at,
    }))
}

/// The receiver has it.
pub async fn deliver(pool: &PgPool, message: &AlertMessage, status: u16) -> Result<(), Error> {
    end(pool, message, "delivered", Some(status), None).await
}

/// It is not tried any more.
pub async fn give_up(
    pool: &PgPool,
    message: &AlertMessage,
    status: Option<u16>,
    problem: &str,
) -> Result<(), Error> {
    end(pool, message, "given_up", status, Some(problem)).await
}

/// It did not arrive, and is tried again after this long.
pub async fn note_failure(
    pool: &PgPool,
    message: &AlertMessage,
    status: Option<u16>,
    problem: &str,
    after: Duration,
) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    note_attempt(&mut tx, message, status, Some(problem)).await?;
    sqlx::query!(
        "UPDATE alert_message SET next_attempt_at = now() + $3 WHERE id = $1 AND attempts = $2",
        message.id,
        message.attempt,
        interval(after),
    )
    .execute(&mut *tx)
    .await?;
    Ok(tx.commit().await?)
}

async fn end(
    pool: &PgPool,
    message: &AlertMessage,
    state: &str,
    status: Option<u16>,
    problem: Option<&str>,
) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    note_attempt(&mut tx, message, status, problem).await?;
    sqlx::query!("UPDATE alert_message SET state = $2 WHERE id = $1", message.id, state)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

async fn note_attempt(
    db: &mut PgConnection,
    message: &AlertMessage,
    status: Option<u16>,
    problem: Option<&str>,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO alert_attempt (message_id, attempt, http_status, problem)
        VALUES ($1, $2, $3, $4)
        "#,
        message.id,
        message.attempt,
        status.map(i32::from),
        problem,
    )
    .execute(db)
    .await?;
    Ok(())
}
