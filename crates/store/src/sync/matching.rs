//! Whom does each staged record mean in iP, and is there doubt?

use mis_sync_domain::{GuardCategory, Lease, SchoolId};
use sqlx::PgConnection;

use super::Run;
use crate::Error;

/// How the staged records were matched.
pub(super) struct Matched {
    /// Records, each person once.
    pub(super) records: u64,
    /// Of these, records that share a work email in this very list.
    pub(super) shared: u64,
    /// Of the rest, records that ask for a login which their person does not hold yet.
    pub(super) asking: u64,
    /// Of the rest, records that nobody in iP belongs to.
    pub(super) unmatched: u64,
    /// Of all, records that somebody in iP belongs to.
    pub(super) linked: u64,
}

impl Matched {
    /// One record, whose person is known and which asks for another login.
    pub(super) fn one() -> Self {
        Self { records: 1, shared: 0, asking: 1, unmatched: 0, linked: 1 }
    }
}

/// Matches by Wonde id, then by what a person decided, then by UPI, then by work email with an
/// account that is not linked yet or whose id is gone. A person is matched once at the most; what
/// stays unmatched is to be created.
///
/// Records that ask for a login and share it with another record of the list are marked at
/// once; see [`quarantine`].
#[expect(clippy::too_many_lines, reason = "it is one statement, step by step")]
pub(super) async fn match_staff(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<Matched, Error> {
    let row = sqlx::query!(
        r#"
        WITH latest AS (
            -- Of two deliveries of one record the later wins.
            SELECT DISTINCT ON (wonde_id) wonde_id, position, upi, lower(email) AS email_key,
                lower(surname) AS surname
            FROM stage_staff WHERE job_id = $1
            ORDER BY wonde_id, position DESC
        ), decided AS (
            -- A person said whom the record means. One who is on the list under another id is
            -- meant by that one.
            SELECT d.wonde_id, s.id AS staff_id
            FROM match_decision d
            JOIN staff s ON s.id = d.staff_id AND s.school_id = $2
            WHERE d.school_id = $2
                AND (s.wonde_id IS NULL OR s.wonde_id NOT IN (
                    SELECT wonde_id FROM stage_staff WHERE job_id = $1))
        ), by_wonde_id AS (
            SELECT l.*, s.id AS staff_id, s.email_key AS held_key,
                known.id IS NOT NULL AS is_known
            FROM latest l
            LEFT JOIN staff known ON known.school_id = $2 AND known.wonde_id = l.wonde_id
            LEFT JOIN decided d ON d.wonde_id = l.wonde_id
            LEFT JOIN staff s ON s.id = coalesce(known.id, d.staff_id)
        ), upi_candidate AS (
            -- A re-added person: new Wonde id, same UPI, and the old id is not in the list.
            -- Only where one record and one person meet.
            SELECT l.wonde_id, s.id AS staff_id, s.email_key AS held_key,
                count(*) OVER (PARTITION BY l.wonde_id) AS people,
                count(*) OVER (PARTITION BY s.id) AS records
            FROM by_wonde_id l
            JOIN staff s ON s.school_id = $2 AND s.upi = l.upi
            WHERE l.staff_id IS NULL
                AND (s.wonde_id IS NULL OR s.wonde_id NOT IN (
                    SELECT wonde_id FROM stage_staff WHERE job_id = $1))
        ), by_upi AS (
            SELECT l.wonde_id, l.position, l.email_key, l.surname,
                coalesce(l.staff_id, u.staff_id) AS staff_id,
                coalesce(l.held_key, u.held_key) AS held_key,
                CASE WHEN l.is_known THEN 'wonde_id'
                    WHEN l.staff_id IS NOT NULL THEN 'decision'
                    WHEN u.staff_id IS NOT NULL THEN 'upi' END AS matched_by
            FROM by_wonde_id l
            LEFT JOIN upi_candidate u
                ON u.wonde_id = l.wonde_id AND u.people = 1 AND u.records = 1
        ), email_candidate AS (
            -- An account made by hand before the school was connected. Or one whose id is gone
            -- from a full list, as all are after a change of MIS: there the surname has to be
            -- the same too, because an address may have been given to a successor.
            SELECT l.wonde_id, s.id AS staff_id, s.email_key AS held_key,
                count(*) OVER (PARTITION BY s.id) AS records
            FROM by_upi l
            JOIN staff s ON s.email_key = l.email_key AND s.school_id = $2
                AND (s.wonde_id IS NULL OR lower(s.surname) = l.surname
                    AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_staff WHERE job_id = $1)
                    AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_present WHERE job_id = $1)
                    AND (s.upi IS NULL OR s.upi NOT IN (
                        SELECT upi FROM stage_present WHERE job_id = $1 AND upi IS NOT NULL))
                    AND EXISTS (SELECT FROM stage_fetch f
                        WHERE f.job_id = $1 AND f.updated_after IS NULL AND f.nameless = 0))
            WHERE l.staff_id IS NULL
                AND NOT EXISTS (SELECT FROM upi_candidate u
                    WHERE u.staff_id = s.id AND u.people = 1 AND u.records = 1)
        ), matched AS (
            SELECT l.wonde_id, l.position, coalesce(l.staff_id, e.staff_id) AS staff_id,
                l.email_key, coalesce(l.held_key, e.held_key) AS held_key,
                coalesce(l.matched_by, CASE WHEN e.staff_id IS NOT NULL THEN 'work_email' END)
                    AS matched_by,
                count(*) OVER (PARTITION BY l.email_key) AS sharing
            FROM by_upi l
            LEFT JOIN email_candidate e ON e.wonde_id = l.wonde_id AND e.records = 1
        ), kept AS (
            INSERT INTO stage_match
                (job_id, wonde_id, position, staff_id, matched_by, email_key, held_key, issue)
            SELECT $1, wonde_id, position, staff_id, matched_by, email_key, held_key,
                CASE WHEN sharing > 1 AND held_key IS DISTINCT FROM email_key
                    THEN 'shared_work_email' END
            FROM matched
            RETURNING staff_id, issue, held_key IS DISTINCT FROM email_key AS asks
        )
        SELECT count(*) AS "records!", count(issue) AS "shared!",
            count(*) FILTER (WHERE issue IS NULL AND asks) AS "asking!",
            count(*) FILTER (WHERE issue IS NULL AND staff_id IS NULL) AS "unmatched!",
            count(staff_id) AS "linked!"
        FROM kept
        "#,
        lease.job_id.0,
        school_id.as_str(),
    )
    .fetch_one(db)
    .await?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(Matched {
        records: count(row.records),
        shared: count(row.shared),
        asking: count(row.asking),
        unmatched: count(row.unmatched),
        linked: count(row.linked),
    })
}

