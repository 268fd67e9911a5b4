//! Schools and their connection to Wonde.

mod check;
mod connect;
mod overview;
mod probes;
mod standing;
mod tokens;
mod withheld;

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, School, SchoolId, TokenState};
use secrecy::SecretString;
use sqlx::PgPool;

use crate::{
    Error, TokenCipher,
    audit::{self, Actor, Entry},
};

pub use check::keep_check;
use connect::lock_former;
pub use connect::{Connector, OnlyIf, Secrets, connect, connect_approved};
pub use overview::{PastSync, Quality, SchoolSummary, names, past_syncs, summaries};
pub use probes::{mark_token_accepted, take_for_probe};
pub use standing::{MisChange, Outage, Paused, Standing, standing};
pub use tokens::replace_token;
pub(crate) use withheld::note_withheld;

/// A school with what a sync needs.
pub struct SchoolAccess {
    pub school: School,
    /// Its Wonde token.
    pub token: SecretString,
}

struct SchoolRow {
    id: String,
    name: String,
    wonde_school_id: String,
    wonde_base_url: Option<String>,
    wonde_token: Option<Vec<u8>>,
    token_rejected_at: Option<DateTime<Utc>>,
    mis: Option<String>,
    settings: serde_json::Value,
    callback_url: Option<String>,
    last_check: Option<serde_json::Value>,
    last_synced_at: Option<DateTime<Utc>>,
    changes_seen_until: Option<DateTime<Utc>>,
    last_full_sync_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<SchoolRow> for School {
    type Error = Error;

    fn try_from(row: SchoolRow) -> Result<Self, Error> {
        let token = match (row.wonde_token, row.token_rejected_at) {
            (None, _) => TokenState::Missing,
            (Some(_), None) => TokenState::Held,
            (Some(_), Some(_)) => TokenState::Rejected,
        };
        let broken = |column| Error::Inconsistent { table: "school", column, id: row.id.clone() };
        Ok(Self {
            settings: serde_json::from_value(row.settings).map_err(|_| broken("settings"))?,
            id: row.id.parse().map_err(|_| broken("id"))?,
            name: row.name,
            wonde_school_id: row.wonde_school_id,
            wonde_base_url: row.wonde_base_url,
            mis: row.mis,
            token,
            callback_url: row.callback_url,
            // One of another release may have other names.
            last_check: row.last_check.and_then(|check| serde_json::from_value(check).ok()),
            last_synced_at: row.last_synced_at,
            changes_seen_until: row.changes_seen_until,
            last_full_sync_at: row.last_full_sync_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// One school.
pub async fn get(pool: &PgPool, id: &SchoolId) -> Result<Option<School>, Error> {
    fetch_row(pool, id).await?.map(School::try_from).transpose()
}

/// Schools in the order of their ids, after `after`.
pub async fn list(
    pool: &PgPool,
    after: Option<&SchoolId>,
    limit: i64,
) -> Result<Vec<School>, Error> {
    let rows = sqlx::query_as!(
        SchoolRow,
        r#"
        SELECT id, name, wonde_school_id, wonde_base_url, wonde_token, token_rejected_at, mis,
            settings, callback_url, last_check, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
            updated_at
        FROM school WHERE id > coalesce($1, '') ORDER BY id LIMIT $2
        "#,
        after.map(SchoolId::as_str),
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(School::try_from).collect()
}

/// A school with its token, for a sync. Returns `None` if there is no such school or no token.
pub async fn access(
    pool: &PgPool,
    cipher: &TokenCipher,
    id: &SchoolId,
) -> Result<Option<SchoolAccess>, Error> {
    let Some(mut row) = fetch_row(pool, id).await? else { return Ok(None) };
    let Some(sealed) = row.wonde_token.take() else { return Ok(None) };
    let token = cipher
        .open(id.as_str(), &sealed)
        .ok_or_else(|| Error::SealedWithAnotherKey { school_id: id.to_string() })?;
    row.wonde_token = Some(sealed);
    Ok(Some(SchoolAccess { school: row.try_into()?, token }))
}

/// The token of the school with this Wonde id, if it has one that decrypts and is for the
/// configured Wonde.
pub async fn token_of_wonde_school(
    pool: &PgPool,
    cipher: &TokenCipher,
    wonde_school_id: &str,
) -> Result<Option<SecretString>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT id, wonde_token AS "wonde_token!" FROM school
        WHERE wonde_school_id = $1 AND wonde_token IS NOT NULL AND wonde_base_url IS NULL
        "#,
        wonde_school_id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.and_then(|row| cipher.open(&row.id, &row.wonde_token)))
}

async fn fetch_row(pool: &PgPool, id: &SchoolId) -> Result<Option<SchoolRow>, Error> {
    let row = sqlx::query_as!(
        SchoolRow,
        r#"
        SELECT id, name, wonde_school_id, wonde_base_url, wonde_token, token_rejected_at, mis,
            settings, callback_url, last_check, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
            updated_at
        FROM school WHERE id = $1
        "#,
        id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// Records that Wonde refused the token that the school had when it was read. A new token clears
/// this, and so does a later acceptance of this one. Nothing happens if the school was connected
/// again in the meantime.
pub async fn mark_token_rejected(pool: &PgPool, read: &School) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE school SET token_rejected_at = coalesce(token_rejected_at, now())
        WHERE id = $1 AND updated_at = $2
        "#,
        read.id.as_str(),
        read.updated_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Records the MIS that Wonde names, if the caller did not say.
pub async fn note_mis(pool: &PgPool, id: &SchoolId, mis: &str) -> Result<(), Error> {
    sqlx::query!("UPDATE school SET mis = $2 WHERE id = $1 AND mis IS NULL", id.as_str(), mis)
        .execute(pool)
        .await?;
    Ok(())
}

/// Destroys the school's token and keeps its people. Returns false if there is no such school.
pub async fn disconnect(
    pool: &PgPool,
    id: &SchoolId,
    only_if: &OnlyIf,
    actor: &Actor,
) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let former = lock_former(&mut tx, id).await?;
    if former.is_none() {
        return Ok(false);
    }
    if !only_if.holds(former.map(|former| former.version)) {
        return Err(Error::ChangedMeanwhile);
    }
    sqlx::query!(
        r#"
        UPDATE school SET wonde_token = NULL, token_rejected_at = NULL, updated_at = now()
        WHERE id = $1
        "#,
        id.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let entry = Entry { school_id: Some(id.clone()), ..Entry::new(AuditAction::DisconnectSchool) };
    audit::record(&mut tx, actor, &entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// Schools whose id begins with a text or whose name contains it, in any case, by id.
pub async fn find(pool: &PgPool, text: &str, limit: i64) -> Result<Vec<(SchoolId, String)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, name FROM school
        WHERE starts_with(lower(id), lower($1)) OR strpos(lower(name), lower($1)) > 0
        ORDER BY id LIMIT $2
        "#,
        text,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken =
                || Error::Inconsistent { table: "school", column: "id", id: row.id.clone() };
            Ok((row.id.parse().map_err(|_| broken())?, row.name))
        })
        .collect()
}
