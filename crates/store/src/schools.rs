//! Schools and their connection to Wonde.

mod overview;
mod probes;

use chrono::{DateTime, Utc};
use mis_sync_domain::{AuditAction, ConnectSchool, School, SchoolId, TokenState, WondeHosts};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};

use crate::{
    Error, TokenCipher,
    audit::{self, Actor, Entry},
    webhooks,
};

pub use overview::{
    PastSync, Quality, SchoolSummary, names, past_syncs, quality, summaries, withheld,
};
pub use probes::{mark_token_accepted, take_for_probe};

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
            last_synced_at: row.last_synced_at,
            changes_seen_until: row.changes_seen_until,
            last_full_sync_at: row.last_full_sync_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Who connects a school, and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Connector<'a> {
    /// Encrypts the token.
    pub cipher: &'a TokenCipher,
    /// Where Wonde is.
    pub hosts: &'a WondeHosts,
    /// The person who acts.
    pub actor: &'a Actor,
    /// Whether they may neither choose nor change the school's Wonde id. Approvals of Wonde use it,
    /// so the person who chooses it chooses whose token arrives.
    pub keeps_wonde_id: bool,
}

/// Connects a school, or changes its connection. Without a token the present one stays. Returns
/// `Ok(None)` if there is no present one, [`Error::TokenWouldMove`] if it would now be sent to
/// another host, [`Error::WondeSchoolTaken`] if another connected school has the Wonde id.
pub async fn connect(
    pool: &PgPool,
    by: Connector<'_>,
    school: &ConnectSchool,
    token: Option<&SecretString>,
) -> Result<Option<School>, Error> {
    let mut tx = crate::begin(pool).await?;
    if token.is_some() {
        webhooks::forget_kept(&mut tx, &school.wonde_school_id, "replaced").await?;
    }
    let may_move = token.is_some();
    let connected = connect_in(&mut tx, by, school, token, may_move).await?;
    tx.commit().await?;
    Ok(connected)
}

/// The same without a token: if Wonde's approval brought one for the school, it is used, otherwise
/// the present one stays.
pub async fn connect_approved(
    pool: &PgPool,
    by: Connector<'_>,
    school: &ConnectSchool,
) -> Result<Option<School>, Error> {
    let mut tx = crate::begin(pool).await?;
    let token = webhooks::take_kept(&mut tx, by.cipher, &school.wonde_school_id).await?;
    let connected = connect_in(&mut tx, by, school, token.as_ref(), false).await?;
    tx.commit().await?;
    Ok(connected)
}

/// `may_move`: the caller who names the host also gives the token, so no token goes to a host that
/// it was not meant for.
async fn connect_in(
    db: &mut PgConnection,
    by: Connector<'_>,
    school: &ConnectSchool,
    token: Option<&SecretString>,
    may_move: bool,
) -> Result<Option<School>, Error> {
    let former = lock_former(db, &school.id).await?;
    if by.keeps_wonde_id
        && former.as_ref().is_none_or(|former| former.wonde_school_id != school.wonde_school_id)
    {
        return Err(Error::WondeIdFixed);
    }
    let former = former.and_then(|former| former.wonde_base_url);
    let Some(school) = write_connection(db, by.cipher, school, token).await? else {
        return Ok(None);
    };
    let from = by.hosts.origin(former.as_deref());
    let to = by.hosts.origin(school.wonde_base_url.as_deref());
    let moves = from != to;
    if moves && !may_move {
        return Err(Error::TokenWouldMove);
    }
    let action =
        if school.is_new() { AuditAction::ConnectSchool } else { AuditAction::ChangeSchool };
    let entry = Entry {
        school_id: Some(school.id.clone()),
        subject: moves.then(|| format!("Wonde at {to}, before at {from}")),
        ..Entry::new(action)
    };
    audit::record(db, by.actor, &entry).await?;
    Ok(Some(school))
}

struct Former {
    wonde_school_id: String,
    wonde_base_url: Option<String>,
}

/// A school's connection so far, locked until this transaction ends.
async fn lock_former(db: &mut PgConnection, id: &SchoolId) -> Result<Option<Former>, Error> {
    let former = sqlx::query_as!(
        Former,
        "SELECT wonde_school_id, wonde_base_url FROM school WHERE id = $1 FOR UPDATE",
        id.as_str(),
    );
    Ok(former.fetch_optional(db).await?)
}

async fn write_connection(
    db: &mut PgConnection,
    cipher: &TokenCipher,
    school: &ConnectSchool,
    token: Option<&SecretString>,
) -> Result<Option<School>, Error> {
    let sealed = token.map(|token| cipher.seal(school.id.as_str(), token));
    let settings =
        school.settings.as_ref().map(|s| serde_json::to_value(s).expect("settings are plain JSON"));
    let row = sqlx::query_as!(
        SchoolRow,
        r#"
        INSERT INTO school AS s
            (id, name, wonde_school_id, wonde_base_url, wonde_token, mis, settings)
        SELECT $1, $2, $3, $4, $5, $6, coalesce($7, '{}'::jsonb)
        -- Without a token only a school that already has one can be meant.
        WHERE $5::bytea IS NOT NULL
            OR EXISTS (SELECT FROM school WHERE id = $1 AND wonde_token IS NOT NULL)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name,
            wonde_school_id = excluded.wonde_school_id,
            wonde_base_url = excluded.wonde_base_url,
            wonde_token = coalesce(excluded.wonde_token, s.wonde_token),
            token_rejected_at = CASE WHEN $5::bytea IS NULL THEN s.token_rejected_at END,
            mis = coalesce(excluded.mis, s.mis),
            settings = coalesce($7, s.settings),
            updated_at = now()
        RETURNING id, name, wonde_school_id, wonde_base_url, wonde_token, token_rejected_at, mis,
            settings, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
            updated_at
        "#,
        school.id.as_str(),
        school.name,
        school.wonde_school_id,
        school.wonde_base_url,
        sealed,
        school.mis,
        settings,
    )
    .fetch_optional(db)
    .await
    .map_err(Error::from)
    .map_err(|error| {
        if error.violates("school_wonde_id") { Error::WondeSchoolTaken } else { error }
    })?;
    row.map(School::try_from).transpose()
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
            settings, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
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
            settings, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
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
pub async fn disconnect(pool: &PgPool, id: &SchoolId, actor: &Actor) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query!(
        r#"
        UPDATE school SET wonde_token = NULL, token_rejected_at = NULL, updated_at = now()
        WHERE id = $1
        "#,
        id.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
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
