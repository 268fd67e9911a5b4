//! Where a fetch waits, page by page, until it is whole.
//!
//! Each page is one small transaction: its records by `COPY`, and the place where the list
//! goes on. So another worker can take over in the middle, and a run that lost its lease
//! cannot add a page. The tables are unlogged, and these transactions do not wait for the
//! disk: what a crash takes is fetched again.

mod copy;

use std::time::Duration;

use mis_sync_domain::{Issue, Lease, Progress, StaffRecord, SyncRules};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    Error,
    jobs::{interval, require_one},
};

/// Opens a transaction that does not wait for the disk (see above), in one round trip.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// How far a fetch is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchState {
    /// Where Wonde's list goes on, in the client's own form; `None`: at the start, or done.
    pub next_page: Option<Value>,
    /// Records staged so far.
    pub fetched: u64,
    /// The last page is in.
    pub complete: bool,
}

/// Somebody who is in the list but is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// Wonde's unique person identifier, where it can be read.
    pub upi: Option<String>,
    /// Wonde ids of the people above or below, nearest first; `None`: not said.
    pub hierarchy: Option<Vec<String>>,
}

/// One page, mapped.
#[derive(Debug, Default)]
pub struct MappedPage {
    /// Current staff that can be imported, with their places on the page.
    pub staff: Vec<(u64, StaffRecord)>,
    /// Problems, with the places of their records on the page.
    pub issues: Vec<(u64, Issue)>,
    /// People who are in the list, and have not left, but are not among `staff`.
    pub present: Vec<(u64, Present)>,
    /// Records so broken that nobody can say whose they are.
    pub nameless: u64,
    /// Records on the page.
    pub fetched: u64,
    /// Of these, current staff.
    pub current: u64,
    /// Current staff that are not among `staff`.
    pub skipped: u64,
    /// HTTP requests that the page cost, failed ones included.
    pub requests: u64,
    /// Where the list goes on; `None`: this was the last page.
    pub next_page: Option<Value>,
}

