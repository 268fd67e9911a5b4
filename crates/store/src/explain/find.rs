use mis_sync_domain::{SchoolId, StaffId, text::composed};
use sqlx::PgPool;

use super::Who;
use crate::Error;

/// The answer to who a question is about.
#[derive(Default)]
pub(super) struct Found {
    /// The record of the MIS.
    pub(super) wonde_id: Option<String>,
    /// The person in iP.
    pub(super) staff_id: Option<StaffId>,
    /// Other records with the same work email.
    pub(super) others: Vec<String>,
}

/// Finds a record of the MIS or an account in iP, and the other one if they belong together. A work
/// email is looked for in the MIS first, because it may be the very reason for the question.
pub(super) async fn find(pool: &PgPool, school_id: &SchoolId, who: &Who) -> Result<Found, Error> {
    match who {
        Who::WondeId(wonde_id) => find_wonde_id(pool, school_id, wonde_id).await,
        Who::Staff(id) => {
            let row = sqlx::query!(
                "SELECT wonde_id FROM staff WHERE school_id = $1 AND id = $2",
                school_id.as_str(),
                id.0,
            )
            .fetch_optional(pool)
            .await?;
            let Some(row) = row else { return Ok(Found::default()) };
            // A dry run can know the record of a person who is not linked yet.
            let wonde_id = match row.wonde_id {
                Some(wonde_id) => Some(wonde_id),
                None => seen_as(pool, school_id, *id).await?,
            };
            Ok(Found { wonde_id, staff_id: Some(*id), others: Vec::new() })
        }
        Who::Email(email) => {
            let email = composed(email.trim());
            let mut records = records_with(pool, school_id, &email).await?;
            if records.is_empty() {
                return find_login(pool, school_id, &email).await;
            }
            let found = find_wonde_id(pool, school_id, &records.remove(0)).await?;
            Ok(Found { others: records, ..found })
        }
    }
}

async fn find_wonde_id(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_id: &str,
) -> Result<Found, Error> {
    let staff_id = sqlx::query_scalar!(
        r#"
        SELECT coalesce(
            (SELECT id FROM staff WHERE school_id = $1 AND wonde_id = $2),
            (SELECT staff_id FROM staff_alias WHERE school_id = $1 AND wonde_id = $2),
            (SELECT p.staff_id FROM mis_person p JOIN staff s ON s.id = p.staff_id
                WHERE p.school_id = $1 AND p.wonde_id = $2 AND s.school_id = $1))
        "#,
        school_id.as_str(),
        wonde_id,
    )
    .fetch_one(pool)
    .await?;
    let staff_id = staff_id.map(StaffId);
    Ok(Found { wonde_id: Some(wonde_id.to_owned()), staff_id, others: Vec::new() })
}

async fn find_login(pool: &PgPool, school_id: &SchoolId, email: &str) -> Result<Found, Error> {
    let row = sqlx::query!(
        r#"
        SELECT id, wonde_id FROM staff WHERE school_id = $1 AND email_key = lower($2)
        -- The holder of the login, otherwise the last one who had it.
        ORDER BY active DESC, updated_at DESC, id LIMIT 1
        "#,
        school_id.as_str(),
        email,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map_or_else(Found::default, |row| Found {
        wonde_id: row.wonde_id,
        staff_id: Some(StaffId(row.id)),
        others: Vec::new(),
    }))
}

/// Wonde ids of the records with this work email: imported ones first, those that are gone last.
async fn records_with(
    pool: &PgPool,
    school_id: &SchoolId,
    email: &str,
) -> Result<Vec<String>, Error> {
    let wonde_ids = sqlx::query_scalar!(
        r#"
        SELECT wonde_id FROM mis_person WHERE school_id = $1 AND email_key = lower($2)
        ORDER BY outcome = 'imported' DESC, outcome <> 'gone' DESC, standing = 'current' DESC,
            wonde_id
        "#,
        school_id.as_str(),
        email,
    )
    .fetch_all(pool)
    .await?;
    Ok(wonde_ids)
}

async fn seen_as(
    pool: &PgPool,
    school_id: &SchoolId,
    id: StaffId,
) -> Result<Option<String>, Error> {
    let wonde_id = sqlx::query_scalar!(
        r#"
        SELECT wonde_id FROM mis_person
        WHERE school_id = $1 AND staff_id = $2 AND outcome <> 'gone' LIMIT 1
        "#,
        school_id.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(wonde_id)
}
