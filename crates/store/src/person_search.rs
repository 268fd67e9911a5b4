//! Questions to the MIS about a person whom no sync has recorded, and the answers. Both are personal data,
//! kept for minutes and in this table alone.

use chrono::{DateTime, Utc};
use mis_sync_domain::{ApiKeyId, AuditAction, FindPerson, FoundInMis, Job, JobId, Lease, SchoolId};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use crate::{
    Error,
    audit::{self, Actor, Entry},
    jobs::{self, NewJob},
};

/// How long a question and its answer are kept.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::minutes(15);

/// A question, and what became of it.
#[derive(Clone)]
pub struct PersonSearch {
    pub school_id: SchoolId,
    /// What was typed.
    pub text: String,
    /// The answer; `None` until the job has ended, and if it failed.
    pub found: Option<FoundInMis>,
    pub asked_at: DateTime<Utc>,
}

/// What was typed is personal data, so only the school is printed.
impl std::fmt::Debug for PersonSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonSearch").field("school_id", &self.school_id).finish_non_exhaustive()
    }
}

/// Keeps the question, the job that asks it, and a line of the audit log that it was asked.
pub async fn ask(
    pool: &PgPool,
    school_id: &SchoolId,
    text: &str,
    asker: ApiKeyId,
    actor: &Actor,
) -> Result<Job, Error> {
    let mut tx = crate::begin(pool).await?;
    sqlx::query!("DELETE FROM person_search WHERE expires_at < now()").execute(&mut *tx).await?;
    let search = FindPerson { school_id: school_id.clone(), search_id: Uuid::now_v7() };
    let new = NewJob::of(&search, actor.requester.clone());
    let enqueued = jobs::insert_or_find(&mut tx, &new).await?;
    let job = enqueued.job().clone();
    sqlx::query!(
        r#"
        INSERT INTO person_search (id, job_id, school_id, api_key_id, text, expires_at)
        VALUES ($1, $2, $3, $4, $5, now() + $6::interval)
        "#,
        search.search_id,
        job.id.0,
        school_id.as_str(),
        asker.0,
        text,
        jobs::interval(KEPT.to_std().unwrap_or_default()),
    )
    .execute(&mut *tx)
    .await?;
    let entry =
        Entry { subject: Some("ask_wonde".to_owned()), ..Entry::of_job(AuditAction::Reveal, &job) };
    audit::record(&mut tx, actor, &entry).await?;
    tx.commit().await?;
    Ok(job)
}

/// What a job is to ask; `None` if that has been removed.
pub async fn question(pool: &PgPool, id: Uuid) -> Result<Option<String>, Error> {
    let text = sqlx::query_scalar!(
        "SELECT text FROM person_search WHERE id = $1 AND expires_at > now()",
        id
    )
    .fetch_optional(pool)
    .await?;
    Ok(text)
}

/// Keeps the answer, and ends the job that asked.
pub async fn keep_answer(
    pool: &PgPool,
    lease: Lease,
    id: Uuid,
    found: &FoundInMis,
) -> Result<(), Error> {
    let mut tx = crate::begin(pool).await?;
    sqlx::query!(
        "UPDATE person_search SET found = $2 WHERE id = $1",
        id,
        Json(found) as Json<&FoundInMis>,
    )
    .execute(&mut *tx)
    .await?;
    jobs::finish(&mut *tx, lease).await?;
    Ok(tx.commit().await?)
}

/// A question of this key; `None` if there is none, or no longer.
pub async fn of_job(
    pool: &PgPool,
    job_id: JobId,
    asker: ApiKeyId,
) -> Result<Option<PersonSearch>, Error> {
    let row = sqlx::query!(
        r#"
        SELECT school_id, text, found AS "found: Json<FoundInMis>", asked_at FROM person_search
        WHERE job_id = $1 AND api_key_id = $2 AND expires_at > now()
        "#,
        job_id.0,
        asker.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let school_id = row.school_id.parse().map_err(|_| Error::Inconsistent {
        table: "person_search",
        column: "school_id",
        id: job_id.to_string(),
    })?;
    Ok(Some(PersonSearch {
        school_id,
        text: row.text,
        found: row.found.map(|Json(found)| found),
        asked_at: row.asked_at,
    }))
}
