//! One person, staged in the very transaction that compares them.

use mis_sync_domain::JobTitle;
use sqlx::PgConnection;

use super::{MappedPage, records};
use crate::{Error, sync::PersonPlan};

/// What was found of the person on the way.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer by itself")]
pub(crate) struct StagedPerson {
    /// The record has a login that the person does not hold yet.
    pub(crate) asks_for_login: bool,
    /// Names and work email all differ from what iP holds.
    pub(crate) is_unlike: bool,
    /// The person has further current records, so this one does not say all about them.
    pub(crate) has_other_records: bool,
    /// The person is active in iP, or is made so.
    pub(crate) stays_active: bool,
    /// iP has the manager whom the record names, or none as the record has none, and knows that
    /// the MIS says so.
    pub(crate) has_named_manager: bool,
}

/// Stages the record as a complete delta, matched with the person that it was fetched for.
pub(crate) async fn stage_person(
    db: &mut PgConnection,
    plan: PersonPlan<'_>,
) -> Result<StagedPerson, Error> {
    let record = plan.page.staff.first().map(|(_, record)| record);
    let hierarchy = record.and_then(|record| record.hierarchy.as_deref());
    let row = sqlx::query!(
        r#"
        WITH held AS (
            SELECT id, email_key, active, non_teaching,
                EXISTS (SELECT FROM staff_alias a WHERE a.staff_id = staff.id) AS has_others,
                (lower(first_name) <> lower($7) OR $7 = '')
                    AND (lower(surname) <> lower($8) OR $8 = '')
                    AND email_key <> lower($6) AS is_unlike,
                mis_values ? 'line_manager'
                AND mis_values ->> 'line_manager' IS NOT DISTINCT FROM $14
                AND line_manager_id IS NOT DISTINCT FROM (
                    SELECT m.id FROM staff m
                    WHERE m.school_id = $3 AND m.wonde_id = $14 AND m.active)
                AS has_named_manager
            FROM staff WHERE id = $2 AND school_id = $3 AND wonde_id = $4
        ), record AS (
            INSERT INTO stage_staff (job_id, wonde_id, position, upi, email, first_name, surname,
                initials, job_title_delivered, job_title, non_teaching, hierarchy)
            SELECT $1, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::text[]
            FROM held WHERE $6::text IS NOT NULL
        ), matched AS (
            INSERT INTO stage_match (job_id, wonde_id, position, staff_id, matched_by, email_key,
                held_key, keeps_job_title, joined_non_teaching)
            SELECT $1, $4, 0, id, 'wonde_id', lower($6),
                CASE WHEN active THEN email_key WHEN NOT $15 THEN lower($6) END, has_others,
                CASE WHEN has_others THEN non_teaching END
            FROM held WHERE $6::text IS NOT NULL
        )
        SELECT active, coalesce(has_named_manager, false) AS "has_named_manager!",
            coalesce(CASE WHEN active THEN lower($6) <> email_key
                ELSE $15 AND $6::text IS NOT NULL END, false) AS "asks_for_login!",
            coalesce(is_unlike, false) AS "is_unlike!", has_others AS "has_other_records!"
        FROM held
        "#,
        plan.lease.job_id.0,
        plan.staff_id.0,
        plan.school_id.as_str(),
        plan.wonde_id,
        record.and_then(|record| record.upi.as_deref()),
        record.map(|record| record.email.as_str()),
        record.map(|record| record.first_name.as_str()),
        record.map(|record| record.surname.as_str()),
        record.and_then(|record| record.initials.as_deref()),
        record.is_some_and(|record| record.job_title != JobTitle::NotDelivered),
        record.and_then(|record| record.job_title.as_deref()),
        record.and_then(|record| record.non_teaching),
        records::as_array(hierarchy),
        hierarchy.and_then(|list| list.first()),
        plan.rules.restores,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::PersonMoved)?;
    records::insert_gone(db, plan.lease, &plan.page.gone).await?;
    insert_problems(db, plan).await?;
    Ok(StagedPerson {
        asks_for_login: row.asks_for_login,
        is_unlike: row.is_unlike,
        has_other_records: row.has_other_records,
        stays_active: row.active || plan.rules.restores && record.is_some(),
        has_named_manager: row.has_named_manager,
    })
}

/// Stages what the mapping found wrong. A record that is not imported is there all the same: its
/// person has not left.
async fn insert_problems(db: &mut PgConnection, plan: PersonPlan<'_>) -> Result<(), Error> {
    let MappedPage { issues, present, .. } = plan.page;
    let issue = issues.first().map(|(_, issue)| issue.code.as_str());
    let is_present = !present.is_empty();
    if issue.is_none() && !is_present {
        return Ok(());
    }
    sqlx::query!(
        r#"
        WITH issue AS (
            INSERT INTO stage_issue (job_id, position, code, wonde_id)
            SELECT $1, 0, $3, $2 WHERE $3::text IS NOT NULL
        )
        INSERT INTO stage_present (job_id, position, wonde_id) SELECT $1, 0, $2 WHERE $4
        "#,
        plan.lease.job_id.0,
        plan.wonde_id,
        issue,
        is_present,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Throws away what [`stage_person`] staged, in the transaction that ends the job.
pub(crate) async fn clear_person(db: &mut PgConnection, plan: PersonPlan<'_>) -> Result<(), Error> {
    let MappedPage { issues, present, gone, .. } = plan.page;
    sqlx::query!(
        r#"
        WITH fetched AS (
            DELETE FROM stage_fetch WHERE job_id = $1
        ), staff AS (
            DELETE FROM stage_staff WHERE job_id = $1
        )
        DELETE FROM stage_match WHERE job_id = $1
        "#,
        plan.lease.job_id.0,
    )
    .execute(&mut *db)
    .await?;
    if issues.is_empty() && present.is_empty() && gone.is_empty() {
        return Ok(());
    }
    super::clear_rows(db, plan.lease).await
}
