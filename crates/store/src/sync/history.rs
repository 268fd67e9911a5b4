//! The change history and the issues of a job.

use std::collections::HashMap;

use mis_sync_domain::{Change, FieldValue, Issue, JobId, RecordKind, plan::Label};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// Removes what an earlier run of the job recorded before it was held, so that this run can record
/// its own.
pub(super) async fn forget(db: &mut PgConnection, job_id: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH changes AS (
            DELETE FROM job_change WHERE job_id = $1
        )
        DELETE FROM job_issue WHERE job_id = $1
        "#,
        job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes the change history.
pub(super) async fn write_changes(
    db: &mut PgConnection,
    job_id: JobId,
    changes: &[Change],
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let records: Vec<&str> = changes.iter().map(|change| change.record.kind().as_str()).collect();
    let ids: Vec<Option<Uuid>> = changes.iter().map(|change| change.record.id()).collect();
    let wonde_ids: Vec<Option<&str>> =
        changes.iter().map(|change| change.wonde_id.as_deref()).collect();
    let fields: Vec<&str> = changes.iter().map(|change| change.field.as_str()).collect();
    let text = |value: &'_ Option<FieldValue>| value.as_ref().map(|v| v.as_str().to_owned());
    let old: Vec<Option<String>> = changes.iter().map(|change| text(&change.old)).collect();
    let new: Vec<Option<String>> = changes.iter().map(|change| text(&change.new)).collect();
    sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, record, staff_id, class_id, subject_id, wonde_id, field,
            old_value, new_value)
        SELECT $1, record, CASE WHEN record = 'staff' THEN id END,
            CASE WHEN record = 'class' THEN id END, CASE WHEN record = 'subject' THEN id END,
            wonde_id, field, old_value, new_value
        FROM UNNEST($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
            WITH ORDINALITY AS l (record, id, wonde_id, field, old_value, new_value, place)
        ORDER BY place
        "#,
        job_id.0,
        &records as &[&str],
        &ids as &[Option<Uuid>],
        &wonde_ids as &[Option<&str>],
        &fields as &[&str],
        &old as &[Option<String>],
        &new as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes the issues, each with what the MIS calls its record.
pub(super) async fn write_issues(
    db: &mut PgConnection,
    job_id: JobId,
    issues: &[Issue],
    labels: &[Label],
) -> Result<(), Error> {
    if issues.is_empty() {
        return Ok(());
    }
    let codes: Vec<&str> = issues.iter().map(|issue| issue.code.as_str()).collect();
    let wonde_ids: Vec<Option<&str>> =
        issues.iter().map(|issue| issue.wonde_id.as_deref()).collect();
    let known: HashMap<(RecordKind, &str), &Label> =
        labels.iter().map(|label| ((label.record, label.wonde_id.as_str()), label)).collect();
    let label = |issue: &Issue| -> Option<&Label> {
        let wonde_id = issue.wonde_id.as_deref()?;
        let of = |record: RecordKind| known.get(&(record, wonde_id)).copied();
        issue.code.record().map_or_else(|| RecordKind::ALL.iter().copied().find_map(of), of)
    };
    let labels: Vec<Option<&Label>> = issues.iter().map(label).collect();
    let of_labels = || labels.iter().copied();
    let records: Vec<Option<&str>> =
        of_labels().map(|label| label.map(|label| label.record.as_str())).collect();
    let names: Vec<Option<&str>> = of_labels().map(|label| label?.name.as_deref()).collect();
    let mis_ids: Vec<Option<&str>> = of_labels().map(|label| label?.mis_id.as_deref()).collect();
    sqlx::query!(
        r#"
        INSERT INTO job_issue (job_id, code, wonde_id, record, name, mis_id)
        SELECT $1, code, wonde_id, record, name, mis_id
        FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            WITH ORDINALITY AS i (code, wonde_id, record, name, mis_id, place)
        ORDER BY place
        "#,
        job_id.0,
        &codes as &[&str],
        &wonde_ids as &[Option<&str>],
        &records as &[Option<&str>],
        &names as &[Option<&str>],
        &mis_ids as &[Option<&str>],
    )
    .execute(db)
    .await?;
    Ok(())
}
