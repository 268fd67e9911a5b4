//! Who did what, and why: a chain of hashes that is only ever added to. Each line carries the hash
//! of the line before, so a line that was changed or taken out breaks the chain; of lines taken from
//! its end, only a hash that was kept elsewhere tells.

mod verify;

use chrono::{DateTime, Utc};
use mis_sync_domain::{ApiKeyId, AuditAction, Job, JobId, SchoolId, StaffId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Error;

pub use verify::{Broken, BrokenChain, Verified, contains, verify};

/// Who acts, and why.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Name of the API key or command.
    pub name: String,
    /// The API key; `None`: a command.
    pub api_key_id: Option<ApiKeyId>,
    /// In the person's own words.
    pub reason: Option<String>,
}

impl Actor {
    /// A command, which has no API key.
    pub fn command(name: &str, reason: Option<String>) -> Self {
        Self { name: name.to_owned(), api_key_id: None, reason }
    }
}

/// What was done, and to what.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What.
    pub action: AuditAction,
    /// To which school.
    pub school_id: Option<SchoolId>,
    /// To which job.
    pub job_id: Option<JobId>,
    /// To which person.
    pub staff_id: Option<StaffId>,
    /// To what else: the id of a record, a key, a lane or a worker. No personal data.
    pub subject: Option<String>,
}

impl Entry {
    /// An action, to nothing in particular.
    pub fn new(action: AuditAction) -> Self {
        Self { action, school_id: None, job_id: None, staff_id: None, subject: None }
    }

    /// An action on a job.
    pub fn of_job(action: AuditAction, job: &Job) -> Self {
        let school_id = Some(job.school_id.clone());
        Self { school_id, job_id: Some(job.id), ..Self::new(action) }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its place in the chain.
    pub position: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Name of the API key or command.
    pub actor: String,
    /// The API key; `None`: a command.
    pub api_key_id: Option<ApiKeyId>,
    /// What was done.
    pub action: AuditAction,
    /// To which school.
    pub school_id: Option<SchoolId>,
    /// To which job.
    pub job_id: Option<JobId>,
    /// To which person.
    pub staff_id: Option<StaffId>,
    /// To what else.
    pub subject: Option<String>,
    /// In the person's own words.
    pub reason: Option<String>,
    /// The line's hash.
    pub hash: AuditHash,
}

/// The hash of a line; printed in hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditHash(pub [u8; 32]);

/// A text that is no hash of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct InvalidAuditHash;

impl std::fmt::Display for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for AuditHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for AuditHash {
    type Err = InvalidAuditHash;

    fn from_str(text: &str) -> Result<Self, InvalidAuditHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidAuditHash)?;
        Ok(Self(bytes))
    }
}

/// Which lines to list; what is left out does not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// About this school.
    pub school_id: Option<SchoolId>,
    /// About this job.
    pub job_id: Option<JobId>,
    /// Of this action.
    pub action: Option<AuditAction>,
    /// By the API key or command of this name.
    pub actor: Option<String>,
    /// Before this position: where the last page ended.
    pub before: Option<i64>,
}

/// Adds a line. Everybody else who adds one waits until this transaction ends, so it has to be the
/// transaction's last write.
pub async fn record(db: &mut PgConnection, actor: &Actor, entry: &Entry) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO audit_log
            (actor, api_key_id, action, school_id, job_id, staff_id, subject, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        actor.name,
        actor.api_key_id.map(|key| key.0),
        entry.action.as_str(),
        entry.school_id.as_ref().map(SchoolId::as_str),
        entry.job_id.map(|id| id.0),
        entry.staff_id.map(|id| id.0),
        entry.subject,
        actor.reason,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a line about something that writes nothing else.
pub async fn note(pool: &PgPool, actor: &Actor, entry: &Entry) -> Result<(), Error> {
    record(&mut *pool.acquire().await?, actor, entry).await
}

/// Lines, newest first.
pub async fn list(
    pool: &PgPool,
    filter: &AuditFilter,
    limit: i64,
) -> Result<Vec<AuditLine>, Error> {
    let rows = sqlx::query_as!(
        AuditRow,
        r#"
        SELECT position, at, actor, api_key_id, action, school_id, job_id, staff_id, subject, reason,
            previous_hash, hash
        FROM audit_log
        WHERE ($1::text IS NULL OR school_id = $1)
            AND ($2::uuid IS NULL OR job_id = $2)
            AND ($3::text IS NULL OR action = $3)
            AND ($4::text IS NULL OR actor = $4)
            AND ($5::bigint IS NULL OR position < $5)
        ORDER BY position DESC LIMIT $6
        "#,
        filter.school_id.as_ref().map(SchoolId::as_str),
        filter.job_id.map(|id| id.0),
        filter.action.map(AuditAction::as_str),
        filter.actor,
        filter.before,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(AuditLine::try_from).collect()
}

struct AuditRow {
    position: i64,
    at: DateTime<Utc>,
    actor: String,
    api_key_id: Option<Uuid>,
    action: String,
    school_id: Option<String>,
    job_id: Option<Uuid>,
    staff_id: Option<Uuid>,
    subject: Option<String>,
    reason: Option<String>,
    previous_hash: Option<Vec<u8>>,
    hash: Vec<u8>,
}

impl TryFrom<AuditRow> for AuditLine {
    type Error = Error;

    fn try_from(row: AuditRow) -> Result<Self, Error> {
        let broken = |column| Error::Inconsistent {
            table: "audit_log",
            column,
            id: row.position.to_string(),
        };
        let school_id = row.school_id.map(|id| id.parse()).transpose();
        Ok(Self {
            position: row.position,
            at: row.at,
            api_key_id: row.api_key_id.map(ApiKeyId),
            action: row.action.parse().map_err(|_| broken("action"))?,
            school_id: school_id.map_err(|_| broken("school_id"))?,
            job_id: row.job_id.map(JobId),
            staff_id: row.staff_id.map(StaffId),
            hash: AuditHash(row.hash.try_into().map_err(|_| broken("hash"))?),
            actor: row.actor,
            subject: row.subject,
            reason: row.reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_printed() {
        let hash = AuditHash(std::array::from_fn(|i| u8::try_from(i * 8).unwrap()));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for bad in ["", "00", &"g".repeat(64), &"é".repeat(32), &"+f".repeat(32)] {
            assert_eq!(bad.parse::<AuditHash>(), Err(InvalidAuditHash), "{bad}");
        }
    }
}
