//! What iP has from a full list and the fetch did not show.

use std::collections::HashSet;

use mis_sync_domain::{
    Lease, SchoolId, TeachingKind,
    absence::{Missing, Reading},
};
use sqlx::{PgExecutor, PgPool};

use super::{BEGIN, List, rewind_in};
use crate::{Error, jobs::require_one, transaction};

/// The reading of one full list that was staged to its end: which of the school's people, classes
/// or subjects in iP no staged record accounts for. Nobody and nothing, where a sync concludes no
/// absence from the list: a record in it could be anybody's, nobody's employment is said, a list
/// of classes or subjects is empty or was refused.
pub async fn missing(
    pool: &PgPool,
    lease: Lease,
    school_id: &SchoolId,
    list: List,
) -> Result<Reading, Error> {
    let found = match list {
        List::Subjects => missing_teaching(pool, lease, school_id, TeachingKind::Subject).await?,
        List::Classes => missing_teaching(pool, lease, school_id, TeachingKind::Class).await?,
        _ => missing_people(pool, lease, school_id).await?,
    };
    let found = found.ok_or(Error::LeaseLost)?;
    let is_second = found.read_again.as_deref() == Some(list.as_str());
    let before: HashSet<String> = found.missed.into_iter().collect();
    let missing = found
        .missing
        .into_iter()
        .map(|wonde_id| Missing { was_missing: is_second && before.contains(&wonde_id), wonde_id });
    Ok(Reading {
        listed: u64::try_from(found.listed).unwrap_or_default(),
        is_second,
        missing: missing.collect(),
    })
}

/// Begins the second reading of a list, and keeps what the first one did not show. The rest of what
/// the first one brought makes room for the second.
pub async fn read_again(
    pool: &PgPool,
    lease: Lease,
    list: List,
    missing: &[Missing],
) -> Result<(), Error> {
    let wonde_ids: Vec<&str> = missing.iter().map(|missing| missing.wonde_id.as_str()).collect();
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
    let begun = sqlx::query!(
        r#"
        UPDATE stage_fetch SET list = $3, next_page = NULL, read_again = $3, missed = $4,
            lists_read = array_remove(lists_read, $3), updated_at = now()
        WHERE job_id = $1 AND fence = $2 AND NOT complete
        "#,
        lease.job_id.0,
        lease.fence,
        list.as_str(),
        &wonde_ids as &[&str],
    )
    .execute(&mut *tx)
    .await?;
    require_one(begun.rows_affected())?;
    match list {
        List::Subjects => forget_teaching(&mut *tx, lease, TeachingKind::Subject).await?,
        List::Classes => forget_teaching(&mut *tx, lease, TeachingKind::Class).await?,
        _ => rewind_in(&mut *tx, lease).await?,
    }
    tx.commit().await?;
    Ok(())
}

/// A reading as the tables have it.
struct Found {
    listed: i64,
    read_again: Option<String>,
    missed: Vec<String>,
    missing: Vec<String>,
}

async fn missing_people(
    pool: &PgPool,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<Option<Found>, Error> {
    let found = sqlx::query_as!(
        Found,
        r#"
        SELECT f.fetched AS listed, f.read_again, f.missed, ARRAY(
            SELECT i.wonde_id
            FROM staff s
            -- Somebody may have several records.
            CROSS JOIN LATERAL (
                SELECT s.wonde_id UNION SELECT a.wonde_id FROM staff_alias a WHERE a.staff_id = s.id
            ) i
            LEFT JOIN staff_read r ON r.staff_id = s.id
            WHERE s.school_id = $3 AND s.active AND i.wonde_id IS NOT NULL
                AND f.nameless = 0 AND (f.fetched = 0 OR f.employment_said > 0)
                -- Whoever was read after this fetch began is as a later fetch found them.
                AND (r.read_at IS NULL OR r.read_at <= f.started_at)
                -- NOT IN and not NOT EXISTS: it is hashed, whatever the planner expects.
                AND i.wonde_id NOT IN (SELECT wonde_id FROM stage_listed WHERE job_id = $1)
                AND i.wonde_id NOT IN (
                    SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = 'employee')
            ORDER BY i.wonde_id
        ) AS "missing!: Vec<String>"
        FROM stage_fetch f WHERE f.job_id = $1 AND f.fence = $2
        "#,
        lease.job_id.0,
        lease.fence,
        school_id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(found)
}

async fn missing_teaching(
    pool: &PgPool,
    lease: Lease,
    school_id: &SchoolId,
    kind: TeachingKind,
) -> Result<Option<Found>, Error> {
    let list = match kind {
        TeachingKind::Class => List::Classes,
        TeachingKind::Subject => List::Subjects,
    };
    let found = sqlx::query_as!(
        Found,
        r#"
        WITH staged AS (
            SELECT wonde_id FROM stage_teaching WHERE job_id = $1 AND kind = $4
        ), held AS (
            SELECT wonde_id FROM class
            WHERE $4 = 'class' AND school_id = $3 AND active AND wonde_id IS NOT NULL
            UNION ALL
            SELECT wonde_id FROM subject
            WHERE $4 = 'subject' AND school_id = $3 AND active AND wonde_id IS NOT NULL
        )
        SELECT (SELECT count(*) FROM staged) AS "listed!", f.read_again, f.missed, ARRAY(
            SELECT wonde_id FROM held
            WHERE $5 = ANY (f.lists_read) AND EXISTS (SELECT FROM staged)
                AND NOT EXISTS (SELECT FROM staged WHERE wonde_id = '')
                AND wonde_id NOT IN (SELECT wonde_id FROM staged)
                AND wonde_id NOT IN (
                    SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = $4)
            ORDER BY wonde_id
        ) AS "missing!: Vec<String>"
        FROM stage_fetch f WHERE f.job_id = $1 AND f.fence = $2
        "#,
        lease.job_id.0,
        lease.fence,
        school_id.as_str(),
        kind.as_str(),
        list.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(found)
}

async fn forget_teaching(
    db: impl PgExecutor<'_>,
    lease: Lease,
    kind: TeachingKind,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH gone AS (
            DELETE FROM stage_gone WHERE job_id = $1 AND kind = $2
        )
        DELETE FROM stage_teaching WHERE job_id = $1 AND kind = $2
        "#,
        lease.job_id.0,
        kind.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}
