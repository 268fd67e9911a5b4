//! What jobs did to one person.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mis_sync_domain::{Change, ChangedRecord, Job, StaffId};
use sqlx::PgPool;
use uuid::Uuid;

use super::row::query_jobs;
use crate::Error;

/// A job that read or changed a person, with what it changed of them.
#[derive(Debug, Clone)]
pub struct JobOfPerson {
    pub job: Job,
    /// Empty if it changed nothing of the person.
    pub changes: Vec<Change>,
}

/// The jobs that read this person alone or changed something of them, the newest first; requested
/// before `before`.
pub async fn of_person(
    pool: &PgPool,
    id: StaffId,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<JobOfPerson>, Error> {
    let rows = query_jobs!(
        ("SELECT "),
        r#" FROM job WHERE id IN (
            (SELECT j.id FROM job j WHERE j.staff_id = $1 AND j.created_at < $2
                ORDER BY j.id DESC LIMIT $3)
            UNION
            (SELECT DISTINCT j.id FROM job_change c JOIN job j ON j.id = c.job_id
                WHERE c.staff_id = $1 AND c.record = 'staff' AND j.created_at < $2
                ORDER BY j.id DESC LIMIT $3))
        ORDER BY created_at DESC, id DESC LIMIT $3"#,
        id.0,
        before,
        limit
    )
    .fetch_all(pool)
    .await?;
    let jobs: Vec<Job> = rows.into_iter().map(Job::try_from).collect::<Result<_, _>>()?;
    let mut changes = changes_of(pool, id, &jobs).await?;
    let with_changes = jobs.into_iter().map(|job| {
        let changes = changes.remove(&job.id.0).unwrap_or_default();
        JobOfPerson { job, changes }
    });
    Ok(with_changes.collect())
}

async fn changes_of(
    pool: &PgPool,
    id: StaffId,
    jobs: &[Job],
) -> Result<HashMap<Uuid, Vec<Change>>, Error> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT job_id, position, wonde_id, field, old_value, new_value FROM job_change
        WHERE staff_id = $1 AND job_id = ANY($2) AND record = 'staff' ORDER BY job_id, position
        "#,
        id.0,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let mut changes: HashMap<Uuid, Vec<Change>> = HashMap::new();
    for row in rows {
        let broken = |column| Error::Inconsistent {
            table: "job_change",
            column,
            id: format!("{}/{}", row.job_id, row.position),
        };
        let field: mis_sync_domain::ChangedField =
            row.field.parse().map_err(|_| broken("field"))?;
        let value = |text: Option<String>, column| {
            text.map(|text| field.value(text).ok_or_else(|| broken(column))).transpose()
        };
        changes.entry(row.job_id).or_default().push(Change {
            record: ChangedRecord::Staff(Some(id)),
            wonde_id: row.wonde_id,
            field,
            old: value(row.old_value, "old_value")?,
            new: value(row.new_value, "new_value")?,
        });
    }
    Ok(changes)
}
