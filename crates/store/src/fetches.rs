//! Pages that a fetch has read, so that another worker can continue in the middle.
//!
//! A run has its pages in memory and never reads them here. Each page is one row. One statement
//! writes it and records the job's progress, under the fence: a run that lost its lease cannot add
//! a page. The table is unlogged, and its transactions do not wait for the disk; what a crash loses
//! is fetched again. The rows are removed in the transaction that ends the job. A held job keeps
//! them for a while.

mod images;
mod missing;

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    IssueCode, JobId, Lease, Progress, StaffRecord,
    absence::Missing,
    plan::{Fetch, List, MappedPage, Next},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use self::images::Images;
pub use self::missing::missing;
use crate::{
    Error,
    jobs::{interval, require_one},
    transaction,
};

/// Opens a transaction that does not wait for the disk (see above), in one round trip.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// A fetch as this module keeps it: the client's cursors are JSON.
pub type KeptFetch = Fetch<Value>;

/// Other data are kept among the pages under names of their own.
const BEGINNING: &str = "beginning";
const NOTES: &str = "notes";
const SECOND_READING: &str = "second_reading";

/// Begins the fetch of a run, or takes over what an earlier run left.
///
/// With `updated_after` it is a delta. If the earlier run's fetch was of another kind, that kind
/// stays. Pages that are older than `max_age` are discarded: people may have come and gone since,
/// and a list that was read half yesterday and half today is not a list.
pub async fn begin(
    pool: &PgPool,
    lease: Lease,
    updated_after: Option<DateTime<Utc>>,
    max_age: Duration,
) -> Result<KeptFetch, Error> {
    if let Some(fetch) = begin_first(pool, lease, updated_after).await? {
        return Ok(fetch);
    }
    if let Some(fetch) = take_over(pool, lease, max_age).await? {
        return Ok(fetch);
    }
    discard(pool, lease).await?;
    begin_first(pool, lease, updated_after).await?.ok_or(Error::LeaseLost)
}

/// The records of staff that an unfinished job has read, as far as they are still kept.
pub async fn staff_of(pool: &PgPool, id: JobId) -> Result<Vec<StaffRecord>, Error> {
    let pages = sqlx::query_scalar!(
        "SELECT records FROM fetched_page WHERE job_id = $1 AND list = $2 ORDER BY page",
        id.0,
        List::Employees.as_str(),
    )
    .fetch_all(pool)
    .await?;
    let staff = |page: String| from_json::<MappedPage>(&page).map(|page| page.staff);
    Ok(pages.into_iter().filter_map(staff).flatten().map(|(_, record)| record).collect())
}

/// Begins the fetch of a job that has none. Returns `None` if it has one, or if the lease is lost.
async fn begin_first(
    pool: &PgPool,
    lease: Lease,
    updated_after: Option<DateTime<Utc>>,
) -> Result<Option<KeptFetch>, Error> {
    let started_at = sqlx::query_scalar!(
        r#"
        INSERT INTO fetched_page (job_id, list, page, fence, records, kept_at)
        SELECT id, $3, 0, fence, $4, now() FROM job
        WHERE id = $1 AND fence = $2 AND state = 'running'
            AND NOT EXISTS (SELECT FROM fetched_page WHERE job_id = $1)
        ON CONFLICT DO NOTHING
        RETURNING kept_at
        "#,
        lease.job_id.0,
        lease.fence,
        BEGINNING,
        to_json(&updated_after),
    )
    .fetch_optional(pool)
    .await?;
    Ok(started_at.map(|started_at| Fetch::new(started_at, updated_after)))
}