/// Leaves out the records of known people under a new id, where new ids were not approved; returns
/// how many. They still mean those people, so nobody is created for them, and nobody is taken for a
/// leaver.
pub(super) async fn leave_out_new_ids(db: &mut PgConnection, run: &Run<'_>) -> Result<u64, Error> {
    if !run.fetched.leaves_out(GuardCategory::NewIds) {
        return Ok(0);
    }
    let done = sqlx::query!(
        r#"
        UPDATE stage_match m SET issue = 'new_id_not_approved'
        FROM staff s
        WHERE m.job_id = $1 AND m.issue IS NULL AND s.id = m.staff_id
            AND s.wonde_id IS NOT NULL AND s.wonde_id <> m.wonde_id
        "#,
        run.lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Leaves out records that ask for a login which is in doubt; returns how many.
///
/// A record asks for a login when its person does not hold it yet. That is in doubt when
/// another record of this list has the same work email, or when somebody else in iP holds
/// the login and does not give it up in this very sync. Leaving a record out keeps its
/// person's login where it is, which can put another record in doubt: so until nothing moves.
pub(super) async fn quarantine(
    db: &mut PgConnection,
    run: &Run<'_>,
    matched: &Matched,
) -> Result<u64, Error> {
    let mut total = matched.shared;
    if matched.asking == 0 {
        return Ok(total);
    }
    loop {
        let found = held_by_somebody_else(db, run).await?;
        total += found;
        if found == 0 {
            return Ok(total);
        }
    }
}

/// Where new logins were not approved, known people ask for none and give none up.
async fn held_by_somebody_else(db: &mut PgConnection, run: &Run<'_>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE stage_match m SET issue = 'work_email_in_use'
        FROM staff holder
        WHERE m.job_id = $1 AND m.issue IS NULL
            AND m.held_key IS DISTINCT FROM m.email_key
            AND NOT ($2 AND m.staff_id IS NOT NULL)
            AND holder.email_key = m.email_key
            AND holder.id IS DISTINCT FROM m.staff_id
            AND NOT EXISTS (
                SELECT FROM stage_match moving
                WHERE NOT $2 AND moving.job_id = $1 AND moving.staff_id = holder.id
                    AND moving.issue IS NULL AND moving.email_key <> holder.email_key
            )
        "#,
        run.lease.job_id.0,
        run.fetched.leaves_out(GuardCategory::EmailsChanged),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
