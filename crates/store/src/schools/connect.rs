use mis_sync_domain::{AuditAction, ConnectSchool, School, SchoolId, Update, WondeHosts};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};

use super::SchoolRow;
use crate::{
    Error, TokenCipher,
    audit::{self, Actor, Entry},
    callbacks, webhooks,
};

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
    /// How the school has to be for the change to happen.
    pub only_if: &'a OnlyIf,
}

/// The version of a school that a caller wants to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum OnlyIf {
    /// Any, and none yet.
    #[default]
    Always,
    /// Any that exists.
    Exists,
    /// None: there is no school with the id yet.
    Missing,
    /// One of these ([`School::version`]).
    IsOneOf(Vec<i64>),
}

impl OnlyIf {
    /// Whether a school with this version, or none, is such a one.
    pub fn holds(&self, version: Option<i64>) -> bool {
        match (self, version) {
            (Self::Always, _) | (Self::Exists, Some(_)) | (Self::Missing, None) => true,
            (Self::IsOneOf(versions), Some(version)) => versions.contains(&version),
            (Self::Exists | Self::IsOneOf(_), None) | (Self::Missing, Some(_)) => false,
        }
    }
}

/// What comes with a school's connection and is never shown.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// The Wonde token; `None` keeps the present one.
    pub token: Option<SecretString>,
    /// What signs the school's callbacks; `None` keeps the present one.
    pub callback: Option<SecretString>,
}

impl From<Option<&SecretString>> for Secrets {
    fn from(token: Option<&SecretString>) -> Self {
        Self { token: token.cloned(), callback: None }
    }
}

/// Connects a school, or changes its connection. Without a token the present one stays. Returns
/// `Ok(None)` if there is no present one, [`Error::TokenWouldMove`] if it would now be sent to
/// another host, [`Error::WondeSchoolTaken`] if another connected school has the Wonde id, and
/// [`Error::ChangedMeanwhile`] if the school is not as `by.only_if` wants it.
pub async fn connect(
    pool: &PgPool,
    by: Connector<'_>,
    school: &ConnectSchool,
    secrets: impl Into<Secrets>,
) -> Result<Option<School>, Error> {
    let secrets = secrets.into();
    let mut tx = crate::begin(pool).await?;
    let may_move = secrets.token.is_some();
    if may_move {
        webhooks::forget_kept(&mut tx, &school.wonde_school_id, "replaced").await?;
    }
    let connected = connect_in(&mut tx, by, school, &secrets, may_move).await?;
    tx.commit().await?;
    Ok(connected)
}

/// The same without a token: if Wonde's approval brought one for the school, it is used, otherwise
/// the present one stays.
pub async fn connect_approved(
    pool: &PgPool,
    by: Connector<'_>,
    school: &ConnectSchool,
    callback: Option<SecretString>,
) -> Result<Option<School>, Error> {
    let mut tx = crate::begin(pool).await?;
    let token = webhooks::take_kept(&mut tx, by.cipher, &school.wonde_school_id).await?;
    let secrets = Secrets { token, callback };
    let connected = connect_in(&mut tx, by, school, &secrets, false).await?;
    tx.commit().await?;
    Ok(connected)
}

/// `may_move`: the caller who names the host also gives the token, so no token goes to a host that
/// it was not meant for.
async fn connect_in(
    db: &mut PgConnection,
    by: Connector<'_>,
    school: &ConnectSchool,
    secrets: &Secrets,
    may_move: bool,
) -> Result<Option<School>, Error> {
    let former = lock_former(db, &school.id).await?;
    if !by.only_if.holds(former.as_ref().map(|former| former.version)) {
        return Err(Error::ChangedMeanwhile);
    }
    if by.keeps_wonde_id
        && former.as_ref().is_none_or(|former| former.wonde_school_id != school.wonde_school_id)
    {
        return Err(Error::WondeIdFixed);
    }
    let former = former.and_then(|former| former.wonde_base_url);
    let Some(school) = write_connection(db, by.cipher, school, secrets).await? else {
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
        subject: if moves {
            Some(format!("Wonde at {to}, before at {from}"))
        } else {
            (secrets.token.is_some() && !school.is_new()).then(|| "a new Wonde token".to_owned())
        },
        ..Entry::new(action)
    };
    audit::record(db, by.actor, &entry).await?;
    Ok(Some(school))
}

