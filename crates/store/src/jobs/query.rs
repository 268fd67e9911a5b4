use std::collections::HashMap;

use mis_sync_domain::{
    Change, ChangedField, ChangedRecord, ClassId, Issue, Job, JobId, SchoolId, StaffId, SubjectId,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::row::query_jobs;
use crate::Error;

pub async fn get(pool: &PgPool, id: JobId) -> Result<Option<Job>, Error> {
    let mut connection = pool.acquire().await?;
    fetch(&mut connection, id).await
}

pub(crate) async fn fetch(db: &mut PgConnection, id: JobId) -> Result<Option<Job>, Error> {
    let row = query_jobs!(("SELECT "), " FROM job WHERE id = $1", id.0).fetch_optional(db).await?;
    row.map(Job::try_from).transpose()
}

/// The last sync of a school that was requested. Dry runs and undos do not count.
pub async fn last_sync(pool: &PgPool, school_id: &SchoolId) -> Result<Option<Job>, Error> {
    let row = query_jobs!(
        ("SELECT "),
        " FROM job WHERE school_id = $1 AND kind = 'sync-school' AND unique_key NOT LIKE 'undo:%'
            AND NOT coalesce((options ->> 'dry_run')::boolean, false)
        ORDER BY id DESC LIMIT 1",
        school_id.as_str(),
    );
    row.fetch_optional(pool).await?.map(Job::try_from).transpose()
}

/// How many records the school's last good sync read: the best estimate of how many there are.
pub async fn records_of_last_sync(
    pool: &PgPool,
    school_id: &SchoolId,
) -> Result<Option<u64>, Error> {
    let fetched = sqlx::query_scalar!(
        r#"
        SELECT (report ->> 'fetched')::bigint FROM job
        WHERE school_id = $1 AND kind = 'sync-school' AND state = 'succeeded'
            AND report ->> 'mode' IS DISTINCT FROM 'delta'
        ORDER BY id DESC LIMIT 1
        "#,
        school_id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(fetched.flatten().and_then(|fetched| u64::try_from(fetched).ok()))
}

/// The issues of a job, in the order of Wonde's list, each with its position; after `after`.
pub async fn issues(
    pool: &PgPool,
    id: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Issue)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT position, code, wonde_id FROM job_issue
        WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3
        "#,
        id.0,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let code = row.code.parse().map_err(|_| Error::Inconsistent {
                table: "job_issue",
                column: "code",
                id: format!("{id}/{}", row.position),
            })?;
            Ok((row.position, Issue { code, wonde_id: row.wonde_id }))
        })
        .collect()
}

/// What a job changed (or, in a dry run, would change), field by field, in the order in which it
/// was found, each with its position; after `after`.
pub async fn changes(
    pool: &PgPool,
    id: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Change)>, Error> {
    changes_of_field(pool, id, None, after, limit).await
}

/// The same for one field, if one is given.
pub async fn changes_of_field(
    db: impl PgExecutor<'_>,
    id: JobId,
    field: Option<ChangedField>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Change)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT position, record, staff_id, class_id, subject_id, wonde_id, field, old_value,
            new_value
        FROM job_change
        WHERE job_id = $1 AND position > $2 AND ($4::text IS NULL OR field = $4)
        ORDER BY position LIMIT $3
        "#,
        id.0,
        after,
        limit,
        field.map(ChangedField::as_str),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = |column| Error::Inconsistent {
                table: "job_change",
                column,
                id: format!("{id}/{}", row.position),
            };
            let field: ChangedField = row.field.parse().map_err(|_| broken("field"))?;
            let value = |text: Option<String>, column| {
                text.map(|text| field.value(text).ok_or_else(|| broken(column))).transpose()
            };
            let record = changed_record(&row.record, row.staff_id, row.class_id, row.subject_id)
                .ok_or_else(|| broken("record"))?;
            let change = Change {
                record,
                wonde_id: row.wonde_id,
                field,
                old: value(row.old_value, "old_value")?,
                new: value(row.new_value, "new_value")?,
            };
            Ok((row.position, change))
        })
        .collect()
}

/// Which jobs last changed a field of a school, after the job `since`.
pub(crate) async fn later_changes(
    db: &mut PgConnection,
    school_id: &SchoolId,
    since: JobId,
) -> Result<HashMap<(ChangedRecord, ChangedField), JobId>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (c.record, c.staff_id, c.class_id, c.subject_id, c.field)
            c.record, c.staff_id, c.class_id, c.subject_id, c.field, c.job_id
        FROM job j JOIN job_change c ON c.job_id = j.id
        WHERE j.school_id = $1 AND j.id > $2 AND j.state = 'succeeded'
            AND j.options ->> 'dry_run' IS DISTINCT FROM 'true'
        ORDER BY c.record, c.staff_id, c.class_id, c.subject_id, c.field, c.job_id DESC
        "#,
        school_id.as_str(),
        since.0,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = |column| Error::Inconsistent {
                table: "job_change",
                column,
                id: row.job_id.to_string(),
            };
            let record = changed_record(&row.record, row.staff_id, row.class_id, row.subject_id)
                .ok_or_else(|| broken("record"))?;
            let field = row.field.parse().map_err(|_| broken("field"))?;
            Ok(((record, field), JobId(row.job_id)))
        })
        .collect()
}

fn changed_record(
    record: &str,
    staff_id: Option<Uuid>,
    class_id: Option<Uuid>,
    subject_id: Option<Uuid>,
) -> Option<ChangedRecord> {
    match record {
        "staff" => Some(ChangedRecord::Staff(staff_id.map(StaffId))),
        "class" => Some(ChangedRecord::Class(class_id.map(ClassId))),
        "subject" => Some(ChangedRecord::Subject(subject_id.map(SubjectId))),
        _ => None,
    }
}
