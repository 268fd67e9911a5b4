//! Whom does each staged record mean in iP, and is there doubt?

use mis_sync_domain::{GuardCategory, MatchedBy};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Run,
    decisions::Decisions,
    doubts::{self, Doubts},
    twins::Aliases,
};
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

/// What the matching goes by besides the records and the people.
pub(super) struct Given {
    /// UPIs that tell people apart.
    pub(super) upis: Vec<String>,
    /// What people decided.
    pub(super) decisions: Decisions,
    /// Records that are not by themselves.
    pub(super) aliases: Aliases,
}

/// Matches every record; returns how, and which matches are in doubt. A match by UPI or work email
/// that is in doubt is none, so the record may mean somebody else, or be new.
pub(super) async fn match_staff(
    db: &mut PgConnection,
    run: &Run<'_>,
    given: &Given,
) -> Result<(Matched, Doubts), Error> {
    let mut refuted = Doubts::new();
    loop {
        let matched = match_without(db, run, given, &refuted).await?;
        let found = doubts::find(db, run).await?;
        let (by_id, by_more): (Doubts, Doubts) =
            found.into_iter().partition(|(_, doubt)| doubt.by == MatchedBy::WondeId);
        if by_more.is_empty() {
            refuted.extend(by_id);
            return Ok((matched, refuted));
        }
        refuted.extend(by_more);
        sqlx::query!("DELETE FROM stage_match WHERE job_id = $1", run.lease.job_id.0)
            .execute(&mut *db)
            .await?;
    }
}