/// Reads what an earlier run kept. Returns `None` if it is too old, or from a release that this one
/// does not understand; [`Error::LeaseLost`] if the job belongs to another run.
async fn take_over(
    pool: &PgPool,
    lease: Lease,
    max_age: Duration,
) -> Result<Option<KeptFetch>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT p.list AS "list?", p.page AS "page?", p.records AS "records?", p.next,
            p.kept_at AS "kept_at?", max(p.kept_at) OVER () >= now() - $3::interval AS is_young
        FROM job j LEFT JOIN fetched_page p ON p.job_id = j.id
        WHERE j.id = $1 AND j.fence = $2 AND j.state = 'running'
        ORDER BY p.list, p.page
        "#,
        lease.job_id.0,
        lease.fence,
        interval(max_age),
    )
    .fetch_all(pool)
    .await?;
    if rows.is_empty() {
        return Err(Error::LeaseLost);
    }
    if rows.iter().any(|row| row.is_young != Some(true)) {
        return Ok(None);
    }
    let kept = rows.into_iter().filter_map(|row| {
        Some(Kept {
            list: row.list?,
            page: row.page?,
            records: row.records?,
            next: row.next,
            at: row.kept_at?,
        })
    });
    Ok(put_together(&kept.collect::<Vec<_>>()))
}

/// A row.
struct Kept {
    list: String,
    page: i32,
    records: String,
    next: Option<String>,
    at: DateTime<Utc>,
}

fn put_together(rows: &[Kept]) -> Option<KeptFetch> {
    let beginning = rows.iter().find(|row| row.list == BEGINNING)?;
    let mut fetch = Fetch::new(beginning.at, from_json(&beginning.records)?);
    if let Some(row) = rows.iter().find(|row| row.list == SECOND_READING) {
        let SecondReading { list, missed } = from_json(&row.records)?;
        fetch.read_again(list, missed);
    }
    for row in rows {
        match row.list.as_str() {
            BEGINNING | SECOND_READING => {}
            NOTES => drop(fetch.note(from_json(&row.records)?)),
            list => {
                let list: List = list.parse().ok()?;
                // Pages are kept in order, so a missing one is the end of what there is.
                if usize::try_from(row.page).ok()? == fetch.pages_of(list) {
                    fetch.add(list, from_json(&row.records)?, from_json(row.next.as_deref()?)?);
                }
            }
        }
    }
    Some(fetch)
}

#[derive(Serialize, Deserialize)]
struct SecondReading {
    list: List,
    missed: Vec<String>,
}

/// Keeps the next page of a list and records the progress of the job.
pub async fn keep(
    pool: &PgPool,
    lease: Lease,
    fetch: &mut KeptFetch,
    list: List,
    mut page: MappedPage,
    next: Next<Value>,
    progress: Progress,
) -> Result<(), Error> {
    let images = Images::take_from(pool, &mut page).await?;
    page.requests += fetch.take_forgotten_requests();
    let number = i32::try_from(fetch.pages_of(list)).unwrap_or(i32::MAX);
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
    let done = sqlx::query!(
        r#"
        WITH noted AS (
            UPDATE job SET stage = $8, progress_done = $9, progress_total = $10
            WHERE id = $1 AND fence = $2 AND state = 'running'
            RETURNING id, fence
        ), comparing AS (
            UPDATE job_attempt a SET comparing_at = clock_timestamp() FROM noted
            WHERE a.job_id = noted.id AND a.fence = noted.fence AND $8 = 'comparing'
        ), kept AS (
            INSERT INTO fetched_page (job_id, list, page, fence, records, next, image_hashes,
                image_types, images)
            SELECT id, $3, $4, fence, $5, $6, $7, $11, $12 FROM noted
        )
        SELECT count(*) AS "count!" FROM noted
        "#,
        lease.job_id.0,
        lease.fence,
        list.as_str(),
        number,
        to_json(&page),
        to_json(&next),
        &images.hashes,
        progress.stage.as_str(),
        i64::try_from(progress.done).unwrap_or(i64::MAX),
        progress.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX)),
        &images.types as &[&str],
        &images.contents,
    )
    .fetch_one(&mut *tx)
    .await?;
    require_one(done.count.unsigned_abs())?;
    tx.commit().await?;
    fetch.add(list, page, next);
    Ok(())
}

