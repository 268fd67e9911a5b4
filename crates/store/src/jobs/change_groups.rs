//! What a job changed, in groups of what happened.

use mis_sync_domain::{ChangedField, JobId, RecordKind};
use sqlx::PgPool;

use crate::Error;

/// Changes of one kind to one field of one sort of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeGroup {
    /// Whose field.
    pub record: RecordKind,
    /// The field.
    pub field: ChangedField,
    /// What happened to it.
    pub kind: ChangeKind,
    /// To how many records.
    pub number: i64,
}

/// What happened to a field, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// From true to false.
    SwitchedOff,
    /// From something to nothing.
    Emptied,
    /// From something to something else.
    Replaced,
    /// From nothing to something.
    Filled,
    /// From false to true.
    SwitchedOn,
    /// The record is new.
    Created,
}

/// The groups of what a job changed (or, in a dry run or a held job, would change), the gravest
/// first.
pub async fn change_groups(pool: &PgPool, id: JobId) -> Result<Vec<ChangeGroup>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT record, field, old_value IS NOT NULL AS "had!", new_value IS NOT NULL AS "has!",
            CASE WHEN field IN ('active', 'non_teaching') THEN new_value END AS flag,
            count(*) AS "number!"
        FROM job_change WHERE job_id = $1 GROUP BY 1, 2, 3, 4, 5
        "#,
        id.0,
    )
    .fetch_all(pool)
    .await?;
    let broken = |column| Error::Inconsistent { table: "job_change", column, id: id.to_string() };
    let mut groups = rows
        .into_iter()
        .map(|row| {
            let field: ChangedField = row.field.parse().map_err(|_| broken("field"))?;
            let record = row.record.parse().map_err(|_| broken("record"))?;
            let kind = match (field, row.flag.as_deref(), row.had, row.has) {
                (ChangedField::Created, ..) => ChangeKind::Created,
                (_, Some("false"), ..) => ChangeKind::SwitchedOff,
                (_, Some(_), ..) => ChangeKind::SwitchedOn,
                (_, None, true, false) => ChangeKind::Emptied,
                (_, None, true, true) => ChangeKind::Replaced,
                (_, None, false, _) => ChangeKind::Filled,
            };
            Ok(ChangeGroup { record, field, kind, number: row.number })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    groups.sort_by_key(|group| (group.kind, group.record, -group.number));
    Ok(groups)
}
