//! Who may call the API.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use mis_sync_domain::{ApiKeyId, AuditAction, Role, SchoolId};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    Error,
    audit::{self, Actor, Entry},
};

/// The beginning of every key, so that scanners and people recognise a leaked one.
const PREFIX: &str = "misk_";

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The public part of the key.
    pub id: ApiKeyId,
    pub name: String,
    /// What the key may do.
    pub role: Role,
    /// The one school that it is for; `None` for all.
    pub school_id: Option<SchoolId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// From then on the key is invalid.
    pub revoked_at: Option<DateTime<Utc>>,
    /// From then on the key is invalid too; `None`: it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A row of `api_key` without its secret.
pub(crate) struct ApiKeyRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) school_id: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// The owner of the key, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor {
            requester: self.name.as_str().into(),
            api_key_id: Some(self.id),
            reason: None,
            bulk: None,
        }
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = Error;

    fn try_from(row: ApiKeyRow) -> Result<Self, Error> {
        let broken =
            |column| Error::Inconsistent { table: "api_key", column, id: row.id.to_string() };
        Ok(Self {
            id: ApiKeyId(row.id),
            role: row.role.parse().map_err(|_| broken("role"))?,
            school_id: row
                .school_id
                .map(|id| id.parse())
                .transpose()
                .map_err(|_| broken("school_id"))?,
            name: row.name,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            expires_at: row.expires_at,
        })
    }
}

/// A key to create.
#[derive(Debug, Clone, Copy)]
pub struct NewApiKey<'a> {
    pub name: &'a str,
    pub role: Role,
    /// The one school that it is for; `None` for all.
    pub school_id: Option<&'a SchoolId>,
    /// When it stops working; `None`: when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

impl<'a> NewApiKey<'a> {
    /// A key for all schools that does not expire.
    pub fn new(name: &'a str, role: Role) -> Self {
        Self { name, role, school_id: None, expires_at: None }
    }
}

/// Creates a key and returns it with its text, which cannot be read again.
///
/// The text is `misk_` + id + 256 random bits, in URL-safe base64. Only the SHA-256 of the random
/// part is stored, because random bits need no slow hash.
pub async fn create(
    pool: &PgPool,
    new: &NewApiKey<'_>,
    actor: &Actor,
) -> Result<(ApiKey, SecretString), Error> {
    let id = ApiKeyId::new();
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).expect("the system gives random bytes");
    let secret_hash = digest(&SHA256, &secret);
    let mut tx = crate::begin(pool).await?;
    let row = sqlx::query_as!(
        ApiKeyRow,
        r#"
        INSERT INTO api_key (id, name, role, school_id, secret_hash, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        RETURNING id, name, role, school_id, created_at, revoked_at, expires_at
        "#,
        id.0,
        new.name,
        new.role.as_str(),
        new.school_id.map(SchoolId::as_str),
        secret_hash.as_ref(),
        new.expires_at,
    )
    .fetch_one(&mut *tx)
    .await?;
    record(&mut tx, actor, AuditAction::CreateKey, id, new.school_id).await?;
    tx.commit().await?;
    let text =
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([id.0.as_bytes(), &secret[..]].concat()));
    Ok((row.try_into()?, text.into()))
}

/// The key for a caller's text; `None` if it is malformed, unknown, revoked, expired or
/// wrong.
pub async fn authenticate(pool: &PgPool, text: &str) -> Result<Option<ApiKey>, Error> {
    let Some((id, secret)) = parse(text) else { return Ok(None) };
    let found = sqlx::query!(
        r#"
        SELECT id, name, role, school_id, created_at, revoked_at, expires_at, secret_hash
        FROM api_key
        WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        "#,
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let matches = row.secret_hash.ct_eq(digest(&SHA256, &secret).as_ref());
    if !bool::from(matches) {
        return Ok(None);
    }
    ApiKey::try_from(ApiKeyRow {
        id: row.id,
        name: row.name,
        role: row.role,
        school_id: row.school_id,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
        expires_at: row.expires_at,
    })
    .map(Some)
}

/// Whether a key is revoked, has expired or does not exist.
pub async fn is_revoked(pool: &PgPool, id: ApiKeyId) -> Result<bool, Error> {
    let is_valid = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM api_key
            WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        ) AS "found!"
        "#,
        id.0,
    )
    .fetch_one(pool)
    .await?;
    Ok(!is_valid)
}

fn parse(text: &str) -> Option<(ApiKeyId, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (id, secret) = bytes.split_at_checked(16)?;
    Some((ApiKeyId(Uuid::from_slice(id).ok()?), secret.to_vec()))
}

/// Every key, newest first.
pub async fn list(pool: &PgPool) -> Result<Vec<ApiKey>, Error> {
    let rows = sqlx::query_as!(
        ApiKeyRow,
        r#"
        SELECT id, name, role, school_id, created_at, revoked_at, expires_at FROM api_key ORDER BY id DESC
        "#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(ApiKey::try_from).collect()
}

/// Whether there is a valid key. Without one no one could call the API.
pub async fn any_active(pool: &PgPool) -> Result<bool, Error> {
    let any = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM api_key
            WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        ) AS "any!"
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(any)
}

/// Revokes a key. Returns false if there is no such key, or if it was revoked before.
pub async fn revoke(pool: &PgPool, id: ApiKeyId, actor: &Actor) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query_as!(
        ApiKeyRow,
        r#"
        UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL
        RETURNING id, name, role, school_id, created_at, revoked_at, expires_at
        "#,
        id.0
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(revoked) = done.map(ApiKey::try_from).transpose()? else { return Ok(false) };
    record(&mut tx, actor, AuditAction::RevokeKey, id, revoked.school_id.as_ref()).await?;
    tx.commit().await?;
    Ok(true)
}

async fn record(
    db: &mut PgConnection,
    actor: &Actor,
    action: AuditAction,
    id: ApiKeyId,
    school_id: Option<&SchoolId>,
) -> Result<(), Error> {
    let entry = Entry {
        school_id: school_id.cloned(),
        subject: Some(id.to_string()),
        ..Entry::new(action)
    };
    audit::record(db, actor, &entry).await
}