/// Matches by what a person decided, then by Wonde id, then by UPI, then by work email with an
/// account that is not linked yet or whose id is gone. Nobody whose own record is in the list is
/// gone, imported or not. A person is matched once at the most; what stays unmatched is to be
/// created.
///
/// Records that ask for a login and share it with another record of the list are marked at
/// once; see [`quarantine`].
#[expect(clippy::too_many_lines, reason = "it is one statement, step by step")]
async fn match_without(
    db: &mut PgConnection,
    run: &Run<'_>,
    given: &Given,
    refuted: &Doubts,
) -> Result<Matched, Error> {
    let (refuted_ids, refuted_people): (Vec<String>, Vec<Uuid>) =
        refuted.iter().map(|(wonde_id, doubt)| (wonde_id.clone(), doubt.staff_id)).unzip();
    let successors = &given.aliases.successors;
    let row = sqlx::query!(
        r#"
        WITH latest AS (
            -- Of two deliveries of one record the later wins.
            SELECT DISTINCT ON (wonde_id) wonde_id, position, upi, lower(email) AS email_key,
                lower(surname) AS surname
            FROM stage_staff WHERE job_id = $1 AND wonde_id <> ALL ($4)
            ORDER BY wonde_id, position DESC
        ), decided AS (
            -- A person said whom the record means. One who is on the list under another id is
            -- meant by that one.
            SELECT d.wonde_id, d.staff_id
            FROM UNNEST($5::text[], $6::uuid[]) AS d (wonde_id, staff_id)
            LEFT JOIN staff s ON s.id = d.staff_id AND s.school_id = $2
            WHERE d.staff_id IS NULL
                OR s.id IS NOT NULL AND (s.wonde_id IS NULL OR s.wonde_id = d.wonde_id
                    OR s.wonde_id NOT IN (SELECT wonde_id FROM stage_staff WHERE job_id = $1))
        ), refuted AS (
            SELECT * FROM UNNEST($9::text[], $10::uuid[]) AS r (wonde_id, staff_id)
        ), by_wonde_id AS (
            SELECT l.*, d.wonde_id IS NOT NULL AS is_decided,
                CASE WHEN d.wonde_id IS NOT NULL THEN d.staff_id
                    ELSE coalesce(known.id, a.staff_id) END AS staff_id
            FROM latest l
            LEFT JOIN staff known ON known.school_id = $2 AND known.wonde_id = l.wonde_id
            LEFT JOIN decided d ON d.wonde_id = l.wonde_id
            LEFT JOIN UNNEST($7::text[], $8::uuid[]) AS a (wonde_id, staff_id)
                ON a.wonde_id = l.wonde_id
        ), upi_candidate AS (
            -- A re-added person: new Wonde id, same UPI, and the old id is not in the list. The
            -- UPI is nobody else's.
            SELECT l.wonde_id, s.id AS staff_id
            FROM by_wonde_id l
            JOIN staff s ON s.school_id = $2 AND s.upi = l.upi
            WHERE l.staff_id IS NULL AND NOT l.is_decided AND l.upi = ANY ($3)
                AND (s.wonde_id IS NULL OR s.wonde_id NOT IN (
                    SELECT wonde_id FROM stage_listed WHERE job_id = $1))
                AND s.id NOT IN (SELECT staff_id FROM by_wonde_id WHERE staff_id IS NOT NULL)
                AND (l.wonde_id, s.id) NOT IN (SELECT wonde_id, staff_id FROM refuted)
        ), by_upi AS (
            SELECT l.wonde_id, l.position, l.email_key, l.surname, l.is_decided,
                coalesce(l.staff_id, u.staff_id) AS staff_id,
                CASE WHEN l.staff_id IS NOT NULL AND l.is_decided THEN 'decision'
                    WHEN l.staff_id IS NOT NULL THEN 'wonde_id'
                    WHEN u.staff_id IS NOT NULL THEN 'upi' END AS matched_by
            FROM by_wonde_id l
            LEFT JOIN upi_candidate u ON u.wonde_id = l.wonde_id
        ), email_pair AS (
            -- An account made by hand before the school was connected. Or one whose id is gone,
            -- as all are after a change of MIS: there the surname has to be the same too, because
            -- an address may have been given to a successor. Only a full fetch shows that, and
            -- who holds a login is not gone for merely missing from its list. Of several accounts
            -- with the address that one which holds it, else the last.
            SELECT DISTINCT ON (l.wonde_id) l.wonde_id, s.id AS staff_id
            FROM by_upi l
            JOIN staff s ON s.email_key = l.email_key AND s.school_id = $2
                AND (s.wonde_id IS NULL OR lower(s.surname) = l.surname
                    AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_listed WHERE job_id = $1)
                    AND (NOT s.active OR s.wonde_id IN (
                        SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = 'employee'))
                    AND (s.upi IS NULL OR s.upi NOT IN (
                        SELECT upi FROM stage_present WHERE job_id = $1 AND upi = ANY ($3)))
                    AND EXISTS (SELECT FROM stage_fetch f
                        WHERE f.job_id = $1 AND f.updated_after IS NULL AND f.nameless = 0))
            WHERE l.staff_id IS NULL AND NOT l.is_decided
                AND s.id NOT IN (SELECT staff_id FROM by_upi WHERE staff_id IS NOT NULL)
                AND (l.wonde_id, s.id) NOT IN (SELECT wonde_id, staff_id FROM refuted)
            ORDER BY l.wonde_id, s.active DESC, s.updated_at DESC, s.id
        ), email_candidate AS (
            SELECT *, count(*) OVER (PARTITION BY staff_id) AS records FROM email_pair
        ), whose AS (
            SELECT l.wonde_id, l.position, l.email_key, coalesce(l.staff_id, e.staff_id) AS staff_id,
                coalesce(l.matched_by, CASE WHEN e.staff_id IS NOT NULL THEN 'work_email' END)
                    AS matched_by
            FROM by_upi l
            LEFT JOIN email_candidate e ON e.wonde_id = l.wonde_id AND e.records = 1
        ), asked AS (
            -- Where new logins were not approved, known people ask for what they have.
            SELECT w.*, s.active, s.email_key AS has, f.restores,
                CASE WHEN s.id IS NOT NULL AND f.keeps_emails THEN s.email_key
                    ELSE w.email_key END AS asks_for
            FROM whose w
            JOIN stage_fetch f ON f.job_id = $1
            LEFT JOIN staff s ON s.id = w.staff_id
        ), matched AS (
            SELECT *,
                -- Only who is active holds a login, and only who will be asks for one.
                CASE WHEN active THEN has WHEN staff_id IS NOT NULL AND NOT restores THEN asks_for
                    END AS held_key,
                count(*) OVER (PARTITION BY email_key) AS sharing
            FROM asked
        ), competing AS (
            SELECT *, count(*) FILTER (WHERE held_key IS DISTINCT FROM asks_for)
                OVER (PARTITION BY asks_for) AS askers
            FROM matched
        ), kept AS (
            INSERT INTO stage_match
                (job_id, wonde_id, position, staff_id, matched_by, email_key, held_key, issue)
            SELECT $1, wonde_id, position, staff_id, matched_by, asks_for, held_key,
                CASE WHEN (sharing > 1 OR askers > 1) AND held_key IS DISTINCT FROM asks_for
                    THEN 'shared_work_email' END
            FROM competing
            RETURNING staff_id, issue, held_key IS DISTINCT FROM email_key AS asks
        )
        SELECT count(*) AS "records!", count(issue) AS "shared!",
            count(*) FILTER (WHERE issue IS NULL AND asks) AS "asking!",
            count(*) FILTER (WHERE issue IS NULL AND staff_id IS NULL) AS "unmatched!",
            count(staff_id) AS "linked!"
        FROM kept
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        &given.upis,
        &given.aliases.wonde_ids(),
        &given.decisions.wonde_ids,
        &given.decisions.staff_ids as &[Option<Uuid>],
        &successors.wonde_ids,
        &successors.staff_ids,
        &refuted_ids,
        &refuted_people,
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
/// the login and does not give it up in this very sync, by getting another or by leaving. Leaving a
/// record out keeps its person's login where it is, which can put another record in doubt: so until
/// nothing moves.
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

async fn held_by_somebody_else(db: &mut PgConnection, run: &Run<'_>) -> Result<u64, Error> {
    let done = sqlx::query!(
        r#"
        UPDATE stage_match m SET issue = 'work_email_in_use'
        FROM staff holder
        WHERE m.job_id = $1 AND m.issue IS NULL
            AND m.held_key IS DISTINCT FROM m.email_key
            AND holder.login = m.email_key
            AND holder.id IS DISTINCT FROM m.staff_id
            AND NOT EXISTS (
                SELECT FROM stage_match moving
                WHERE moving.job_id = $1 AND moving.staff_id = holder.id
                    AND moving.issue IS NULL AND moving.email_key <> holder.login
            )
            AND NOT EXISTS (
                SELECT FROM job_change leaving
                WHERE leaving.job_id = $1 AND leaving.staff_id = holder.id
                    AND leaving.field = 'active' AND leaving.new_value = 'false'
            )
        "#,
        run.lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