/// Begins the fetch of a run, or takes over what an earlier run left.
///
/// What was staged more than `max_age` ago is thrown away: people may have come and gone
/// since, and a list read half yesterday and half today is no list.
pub async fn begin(
    pool: &PgPool,
    lease: Lease,
    rules: SyncRules,
    max_age: Duration,
) -> Result<FetchState, Error> {
    if begin_first(pool, lease, rules).await? {
        return Ok(FetchState::default());
    }
    let mut tx = pool.begin_with(BEGIN).await?;
    let taken_over = sqlx::query!(
        r#"
        UPDATE stage_fetch SET fence = $2, owns_initials = $3, owns_job_title = $4,
            owns_line_manager = $5, restores = $6, deactivates = $7
        WHERE job_id = $1 AND fence < $2 AND updated_at >= now() - $8::interval
        RETURNING next_page, fetched, complete
        "#,
        lease.job_id.0,
        lease.fence,
        rules.owned.initials,
        rules.owned.job_title,
        rules.owned.line_manager,
        rules.restores,
        rules.deactivates,
        interval(max_age),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let state = if let Some(row) = taken_over {
        FetchState {
            next_page: row.next_page,
            fetched: u64::try_from(row.fetched).unwrap_or_default(),
            complete: row.complete,
        }
    } else {
        // A newer claim's fetch stays, and then there is no beginning another.
        sqlx::query!(
            "DELETE FROM stage_fetch WHERE job_id = $1 AND fence < $2",
            lease.job_id.0,
            lease.fence,
        )
        .execute(&mut *tx)
        .await?;
        if !begin_first(&mut *tx, lease, rules).await? {
            return Err(Error::LeaseLost);
        }
        clear_rows(&mut tx, lease).await?;
        FetchState::default()
    };
    tx.commit().await?;
    Ok(state)
}

/// Begins the fetch of a job that has none; `false`: it has one. Where there never was a fetch
/// there are no records either, so nothing has to be cleared and this statement is enough.
async fn begin_first(
    db: impl PgExecutor<'_>,
    lease: Lease,
    rules: SyncRules,
) -> Result<bool, Error> {
    let begun = sqlx::query!(
        r#"
        INSERT INTO stage_fetch (job_id, fence, owns_initials, owns_job_title,
            owns_line_manager, restores, deactivates)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (job_id) DO NOTHING
        "#,
        lease.job_id.0,
        lease.fence,
        rules.owned.initials,
        rules.owned.job_title,
        rules.owned.line_manager,
        rules.restores,
        rules.deactivates,
    )
    .execute(db)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Stages one page and notes the progress of the job.
pub async fn add_page(
    pool: &PgPool,
    lease: Lease,
    page: &MappedPage,
    progress: Progress,
) -> Result<(), Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let first_position = advance(&mut tx, lease, page, progress).await?;
    if !page.staff.is_empty() {
        let mut copy = tx.copy_in_raw(copy::STAGE_STAFF).await?;
        copy.send(copy::staff_rows(lease.job_id, first_position, &page.staff).into_bytes()).await?;
        copy.finish().await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Moves fetch and job on by a page and keeps its problems, which are few; returns the position
/// of its first record.
async fn advance(
    db: &mut PgConnection,
    lease: Lease,
    page: &MappedPage,
    progress: Progress,
) -> Result<i64, Error> {
    let places: Vec<i64> = page.issues.iter().map(|(place, _)| count(*place)).collect();
    let codes: Vec<&str> = page.issues.iter().map(|(_, issue)| issue.code.as_str()).collect();
    let wonde_ids: Vec<Option<&str>> =
        page.issues.iter().map(|(_, issue)| issue.wonde_id.as_deref()).collect();
    let present_places: Vec<i64> = page.present.iter().map(|(place, _)| count(*place)).collect();
    let present_ids: Vec<&str> =
        page.present.iter().map(|(_, person)| person.wonde_id.as_str()).collect();
    let present_upis: Vec<Option<&str>> =
        page.present.iter().map(|(_, person)| person.upi.as_deref()).collect();
    let present_lists: Vec<Option<String>> = page
        .present
        .iter()
        .map(|(_, person)| copy::as_array(person.hierarchy.as_deref()))
        .collect();
    sqlx::query_scalar!(
        r#"
        WITH noted AS (
            UPDATE job SET stage = $8, progress_done = $9, progress_total = $10
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id
        ), staged AS (
            UPDATE stage_fetch f SET pages = pages + 1, fetched = fetched + $3,
                current = current + $4, skipped = skipped + $5, requests = requests + $6,
                nameless = nameless + $14, next_page = $7, complete = ($7::jsonb IS NULL), updated_at = now()
            FROM noted WHERE f.job_id = noted.id AND f.fence = $2 AND NOT f.complete
            RETURNING f.fetched - $3 AS first
        ), issue AS (
            INSERT INTO stage_issue (job_id, position, code, wonde_id)
            SELECT $1, staged.first + i.place, i.code, i.wonde_id
            FROM staged, UNNEST($11::bigint[], $12::text[], $13::text[])
                AS i (place, code, wonde_id)
        ), present AS (
            INSERT INTO stage_present (job_id, position, wonde_id, upi, hierarchy)
            SELECT $1, staged.first + p.place, p.wonde_id, p.upi, p.hierarchy::text[]
            FROM staged, UNNEST($15::bigint[], $16::text[], $17::text[], $18::text[])
                AS p (place, wonde_id, upi, hierarchy)
        )
        SELECT first AS "first!" FROM staged
        "#,
        lease.job_id.0,
        lease.fence,
        count(page.fetched),
        count(page.current),
        count(page.skipped),
        count(page.requests),
        page.next_page,
        progress.stage.as_str(),
        count(progress.done),
        progress.total.map(count),
        &places,
        &codes as &[&str],
        &wonde_ids as &[Option<&str>],
        count(page.nameless),
        &present_places,
        &present_ids as &[&str],
        &present_upis as &[Option<&str>],
        &present_lists as &[Option<String>],
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LeaseLost)
}

/// Throws away what a job staged, once its outcome is in the ledger.
pub async fn discard(pool: &PgPool, lease: Lease) -> Result<(), Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let owned = sqlx::query!(
        "DELETE FROM stage_fetch WHERE job_id = $1 AND fence = $2",
        lease.job_id.0,
        lease.fence
    )
    .execute(&mut *tx)
    .await?;
    require_one(owned.rows_affected())?;
    clear_rows(&mut tx, lease).await?;
    tx.commit().await?;
    Ok(())
}

/// Throws away what jobs left behind that ended without [`discard`]: their worker died, or
/// they were given up. Returns how many jobs that were.
pub async fn discard_leftovers(pool: &PgPool) -> Result<u64, Error> {
    let done = sqlx::query_scalar!(
        r#"
        WITH leftover AS (
            DELETE FROM stage_fetch f
            WHERE NOT EXISTS (
                SELECT FROM job j
                WHERE j.id = f.job_id AND j.state IN ('queued', 'running', 'retrying', 'held')
            )
            RETURNING job_id
        ), staff AS (
            DELETE FROM stage_staff s USING leftover l WHERE s.job_id = l.job_id
        ), issue AS (
            DELETE FROM stage_issue s USING leftover l WHERE s.job_id = l.job_id
        ), present AS (
            DELETE FROM stage_present s USING leftover l WHERE s.job_id = l.job_id
        ), match AS (
            DELETE FROM stage_match s USING leftover l WHERE s.job_id = l.job_id
        )
        SELECT count(*) AS "count!" FROM leftover
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(u64::try_from(done).unwrap_or_default())
}

async fn clear_rows(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH staff AS (
            DELETE FROM stage_staff WHERE job_id = $1
        ), issue AS (
            DELETE FROM stage_issue WHERE job_id = $1
        ), present AS (
            DELETE FROM stage_present WHERE job_id = $1
        )
        DELETE FROM stage_match WHERE job_id = $1
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
