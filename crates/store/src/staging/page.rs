use std::fmt;

use chrono::NaiveDate;
use mis_sync_domain::{
    Issue, Lease, PhotoRecord, Progress, RecordOutcome, StaffRecord, TeachingKind, TeachingRecord,
    employment::Standing,
};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};

use super::{BEGIN, List, records};
use crate::{Error, jobs, transaction};

/// Places of records that are no staff begin here, so that they come after all staff.
pub(super) const PLACES_OF_OTHER_LISTS: i64 = 1 << 40;
/// More than a page of another list than staff can have.
const PLACES_OF_A_PAGE: i64 = 1 << 20;

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

/// A record that is not imported, and why: evidence for whoever asks about that person later.
#[derive(Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Wonde's id of the person.
    pub wonde_id: String,
    /// Wonde's unique person identifier, where it can be read.
    pub upi: Option<String>,
    /// Work email as it came, whether or not it is one.
    pub email: Option<String>,
    /// How the person stands with the school.
    pub standing: Standing,
    /// First day of employment.
    pub starts_on: Option<NaiveDate>,
    /// Last day of employment.
    pub ends_on: Option<NaiveDate>,
    /// Teaching staff; `None`: not said.
    pub teaching: Option<bool>,
    /// Why.
    pub outcome: RecordOutcome,
}

/// Personal data: only the id is printed.
impl fmt::Debug for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeftOut").field("wonde_id", &self.wonde_id).finish_non_exhaustive()
    }
}

/// Something that a delta says to be gone, by Wonde's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// Somebody who was deleted or is no longer current staff.
    Employee(String),
    /// A class that was deleted.
    Class(String),
    /// A subject that is no longer taught.
    Subject(String),
}

/// One page of a list, mapped.
#[derive(Debug, Default)]
pub struct MappedPage {
    /// Current staff that can be imported, with their places on the page.
    pub staff: Vec<(u64, StaffRecord)>,
    /// Problems, with the places of their records on the page.
    pub issues: Vec<(u64, Issue)>,
    /// People who are in the list, and have not left, but are not among `staff`.
    pub present: Vec<(u64, Present)>,
    /// Every record that can be read and is not among `staff`, and why.
    pub left_out: Vec<(u64, LeftOut)>,
    /// Staff records so broken that nobody can say whose they are.
    pub nameless: u64,
    /// Staff records that say something about the employment.
    pub employment_said: u64,
    /// Staff records on the page.
    pub fetched: u64,
    /// Of these, current staff.
    pub current: u64,
    /// Current staff that are not among `staff`.
    pub skipped: u64,
    /// What is gone by the word of the page, or because Wonde knows it no more.
    pub gone: Vec<Gone>,
    /// Classes, or subjects.
    pub teaching: Vec<(TeachingKind, TeachingRecord)>,
    /// Photos, with Wonde's ids of the people.
    pub photos: Vec<(String, PhotoRecord)>,
    /// HTTP requests that the page cost, failed ones included.
    pub requests: u64,
    /// Where the list goes on; `None`: this was its last page.
    pub next_page: Option<Value>,
    /// The list to read after the last page of this one; `None`: there is no other.
    pub next_list: Option<List>,
    /// Access to the list was refused: it is not read, and nothing of it counts.
    pub refused: bool,
}

/// Stages one page and notes the progress of the job.
///
/// The job's row is written last: from then to the end of the transaction the heartbeat would have
/// to wait, and a page that takes longer than a lease would lose its own.
pub async fn add_page(
    pool: &PgPool,
    lease: Lease,
    page: &MappedPage,
    progress: Progress,
) -> Result<(), Error> {
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
    let first_position = advance(&mut tx, lease, page).await?;
    records::insert_staff(&mut tx, lease, first_position, &page.staff).await?;
    records::insert_left_out(&mut tx, lease, first_position, &page.left_out).await?;
    records::insert_teaching(&mut tx, lease, &page.teaching).await?;
    records::insert_photos(&mut tx, lease, &page.photos).await?;
    records::insert_gone(&mut tx, lease, &page.gone).await?;
    jobs::note_progress(&mut *tx, lease, progress).await?;
    Ok(tx.commit().await?)
}

/// Moves the fetch on by a page and keeps its problems, which are few; returns the position of its
/// first record.
async fn advance(db: &mut PgConnection, lease: Lease, page: &MappedPage) -> Result<i64, Error> {
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
        .map(|(_, person)| records::as_array(person.hierarchy.as_deref()))
        .collect();
    sqlx::query_scalar!(
        r#"
        WITH staged AS (
            UPDATE stage_fetch f SET pages = pages + 1, fetched = fetched + $3,
                current = current + $4, skipped = skipped + $5, requests = requests + $6,
                nameless = nameless + $11, employment_said = employment_said + $16,
                next_page = $7, complete = $7::jsonb IS NULL AND $17::text IS NULL,
                list = CASE WHEN $7::jsonb IS NULL THEN coalesce($17, list) ELSE list END,
                lists_read = CASE WHEN $7::jsonb IS NULL AND NOT $18
                    THEN array_append(lists_read, list) ELSE lists_read END,
                updated_at = now()
            WHERE f.job_id = $1 AND f.fence = $2 AND NOT f.complete
            RETURNING CASE WHEN $3::bigint > 0 THEN f.fetched - $3 ELSE $19::bigint + f.pages * $20::bigint END
                AS first
        ), issue AS (
            INSERT INTO stage_issue (job_id, position, code, wonde_id)
            SELECT $1, staged.first + i.place, i.code, i.wonde_id
            FROM staged, UNNEST($8::bigint[], $9::text[], $10::text[])
                AS i (place, code, wonde_id)
        ), present AS (
            INSERT INTO stage_present (job_id, position, wonde_id, upi, hierarchy)
            SELECT $1, staged.first + p.place, p.wonde_id, p.upi, p.hierarchy::text[]
            FROM staged, UNNEST($12::bigint[], $13::text[], $14::text[], $15::text[])
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
        &places,
        &codes as &[&str],
        &wonde_ids as &[Option<&str>],
        count(page.nameless),
        &present_places,
        &present_ids as &[&str],
        &present_upis as &[Option<&str>],
        &present_lists as &[Option<String>],
        count(page.employment_said),
        page.next_list.map(List::as_str),
        page.refused,
        PLACES_OF_OTHER_LISTS,
        PLACES_OF_A_PAGE,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::LeaseLost)
}

pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
