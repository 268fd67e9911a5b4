//! Issues with the person, class or subject that each is about, for people who have to correct
//! something. Names are those that iP has now; a record that is not in iP has the name that the MIS
//! gave it in that run.

use mis_sync_domain::{Issue, JobId, RecordKind, SchoolId, StaffId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Error;

/// An issue, and what is known of its record.
#[derive(Clone)]
pub struct NamedIssue {
    /// Its place in the list.
    pub position: i64,
    pub issue: Issue,
    /// The person in iP.
    pub staff_id: Option<StaffId>,
    /// The person's forename and surname.
    pub name: Option<String>,
    /// The person's work email in the MIS, otherwise in iP.
    pub email: Option<String>,
    pub upi: Option<String>,
    /// Name of the class or subject.
    pub class_or_subject: Option<String>,
    /// Whose record it is; `None` if that is not known, or if it is about the whole school.
    pub record: Option<RecordKind>,
    /// The id in the MIS itself.
    pub mis_id: Option<String>,
}

/// Values are personal data, so only the issue is printed.
impl std::fmt::Debug for NamedIssue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedIssue").field("issue", &self.issue).finish_non_exhaustive()
    }
}

struct IssueRow {
    position: i64,
    code: String,
    wonde_id: Option<String>,
    staff_id: Option<Uuid>,
    name: Option<String>,
    email: Option<String>,
    upi: Option<String>,
    class_or_subject: Option<String>,
    record: Option<String>,
    mis_id: Option<String>,
}

impl TryFrom<IssueRow> for NamedIssue {
    type Error = Error;

    fn try_from(row: IssueRow) -> Result<Self, Error> {
        let broken = |column| {
            let id = row.position.to_string();
            Error::Inconsistent { table: "job_issue", column, id }
        };
        let code = row.code.parse().map_err(|_| broken("code"))?;
        let record = row.record.as_deref().map(str::parse).transpose();
        let record = record.map_err(|_| broken("record"))?;
        Ok(Self {
            position: row.position,
            issue: Issue { code, wonde_id: row.wonde_id },
            staff_id: row.staff_id.map(StaffId),
            name: row.name,
            email: row.email,
            upi: row.upi,
            class_or_subject: row.class_or_subject,
            record,
            mis_id: row.mis_id,
        })
    }
}

/// The issues of a job, in the order of Wonde's list; after `after`.
pub async fn of_job(
    pool: &PgPool,
    id: JobId,
    after: i64,
    limit: i64,
) -> Result<Vec<NamedIssue>, Error> {
    let rows = sqlx::query_as!(
        IssueRow,
        r#"
        SELECT position AS "position!", code AS "code!", wonde_id, staff_id, name, email, upi,
            class_or_subject, record, mis_id
        FROM named_issue WHERE job_id = $1 AND position > $2 ORDER BY position LIMIT $3
        "#,
        id.0,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(NamedIssue::try_from).collect()
}

/// What the last full run of a school, and the deltas since, found, each issue once; after `after`.
pub async fn of_school(
    pool: &PgPool,
    id: &SchoolId,
    after: i64,
    limit: i64,
) -> Result<Vec<NamedIssue>, Error> {
    let rows = sqlx::query_as!(
        IssueRow,
        r#"
        SELECT min(i.position) AS "position!", i.code AS "code!", i.wonde_id, i.staff_id,
            min(i.name) AS name, min(i.email) AS email, min(i.upi) AS upi,
            min(i.class_or_subject) AS class_or_subject, i.record, min(i.mis_id) AS mis_id
        FROM mis_reading r JOIN named_issue i ON i.job_id IN (r.job_id, r.full_job_id)
        -- The school is said twice, so that each table is read for this school alone.
        WHERE r.school_id = $1 AND i.school_id = $1
        GROUP BY i.code, i.wonde_id, i.staff_id, i.record
        HAVING min(i.position) > $2
        ORDER BY min(i.position) LIMIT $3
        "#,
        id.as_str(),
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(NamedIssue::try_from).collect()
}
