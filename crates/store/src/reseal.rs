//! The secrets that the database keeps sealed. They can be encrypted with the first encryption key,
//! so that older keys can go.

use mis_sync_domain::{AuditAction, SchoolId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error, TokenCipher,
    audit::{self, Actor, Entry},
    callbacks, webhooks,
};

/// What became of the secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many are sealed with the first key now and were not before.
    pub changed: usize,
    /// How many are sealed with the first key now.
    pub held: usize,
    /// Those that no key opens, for example `the token of oak`.
    pub unreadable: Vec<String>,
}

/// Which secrets the configured keys open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretCheck {
    /// How many secrets there are.
    pub held: usize,
    /// How many only an older key opens, so that it cannot be removed yet.
    pub older_key: usize,
    /// Those that no key opens, for example `the token of oak`.
    pub unreadable: Vec<String>,
}

/// Where a secret is kept.
#[derive(Clone, Copy)]
enum Place {
    Token,
    CallbackSecret,
    Approval,
}

struct Sealed {
    place: Place,
    /// Of the row.
    id: String,
    owner: String,
    bytes: Vec<u8>,
}

/// Seals every secret with the first key, one at a time. What changes meanwhile is left as it is: it
/// was sealed with the first key already.
pub async fn reseal(pool: &PgPool, cipher: &TokenCipher, actor: &Actor) -> Result<Resealed, Error> {
    let mut done = Resealed::default();
    for sealed in everything(pool).await? {
        if cipher.is_newest(&sealed.bytes) {
            done.held += 1;
        } else if let Some(secret) = cipher.open(&sealed.owner, &sealed.bytes) {
            replace(pool, &sealed, &cipher.seal(&sealed.owner, &secret)).await?;
            done.changed += 1;
            done.held += 1;
        } else {
            done.unreadable.push(sealed.name());
        }
    }
    let mut db = pool.acquire().await?;
    audit::record(&mut db, actor, &Entry::new(AuditAction::Reseal)).await?;
    Ok(done)
}

/// Opens every secret.
pub async fn check(pool: &PgPool, cipher: &TokenCipher) -> Result<SecretCheck, Error> {
    let mut check = SecretCheck::default();
    for sealed in everything(pool).await? {
        check.held += 1;
        if cipher.open(&sealed.owner, &sealed.bytes).is_none() {
            check.unreadable.push(sealed.name());
        } else if !cipher.is_newest(&sealed.bytes) {
            check.older_key += 1;
        }
    }
    Ok(check)
}

async fn everything(pool: &PgPool) -> Result<Vec<Sealed>, Error> {
    let schools = sqlx::query!(
        "SELECT id, wonde_token, callback_secret FROM school
         WHERE wonde_token IS NOT NULL OR callback_secret IS NOT NULL ORDER BY id"
    )
    .fetch_all(pool)
    .await?;
    let mut all = Vec::new();
    for row in schools {
        let id: SchoolId = row.id.parse().map_err(|_| Error::Inconsistent {
            table: "school",
            column: "id",
            id: row.id.clone(),
        })?;
        let secrets = [
            (Place::Token, row.id.clone(), row.wonde_token),
            (Place::CallbackSecret, callbacks::owner(&id), row.callback_secret),
        ];
        all.extend(secrets.into_iter().filter_map(|(place, owner, bytes)| {
            Some(Sealed { place, id: row.id.clone(), owner, bytes: bytes? })
        }));
    }
    let approvals = sqlx::query!(
        r#"SELECT id, wonde_school_id, sealed_token AS "sealed!" FROM webhook_event
           WHERE sealed_token IS NOT NULL ORDER BY id"#
    )
    .fetch_all(pool)
    .await?;
    all.extend(approvals.into_iter().map(|row| Sealed {
        place: Place::Approval,
        id: row.id.to_string(),
        owner: webhooks::seal_name(row.wonde_school_id.as_deref().unwrap_or_default()),
        bytes: row.sealed,
    }));
    Ok(all)
}

async fn replace(pool: &PgPool, old: &Sealed, new: &[u8]) -> Result<(), Error> {
    let (id, bytes) = (old.id.as_str(), old.bytes.as_slice());
    let statement = match old.place {
        Place::Token => sqlx::query!(
            "UPDATE school SET wonde_token = $3 WHERE id = $1 AND wonde_token = $2",
            id,
            bytes,
            new,
        ),
        Place::CallbackSecret => sqlx::query!(
            "UPDATE school SET callback_secret = $3 WHERE id = $1 AND callback_secret = $2",
            id,
            bytes,
            new,
        ),
        Place::Approval => sqlx::query!(
            "UPDATE webhook_event SET sealed_token = $3 WHERE id = $1 AND sealed_token = $2",
            id.parse::<Uuid>().expect("it was a UUID in the row"),
            bytes,
            new,
        ),
    };
    statement.execute(pool).await?;
    Ok(())
}

impl Sealed {
    fn name(&self) -> String {
        let id = &self.id;
        match self.place {
            Place::Token => format!("the token of {id}"),
            Place::CallbackSecret => format!("the callback secret of {id}"),
            Place::Approval => format!("the token of the webhook event {id}"),
        }
    }
}
