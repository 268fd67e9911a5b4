//! Where a fetch waits, page by page, until it is whole.
//!
//! Each page is one small transaction: its records, and the place where the list goes on. So another worker can take over in the middle, and a run that lost its lease
//! cannot add a page. The tables are unlogged, and these transactions do not wait for the
//! disk: what a crash takes is fetched again.

mod list;
mod missing;
mod page;
mod person;
mod records;

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{IssueCode, Lease, SyncRules};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    Error,
    jobs::{interval, require_one},
    transaction,
};

pub use list::List;
pub use missing::{missing, read_again};
pub(crate) use page::count;
pub use page::{Gone, LeftOut, MappedPage, Present, add_page};
pub(crate) use person::{StagedPerson, clear_person, stage_person};

/// Opens a transaction that does not wait for the disk (see above), in one round trip.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// How far a fetch is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchState {
    /// Which list is being read.
    pub list: List,
    /// Where that list goes on, in the client's own form; `None`: at its start.
    pub next_page: Option<Value>,
    /// Staff records staged so far.
    pub fetched: u64,
    /// The last page of the last list is in.
    pub complete: bool,
    /// Only what changed after this is asked for; `None`: everything.
    pub updated_after: Option<DateTime<Utc>>,
    /// `list` is read for the second time; all other lists have been read to their ends.
    pub reads_again: bool,
}

impl FetchState {
    fn new(updated_after: Option<DateTime<Utc>>) -> Self {
        Self { updated_after, ..Self::default() }
    }
}

/// Begins the fetch of a run, or takes over what an earlier run left.
///
/// With `updated_after` it is a delta, unless the earlier run's fetch was of another kind: then
/// it stays what it was. What was staged more than `max_age` ago is thrown away: people may have
/// come and gone since, and a list read half yesterday and half today is no list.
pub async fn begin(
    pool: &PgPool,
    lease: Lease,
    rules: SyncRules,
    updated_after: Option<DateTime<Utc>>,
    max_age: Duration,
) -> Result<FetchState, Error> {
    if begin_first(pool, lease, rules, updated_after).await? {
        return Ok(FetchState::new(updated_after));
    }
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
    let taken_over = sqlx::query!(
        r#"
        UPDATE stage_fetch SET fence = $2, owns_initials = $3, owns_job_title = $4,
            owns_line_manager = $5, restores = $6, deactivates = $7
        WHERE job_id = $1 AND fence < $2 AND updated_at >= now() - $8::interval
        RETURNING list, next_page, fetched, complete, updated_after,
            coalesce(read_again = list, false) AS "reads_again!"
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
            list: List::named(&row.list).ok_or_else(|| Error::Inconsistent {
                table: "stage_fetch",
                column: "list",
                id: lease.job_id.to_string(),
            })?,
            next_page: row.next_page,
            fetched: u64::try_from(row.fetched).unwrap_or_default(),
            complete: row.complete,
            updated_after: row.updated_after,
            reads_again: row.reads_again,
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
        if !begin_first(&mut *tx, lease, rules, updated_after).await? {
            return Err(Error::LeaseLost);
        }
        clear_rows(&mut tx, lease).await?;
        FetchState::new(updated_after)
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
    updated_after: Option<DateTime<Utc>>,
) -> Result<bool, Error> {
    let begun = sqlx::query!(
        r#"
        INSERT INTO stage_fetch (job_id, fence, owns_initials, owns_job_title,
            owns_line_manager, restores, deactivates, updated_after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (job_id) DO NOTHING
        "#,
        lease.job_id.0,
        lease.fence,
        rules.owned.initials,
        rules.owned.job_title,
        rules.owned.line_manager,
        rules.restores,
        rules.deactivates,
        updated_after,
    )
    .execute(db)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Notes a problem that is about the whole school, once however often it is noted.
pub async fn note(pool: &PgPool, lease: Lease, code: IssueCode) -> Result<(), Error> {
    // Before all records, whose places begin at 0.
    let place = (1..).zip(IssueCode::ALL).find(|(_, known)| *known == code);
    let place: i64 = place.map_or(-1, |(place, _): (i64, _)| -place);
    sqlx::query!(
        r#"
        INSERT INTO stage_issue (job_id, position, code)
        SELECT job_id, $3, $4 FROM stage_fetch WHERE job_id = $1 AND fence = $2
        ON CONFLICT DO NOTHING
        "#,
        lease.job_id.0,
        lease.fence,
        place,
        code.as_str(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Throws away the staff that a fetch staged, to read that list again from its first page.
pub async fn rewind(pool: &PgPool, lease: Lease) -> Result<(), Error> {
    rewind_in(pool, lease).await
}

async fn rewind_in(db: impl PgExecutor<'_>, lease: Lease) -> Result<(), Error> {
    let done = sqlx::query!(
        r#"
        WITH rewound AS (
            UPDATE stage_fetch SET next_page = NULL, fetched = 0, current = 0,
                skipped = 0, nameless = 0, employment_said = 0, updated_at = now()
            WHERE job_id = $1 AND fence = $2 AND list = 'employees'
            RETURNING job_id
        ), staff AS (
            DELETE FROM stage_staff s USING rewound r WHERE s.job_id = r.job_id
        ), present AS (
            DELETE FROM stage_present s USING rewound r WHERE s.job_id = r.job_id
        ), gone AS (
            DELETE FROM stage_gone s USING rewound r
            WHERE s.job_id = r.job_id AND s.kind = 'employee'
        ), left_out AS (
            DELETE FROM stage_left_out s USING rewound r WHERE s.job_id = r.job_id
        ), issue AS (
            -- Those of the whole school stay, and those of other lists.
            DELETE FROM stage_issue s USING rewound r
            WHERE s.job_id = r.job_id AND s.position >= 0 AND s.position < $3
        )
        SELECT count(*) AS "count!" FROM rewound
        "#,
        lease.job_id.0,
        lease.fence,
        page::PLACES_OF_OTHER_LISTS,
    )
    .fetch_one(db)
    .await?;
    require_one(u64::try_from(done.count).unwrap_or_default())
}

/// Throws away what a job staged, once its outcome is in the ledger.
pub async fn discard(pool: &PgPool, lease: Lease) -> Result<(), Error> {
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
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
        ), teaching AS (
            DELETE FROM stage_teaching s USING leftover l WHERE s.job_id = l.job_id
        ), photo AS (
            DELETE FROM stage_photo s USING leftover l WHERE s.job_id = l.job_id
        ), gone AS (
            DELETE FROM stage_gone s USING leftover l WHERE s.job_id = l.job_id
        ), left_out AS (
            DELETE FROM stage_left_out s USING leftover l WHERE s.job_id = l.job_id
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
        ), teaching AS (
            DELETE FROM stage_teaching WHERE job_id = $1
        ), photo AS (
            DELETE FROM stage_photo WHERE job_id = $1
        ), gone AS (
            DELETE FROM stage_gone WHERE job_id = $1
        ), left_out AS (
            DELETE FROM stage_left_out WHERE job_id = $1
        )
        DELETE FROM stage_match WHERE job_id = $1
        "#,
        lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
