use mis_sync_domain::Lease;
use sqlx::PgConnection;

use super::{count, teaching::Emptied};
use crate::Error;

/// What the change history and the issues of a job come to.
pub(crate) struct Counted {
    pub(super) created: u64,
    pub(crate) updated: u64,
    pub(crate) deactivated: u64,
    pub(crate) restored: u64,
    /// People of the list who are not as they were, in whatever way.
    pub(super) touched: u64,
    pub(super) issues: u64,
    /// Known people with another login.
    pub(super) emails_changed: u64,
    pub(super) job_titles_emptied: u64,
    pub(super) line_managers_emptied: u64,
    /// Known people with another Wonde id.
    pub(super) new_ids: u64,
    /// Of how many classes that there were.
    pub(super) classes_emptied: Emptied,
}

/// Counts what the change history and the issues of the job say.
pub(super) async fn read(
    db: &mut PgConnection,
    lease: Lease,
    classes_emptied: Emptied,
) -> Result<Counted, Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) FILTER (WHERE field = 'created') AS "created!",
            count(DISTINCT staff_id) FILTER (WHERE field NOT IN ('created', 'active'))
                AS "updated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'false') AS "deactivated!",
            count(*) FILTER (WHERE field = 'active' AND new_value = 'true') AS "restored!",
            count(DISTINCT staff_id) FILTER (
                WHERE field <> 'created' AND (field <> 'active' OR new_value = 'true')
                    -- Whose record means somebody else is not in the list.
                    AND NOT (field IN ('wonde_id', 'upi') AND new_value IS NULL))
                AS "touched!",
            count(*) FILTER (WHERE field = 'email') AS "emails_changed!",
            count(*) FILTER (WHERE field = 'job_title' AND new_value IS NULL)
                AS "job_titles_emptied!",
            count(*) FILTER (WHERE field = 'line_manager_id' AND new_value IS NULL)
                AS "line_managers_emptied!",
            count(*) FILTER (
                WHERE field = 'wonde_id' AND old_value IS NOT NULL AND new_value IS NOT NULL)
                AS "new_ids!",
            (SELECT count(*) FROM job_issue i WHERE i.job_id = $1) AS "issues!"
        FROM job_change WHERE job_id = $1 AND record = 'staff'
        "#,
        lease.job_id.0,
    )
    .fetch_one(db)
    .await?;
    Ok(Counted {
        created: count(row.created),
        updated: count(row.updated),
        deactivated: count(row.deactivated),
        restored: count(row.restored),
        touched: count(row.touched),
        issues: count(row.issues),
        emails_changed: count(row.emails_changed),
        job_titles_emptied: count(row.job_titles_emptied),
        line_managers_emptied: count(row.line_managers_emptied),
        new_ids: count(row.new_ids),
        classes_emptied,
    })
}