pub(super) struct Former {
    wonde_school_id: String,
    wonde_base_url: Option<String>,
    pub(super) version: i64,
}

/// A school's connection so far, locked until this transaction ends.
pub(super) async fn lock_former(
    db: &mut PgConnection,
    id: &SchoolId,
) -> Result<Option<Former>, Error> {
    let former = sqlx::query!(
        "SELECT wonde_school_id, wonde_base_url, updated_at FROM school WHERE id = $1 FOR UPDATE",
        id.as_str(),
    );
    Ok(former.fetch_optional(db).await?.map(|row| Former {
        wonde_school_id: row.wonde_school_id,
        wonde_base_url: row.wonde_base_url,
        version: row.updated_at.timestamp_micros(),
    }))
}

async fn write_connection(
    db: &mut PgConnection,
    cipher: &TokenCipher,
    school: &ConnectSchool,
    secrets: &Secrets,
) -> Result<Option<School>, Error> {
    let sealed = secrets.token.as_ref().map(|token| cipher.seal(school.id.as_str(), token));
    let owner = callbacks::owner(&school.id);
    let callback_secret = secrets.callback.as_ref().map(|secret| cipher.seal(&owner, secret));
    let settings =
        school.settings.as_ref().map(|s| serde_json::to_value(s).expect("settings are plain JSON"));
    let row = sqlx::query_as!(
        SchoolRow,
        r#"
        INSERT INTO school AS s
            (id, name, wonde_school_id, wonde_base_url, wonde_token, mis, settings, callback_url,
            callback_secret)
        SELECT $1, $2, $3, $4, $5, $6, coalesce($7, '{}'::jsonb), $8,
            CASE WHEN NOT $10 THEN $9::bytea END
        -- Without a token only a school that already has one can be meant.
        WHERE $5::bytea IS NOT NULL
            OR EXISTS (SELECT FROM school WHERE id = $1 AND wonde_token IS NOT NULL)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name,
            wonde_school_id = excluded.wonde_school_id,
            wonde_base_url = excluded.wonde_base_url,
            wonde_token = coalesce(excluded.wonde_token, s.wonde_token),
            token_rejected_at = CASE WHEN $5::bytea IS NULL THEN s.token_rejected_at END,
            mis = CASE WHEN NOT $11 THEN coalesce($6, s.mis) END,
            settings = coalesce($7, s.settings),
            callback_url = CASE WHEN NOT $10 THEN coalesce($8, s.callback_url) END,
            callback_secret = CASE WHEN NOT $10 THEN coalesce($9, s.callback_secret) END,
            updated_at = now()
        RETURNING id, name, wonde_school_id, wonde_base_url, wonde_token, token_rejected_at, mis,
            settings, callback_url, last_check, last_synced_at, changes_seen_until, last_full_sync_at, created_at,
            updated_at
        "#,
        school.id.as_str(),
        school.name,
        school.wonde_school_id,
        school.wonde_base_url,
        sealed,
        school.mis.set(),
        settings,
        school.callback_url.set(),
        callback_secret,
        school.callback_url == Update::Remove,
        school.mis == Update::Remove,
    )
    .fetch_optional(db)
    .await
    .map_err(Error::from)
    .map_err(|error| {
        if error.violates("school_wonde_id") {
            Error::WondeSchoolTaken
        } else if error.violates("school_callback") {
            Error::CallbackSecretMissing
        } else {
            error
        }
    })?;
    row.map(School::try_from).transpose()
}
