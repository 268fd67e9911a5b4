use ring::digest::{Context, SHA256};
use sqlx::PgPool;

use super::{AuditHash, AuditRow};
use crate::Error;

/// Lines read at a time.
const PAGE: i64 = 1000;

/// An unbroken chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The number of lines.
    pub lines: u64,
    /// Hash of the newest line, which stands for all of them; `None` if there is no line yet.
    pub head_hash: Option<AuditHash>,
}

/// Where a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log is broken at position {position}: {why}")]
pub struct BrokenChain {
    /// The first line that was changed.
    pub position: i64,
    /// What is wrong with it.
    pub why: Broken,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not have the hash that it carries.
    #[error("the line was changed")]
    Changed,
    /// It does not follow the line before.
    #[error("a line before it was removed, inserted or moved")]
    Unlinked,
}

/// Calculates every hash again, without the database's help, from the first line to the newest.
pub async fn verify(pool: &PgPool) -> Result<Result<Verified, BrokenChain>, Error> {
    let mut lines = 0;
    let mut head: Option<(i64, AuditHash)> = None;
    loop {
        let page = page_after(pool, head.map_or(i64::MIN, |(position, _)| position)).await?;
        if page.is_empty() {
            return Ok(Ok(Verified { lines, head_hash: head.map(|(_, hash)| hash) }));
        }
        for line in page {
            match check(&line, head.map(|(_, hash)| hash)) {
                Ok(hash) => head = Some((line.position, hash)),
                Err(why) => return Ok(Err(BrokenChain { position: line.position, why })),
            }
            lines += 1;
        }
    }
}

/// Whether a line carries this hash. In an unbroken chain this means that it and every line before
/// it are still there.
pub async fn contains(pool: &PgPool, hash: AuditHash) -> Result<bool, Error> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM audit_log WHERE hash = $1) AS "found!""#,
        &hash.0[..],
    )
    .fetch_one(pool)
    .await?;
    Ok(found)
}

async fn page_after(pool: &PgPool, position: i64) -> Result<Vec<AuditRow>, Error> {
    let rows = sqlx::query_as!(
        AuditRow,
        r#"
        SELECT position, at, actor, api_key_id, action, school_id, job_id, staff_id, subject, reason,
            on_behalf_of, previous_hash, hash
        FROM audit_log WHERE position > $1 ORDER BY position LIMIT $2
        "#,
        position,
        PAGE,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// The line's hash, if it follows the line before and is unchanged.
fn check(line: &AuditRow, before: Option<AuditHash>) -> Result<AuditHash, Broken> {
    let hash = hash(line);
    if line.hash != hash.0 {
        return Err(Broken::Changed);
    }
    if line.previous_hash.as_deref() != before.as_ref().map(|hash| &hash.0[..]) {
        return Err(Broken::Unlinked);
    }
    Ok(hash)
}

/// Each field as one byte (0: null, else 1, its length in four bytes and its UTF-8).
fn hash(line: &AuditRow) -> AuditHash {
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let before = line.previous_hash.as_deref().and_then(|bytes| bytes.try_into().ok());
    let fields = [
        before.map(|bytes| AuditHash(bytes).to_string()),
        Some(line.position.to_string()),
        Some(line.at.timestamp_micros().to_string()),
        Some(line.actor.clone()),
        text(line.api_key_id),
        Some(line.action.clone()),
        line.school_id.clone(),
        text(line.job_id),
        text(line.staff_id),
        line.subject.clone(),
        line.reason.clone(),
    ];
    // A line without a person has the hash of a time when there was no such field.
    let person = line.on_behalf_of.clone().map(Some);
    let mut all = Context::new(&SHA256);
    for field in fields.into_iter().chain(person) {
        let Some(field) = field else {
            all.update(&[0]);
            continue;
        };
        let length = u32::try_from(field.len()).expect("Postgres keeps no text of 4 GB");
        all.update(&[1]);
        all.update(&length.to_be_bytes());
        all.update(field.as_bytes());
    }
    AuditHash(all.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
