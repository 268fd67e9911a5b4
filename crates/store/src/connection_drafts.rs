//! Tokens that were typed to connect schools, until each school is chosen. A draft lives for an hour,
//! belongs to the key of the person who typed the token, and is removed once it is used.

use mis_sync_domain::{ApiKeyId, ApprovedSchool, ConnectionDraftId, Lease};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::PgPool;

use crate::{Error, TokenCipher, jobs};

/// A draft with what Wonde said to its token.
#[derive(Debug)]
pub struct Draft {
    pub token: SecretString,
    /// The Wonde address; `None` for the configured one.
    pub wonde_base_url: Option<String>,
    /// The schools that the token can see; `None`: not known yet, or never.
    pub schools: Option<Vec<ApprovedSchool>>,
    /// Why there is no list.
    pub problem: Option<String>,
}

/// What is needed to ask Wonde.
#[derive(Debug)]
pub struct OpenDraft {
    pub token: SecretString,
    pub wonde_base_url: Option<String>,
}

fn owner(id: ConnectionDraftId) -> String {
    format!("draft:{id}")
}

/// Keeps a token, sealed, for an hour.
pub async fn begin(
    pool: &PgPool,
    cipher: &TokenCipher,
    key: ApiKeyId,
    token: &SecretString,
    wonde_base_url: Option<&str>,
) -> Result<ConnectionDraftId, Error> {
    let id = ConnectionDraftId::new();
    sqlx::query!(
        r#"
        INSERT INTO connection_draft (id, sealed_token, wonde_base_url, api_key_id)
        VALUES ($1, $2, $3, $4)
        "#,
        id.0,
        cipher.seal(&owner(id), token),
        wonde_base_url,
        key.0,
    )
    .execute(pool)
    .await?;
    Ok(id)
}

/// The token of a draft, for the worker that asks Wonde.
pub async fn open(
    pool: &PgPool,
    cipher: &TokenCipher,
    id: ConnectionDraftId,
) -> Result<Option<OpenDraft>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT sealed_token, wonde_base_url FROM connection_draft
        WHERE id = $1 AND expires_at > now()
        "#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| {
        let token = cipher.open(&owner(id), &row.sealed_token)?;
        Some(OpenDraft { token, wonde_base_url: row.wonde_base_url })
    }))
}

/// The draft of this key; `None` if there is none, or not any longer.
pub async fn get(
    pool: &PgPool,
    cipher: &TokenCipher,
    id: ConnectionDraftId,
    key: ApiKeyId,
) -> Result<Option<Draft>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT sealed_token, wonde_base_url, schools, problem FROM connection_draft
        WHERE id = $1 AND api_key_id = $2 AND expires_at > now()
        "#,
        id.0,
        key.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(token) = cipher.open(&owner(id), &row.sealed_token) else { return Ok(None) };
    let schools = row.schools.map(serde_json::from_value).transpose();
    let schools = schools.map_err(|_| Error::Inconsistent {
        table: "connection_draft",
        column: "schools",
        id: id.to_string(),
    })?;
    Ok(Some(Draft { token, wonde_base_url: row.wonde_base_url, schools, problem: row.problem }))
}

/// Keeps Wonde's list, or why there is none, and ends the job that asked.
pub async fn keep(
    pool: &PgPool,
    lease: Lease,
    id: ConnectionDraftId,
    found: Result<&[ApprovedSchool], &str>,
) -> Result<(), Error> {
    let schools: Option<Value> = found
        .ok()
        .map(|schools| serde_json::to_value(schools).expect("a list of schools is plain JSON"));
    let mut tx = crate::begin(pool).await?;
    sqlx::query!(
        "UPDATE connection_draft SET schools = $2, problem = $3 WHERE id = $1",
        id.0,
        schools,
        found.err(),
    )
    .execute(&mut *tx)
    .await?;
    jobs::finish(&mut *tx, lease).await?;
    Ok(tx.commit().await?)
}

/// Destroys the token of a draft that was used.
pub async fn remove(pool: &PgPool, id: ConnectionDraftId) -> Result<(), Error> {
    sqlx::query!("DELETE FROM connection_draft WHERE id = $1", id.0).execute(pool).await?;
    Ok(())
}
