//! Who did what, and why: a chain of hashes that is only ever added to. Each line carries the hash
//! of the line before, so a line that was changed or removed breaks the chain. If lines are removed
//! from its end, only a hash that was stored elsewhere shows it.

mod verify;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    ApiKeyId, AuditAction, BulkId, Job, JobId, OnBehalfOf, Requester, SchoolId, StaffId,
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Error;

pub use verify::{Broken, BrokenChain, Verified, contains, verify};

/// Who acts, and why.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The API key or command, and the person for whom it acts.
    pub requester: Requester,
    /// The API key; `None` for a command.
    pub api_key_id: Option<ApiKeyId>,
    /// The reason that the person gave.
    pub reason: Option<String>,
    /// The action on many jobs that this is part of. Its result is counted there in the same
    /// transaction, so that it counts once whatever happens to the worker.
    pub bulk: Option<BulkId>,
}

impl Actor {
    pub fn command(name: &str, reason: Option<String>) -> Self {
        Self { requester: name.into(), api_key_id: None, reason, bulk: None }
    }
}

/// What was done, and to what.
#[derive(Debug, Clone)]
pub struct Entry {
    pub action: AuditAction,
    /// The school, if there is one.
    pub school_id: Option<SchoolId>,
    /// The job, if there is one.
    pub job_id: Option<JobId>,
    /// The person, if there is one.
    pub staff_id: Option<StaffId>,
    /// The id of anything else: a record, a key, a lane or a worker. It is never personal data.
    pub subject: Option<String>,
}

impl Entry {
    /// An action without a target.
    pub fn new(action: AuditAction) -> Self {
        Self { action, school_id: None, job_id: None, staff_id: None, subject: None }
    }

    /// An action on a job.
    pub fn of_job(action: AuditAction, job: &Job) -> Self {
        Self { school_id: job.school_id.clone(), job_id: Some(job.id), ..Self::new(action) }
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its place in the chain.
    pub position: i64,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// The API key or command, and the person for whom it acted.
    pub actor: Requester,
    /// The API key; `None` for a command.
    pub api_key_id: Option<ApiKeyId>,
    /// What was done.
    pub action: AuditAction,
    /// The school, if there is one.
    pub school_id: Option<SchoolId>,
    /// The job, if there is one.
    pub job_id: Option<JobId>,
    /// The person, if there is one.
    pub staff_id: Option<StaffId>,
    /// The id of anything else.
    pub subject: Option<String>,
    /// The reason that the person gave.
    pub reason: Option<String>,
    /// The line's hash.
    pub hash: AuditHash,
}

/// The hash of a line, printed in hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditHash(pub [u8; 32]);

/// The text is not the hash of a line.
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

/// Which lines to list. A missing field does not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// About this school.
    pub school_id: Option<SchoolId>,
    /// About this job.
    pub job_id: Option<JobId>,
    /// With this action.
    pub action: Option<AuditAction>,
    /// By the API key or command with this name.
    pub actor: Option<String>,
    /// Before this position, where the last page ended.
    pub before: Option<i64>,
}

/// Adds a line. Other transactions that add one wait until this transaction ends, so this has to be
/// its last write.
pub async fn record(db: &mut PgConnection, actor: &Actor, entry: &Entry) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO audit_log
            (actor, api_key_id, action, school_id, job_id, staff_id, subject, reason, on_behalf_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        actor.requester.name,
        actor.api_key_id.map(|key| key.0),
        entry.action.as_str(),
        entry.school_id.as_ref().map(SchoolId::as_str),
        entry.job_id.map(|id| id.0),
        entry.staff_id.map(|id| id.0),
        entry.subject,
        actor.reason,
        actor.requester.on_behalf_of.as_ref().map(OnBehalfOf::as_str),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a line about an action that writes nothing else.
pub async fn note(pool: &PgPool, actor: &Actor, entry: &Entry) -> Result<(), Error> {
    record(&mut *pool.acquire().await?, actor, entry).await
}

/// The lines about a person, the newest first; from before `before`.
pub async fn of_person(
    pool: &PgPool,
    id: StaffId,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<AuditLine>, Error> {
    let rows = sqlx::query_as!(
        AuditRow,
        r#"
        SELECT position, at, actor, api_key_id, action, school_id, job_id, staff_id, subject, reason,
            on_behalf_of, previous_hash, hash
        FROM audit_log WHERE staff_id = $1 AND at < $2 ORDER BY position DESC LIMIT $3
        "#,
        id.0,
        before,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(AuditLine::try_from).collect()
}

pub async fn list(
    pool: &PgPool,
    filter: &AuditFilter,
    limit: i64,
) -> Result<Vec<AuditLine>, Error> {
    let rows = sqlx::query_as!(
        AuditRow,
        r#"
        SELECT position, at, actor, api_key_id, action, school_id, job_id, staff_id, subject, reason,
            on_behalf_of, previous_hash, hash
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
    on_behalf_of: Option<String>,
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
        let on_behalf_of = row.on_behalf_of.map(OnBehalfOf::try_from).transpose();
        Ok(Self {
            position: row.position,
            at: row.at,
            api_key_id: row.api_key_id.map(ApiKeyId),
            action: row.action.parse().map_err(|_| broken("action"))?,
            school_id: school_id.map_err(|_| broken("school_id"))?,
            job_id: row.job_id.map(JobId),
            staff_id: row.staff_id.map(StaffId),
            hash: AuditHash(row.hash.try_into().map_err(|_| broken("hash"))?),
            actor: Requester {
                name: row.actor,
                on_behalf_of: on_behalf_of.map_err(|_| broken("on_behalf_of"))?,
            },
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