/// Records an issue about the whole school, once.
pub async fn note(
    pool: &PgPool,
    lease: Lease,
    fetch: &mut KeptFetch,
    code: IssueCode,
) -> Result<(), Error> {
    if !fetch.note(code) {
        return Ok(());
    }
    let number = IssueCode::ALL.iter().position(|known| *known == code).unwrap_or_default();
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    keep_beside(pool, lease, NOTES, number, &to_json(&code)).await
}

/// Discards what was read of a list, to read it again from its first page.
pub async fn rewind(
    pool: &PgPool,
    lease: Lease,
    fetch: &mut KeptFetch,
    list: List,
) -> Result<(), Error> {
    fetch.rewind(list);
    forget(pool, lease, Some(list)).await
}

/// Begins the second reading of a list, and keeps what the first one did not show. The pages of the
/// first are discarded.
pub async fn read_again(
    pool: &PgPool,
    lease: Lease,
    fetch: &mut KeptFetch,
    list: List,
    missing: &[Missing],
) -> Result<(), Error> {
    let missed: Vec<String> = missing.iter().map(|missing| missing.wonde_id.clone()).collect();
    forget(pool, lease, Some(list)).await?;
    let second = to_json(&SecondReading { list, missed: missed.clone() });
    keep_beside(pool, lease, SECOND_READING, 0, &second).await?;
    fetch.read_again(list, missed);
    Ok(())
}

async fn keep_beside(
    pool: &PgPool,
    lease: Lease,
    name: &str,
    number: i32,
    records: &str,
) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        INSERT INTO fetched_page (job_id, list, page, fence, records)
        SELECT id, $3, $4, fence, $5 FROM job
        WHERE id = $1 AND fence = $2 AND state = 'running'
        ON CONFLICT (job_id, list, page) DO UPDATE SET records = excluded.records
        "#,
        lease.job_id.0,
        lease.fence,
        name,
        number,
        records,
    )
    .execute(pool)
    .await?;
    require_one(done.rows_affected())
}

/// Discards everything that a job kept, to begin its fetch again.
pub async fn discard(pool: &PgPool, lease: Lease) -> Result<(), Error> {
    forget(pool, lease, None).await
}

/// Discards the pages of one list, or of all.
async fn forget(pool: &PgPool, lease: Lease, list: Option<List>) -> Result<(), Error> {
    let owned = sqlx::query_scalar!(
        r#"
        WITH owned AS (
            SELECT id FROM job WHERE id = $1 AND fence = $2 AND state = 'running'
        ), forgotten AS (
            DELETE FROM fetched_page p USING owned
            WHERE p.job_id = owned.id AND ($3::text IS NULL OR p.list = $3)
        )
        SELECT count(*) AS "count!" FROM owned
        "#,
        lease.job_id.0,
        lease.fence,
        list.map(List::as_str),
    )
    .fetch_one(pool)
    .await?;
    require_one(owned.unsigned_abs())
}

/// Discards what a job kept, in the transaction that ends it.
pub(crate) async fn forget_with_job(db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
    sqlx::query!("DELETE FROM fetched_page WHERE job_id = $1", lease.job_id.0).execute(db).await?;
    Ok(())
}

/// Discards what jobs left behind that ended in another way: their worker died, or they failed.
/// Returns the number of jobs.
pub async fn discard_leftovers(pool: &PgPool) -> Result<u64, Error> {
    let jobs = sqlx::query_scalar!(
        r#"
        WITH leftover AS (
            DELETE FROM fetched_page p
            WHERE NOT EXISTS (
                SELECT FROM job j
                WHERE j.id = p.job_id AND j.state IN ('queued', 'running', 'retrying', 'held')
            )
            RETURNING job_id
        )
        SELECT count(DISTINCT job_id) AS "count!" FROM leftover
        "#
    )
    .fetch_one(pool)
    .await?;
    Ok(jobs.unsigned_abs())
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it is plain JSON")
}

fn from_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
