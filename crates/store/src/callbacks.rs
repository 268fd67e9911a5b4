//! Who receives messages about jobs. The messages themselves are jobs, which a trigger of the database
//! adds when a sync ends (`enqueue_callbacks`).

use mis_sync_domain::SchoolId;
use secrecy::SecretString;
use sqlx::PgPool;

use crate::{Error, TokenCipher};

/// The owner of a school's secret, which is no owner of a token: a school's id has no spaces.
pub(crate) fn owner(id: &SchoolId) -> String {
    format!("{id} callbacks")
}

/// Records whether the installation has a receiver. Only syncs that end later are told.
pub async fn note_installation(pool: &PgPool, is_on: bool) -> Result<(), Error> {
    sqlx::query!("UPDATE installation_callbacks SET is_on = $1 WHERE is_on <> $1", is_on)
        .execute(pool)
        .await?;
    Ok(())
}

/// A school's own receiver: its address, and the secret that signs; `None` if it has none.
pub async fn of_school(
    pool: &PgPool,
    cipher: &TokenCipher,
    id: &SchoolId,
) -> Result<Option<(String, SecretString)>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT callback_url AS "url!", callback_secret AS "secret!" FROM school
        WHERE id = $1 AND callback_url IS NOT NULL AND callback_secret IS NOT NULL
        "#,
        id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = cipher
        .open(&owner(id), &row.secret)
        .ok_or_else(|| Error::SealedWithAnotherKey { school_id: id.to_string() })?;
    Ok(Some((row.url, secret)))
}
