//! The people of a school, as iP holds them.

use mis_sync_domain::{SchoolId, StaffId, StaffMember};
use sqlx::PgPool;

use crate::Error;

/// Everybody of a school, in the order of their ids.
pub async fn list(pool: &PgPool, school_id: &SchoolId) -> Result<Vec<StaffMember>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, wonde_id, upi, email, first_name, surname, initials, job_title, non_teaching,
            line_manager_id, active
        FROM staff WHERE school_id = $1 ORDER BY id
        "#,
        school_id.as_str(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StaffMember {
            id: StaffId(row.id),
            wonde_id: row.wonde_id,
            upi: row.upi,
            email: row.email,
            first_name: row.first_name,
            surname: row.surname,
            initials: row.initials,
            job_title: row.job_title,
            non_teaching: row.non_teaching,
            line_manager_id: row.line_manager_id.map(StaffId),
            active: row.active,
        })
        .collect())
}
