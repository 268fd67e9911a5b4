//! Matches that a person has to confirm: a key is the same, and nothing of the person agrees.
//!
//! The rule is [`mis_sync_domain::identity`]. Whoever is in doubt keeps their account as it is, and
//! the record waits (issue `possible_match`). An account that was made by hand, was never linked and
//! that nobody has logged in to is nobody's yet, so it passes from nobody and is in no doubt.

use mis_sync_domain::{
    MatchedBy,
    identity::{Identity, is_doubtful, is_upi_key},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Run;
use crate::Error;

/// What a Wonde id or UPI alone is worth, of the 100 of everything in common.
const SCORE_OF_A_KEY: i32 = 30;

/// A record and somebody in iP who have no more than a key in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) by: MatchedBy,
    pub(super) staff_id: Uuid,
    /// They can log in, so they hold what they are known by.
    is_active: bool,
    has_same_surname: bool,
}

/// Records in doubt, by their Wonde ids.
pub(super) type Doubts = Vec<(String, Doubt)>;

/// UPIs of the list that tell people apart: no placeholder, and neither several records of the list
/// nor several people in iP have it. Only those by which a record may mean somebody who is linked
/// with another one, or with none.
pub(super) async fn usable_upis(
    db: &mut PgConnection,
    run: &Run<'_>,
) -> Result<Vec<String>, Error> {
    let upis = sqlx::query_scalar!(
        r#"
        WITH known AS (
            -- MATERIALIZED: it is hashed, whatever the planner expects of staged rows.
            SELECT upi, min(wonde_id) AS wonde_id, count(*) AS people, count(wonde_id) AS linked
            FROM staff WHERE school_id = $2 AND upi IS NOT NULL GROUP BY upi
        ), listed AS (
            SELECT upi, min(wonde_id) AS wonde_id, count(DISTINCT wonde_id) AS records
            FROM stage_listed WHERE job_id = $1 AND upi IS NOT NULL GROUP BY upi
        )
        SELECT l.upi AS "upi!" FROM listed l JOIN known k ON k.upi = l.upi
        WHERE l.records = 1 AND k.people = 1 AND k.wonde_id IS DISTINCT FROM l.wonde_id
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(upis.into_iter().filter(|upi| is_upi_key(upi)).collect())
}

/// Finds the matches in doubt. Most people are as they were, which the database sees by itself.
pub(super) async fn find(db: &mut PgConnection, run: &Run<'_>) -> Result<Doubts, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT m.wonde_id, m.matched_by AS "matched_by!", s.id, s.active,
            s.first_name, s.surname, s.email, s.initials,
            t.first_name AS said_first_name, t.surname AS said_surname, t.email AS said_email,
            t.initials AS said_initials, lower(s.surname) = lower(t.surname) AS "same_surname!"
        FROM stage_match m
        JOIN stage_staff t
            ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
        JOIN staff s ON s.id = m.staff_id
        WHERE m.job_id = $1
            AND NOT (s.wonde_id IS NULL AND s.mis_values IS NULL AND s.password_reset_required)
            AND (lower(s.first_name) <> lower(t.first_name) OR t.first_name = '')
            AND (m.matched_by = 'work_email'
                OR s.email_key <> lower(t.email)
                    AND (lower(s.surname) <> lower(t.surname) OR t.surname = ''))
        "#,
        run.lease.job_id.0,
    )
    .fetch_all(db)
    .await?;
    let mut doubts = Doubts::new();
    for row in rows {
        let held = Identity {
            first_name: &row.first_name,
            surname: &row.surname,
            email: &row.email,
            initials: row.initials.as_deref(),
        };
        let said = Identity {
            first_name: &row.said_first_name,
            surname: &row.said_surname,
            email: &row.said_email,
            initials: row.said_initials.as_deref(),
        };
        let by: MatchedBy = row.matched_by.parse().map_err(|_| Error::Inconsistent {
            table: "stage_match",
            column: "matched_by",
            id: run.lease.job_id.to_string(),
        })?;
        if is_doubtful(by, &held, &said) {
            let (staff_id, is_active) = (row.id, row.active);
            let doubt = Doubt { by, staff_id, is_active, has_same_surname: row.same_surname };
            doubts.push((row.wonde_id, doubt));
        }
    }
    Ok(doubts)
}

impl Doubt {
    /// What the two have in common, and how much that is.
    fn in_common(&self) -> (&'static str, i32) {
        match (self.by, self.has_same_surname) {
            (MatchedBy::WorkEmail, true) => ("work_email,surname", 65),
            (MatchedBy::WorkEmail, false) => ("work_email", 40),
            (by, _) => (by.as_str(), SCORE_OF_A_KEY),
        }
    }

    /// Whether the record waits for a person. The mailbox of somebody inactive was handed on: they
    /// hold no login, so the record is somebody new.
    fn has_to_wait(&self) -> bool {
        self.is_active || self.by != MatchedBy::WorkEmail
    }
}

/// Leaves the records out that are in doubt and belong to nobody else, and notes whom they may
/// mean; returns how many.
pub(super) async fn leave_out(
    db: &mut PgConnection,
    run: &Run<'_>,
    doubts: &[(String, Doubt)],
    decided: &[String],
) -> Result<u64, Error> {
    let waiting = || {
        doubts.iter().filter(|(wonde_id, doubt)| doubt.has_to_wait() && !decided.contains(wonde_id))
    };
    if waiting().next().is_none() {
        return Ok(0);
    }
    let wonde_ids: Vec<String> = waiting().map(|(wonde_id, _)| wonde_id.clone()).collect();
    let staff_ids: Vec<Uuid> = waiting().map(|(_, doubt)| doubt.staff_id).collect();
    let (reasons, scores): (Vec<&str>, Vec<i32>) =
        waiting().map(|(_, doubt)| doubt.in_common()).unzip();
    let left_out = sqlx::query_scalar!(
        r#"
        WITH doubt AS (
            SELECT d.*, t.first_name, t.surname, t.email, m.issue IS NULL AS is_new
            FROM UNNEST($3::text[], $4::uuid[], $5::text[], $6::int[])
                AS d (wonde_id, staff_id, reasons, score)
            JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = d.wonde_id
                AND (m.staff_id IS NULL OR m.staff_id = d.staff_id)
                -- Who is meant by another record is not meant by this one.
                AND NOT EXISTS (SELECT FROM stage_match o WHERE o.job_id = $1
                    AND o.staff_id = d.staff_id AND o.wonde_id <> d.wonde_id)
            JOIN stage_staff t
                ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
        ), kept AS (
            INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons,
                mis_first_name, mis_surname, mis_email, job_id, in_doubt)
            SELECT $2, wonde_id, staff_id, score, string_to_array(reasons, ','), first_name,
                surname, email, $1, true
            FROM doubt
            ON CONFLICT (school_id, wonde_id, staff_id) DO UPDATE SET score = excluded.score,
                reasons = excluded.reasons, mis_first_name = excluded.mis_first_name,
                mis_surname = excluded.mis_surname, mis_email = excluded.mis_email,
                job_id = excluded.job_id, in_doubt = true
        ), left_out AS (
            UPDATE stage_match m SET issue = 'possible_match'
            FROM (SELECT DISTINCT wonde_id FROM doubt WHERE is_new) d
            WHERE m.job_id = $1 AND m.wonde_id = d.wonde_id
            RETURNING m.wonde_id
        )
        SELECT count(*) AS "count!" FROM left_out
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        &wonde_ids,
        &staff_ids,
        &reasons as &[&str],
        &scores,
    )
    .fetch_one(db)
    .await?;
    Ok(super::count(left_out))
}
