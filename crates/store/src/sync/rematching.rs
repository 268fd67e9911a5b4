//! Finding people again whose ids in the MIS are all new.
//!
//! After a change of MIS Wonde gives everybody another id, and nothing ties the new record to the
//! old one. Whoever kept login and surname, and forename or initials, is matched as everybody else is
//! ([`matching`](super::matching)). Others may be the same person, and only a person can say so:
//! such a record is left out, and whoever it may mean is not taken for a leaver meanwhile.

use sqlx::PgConnection;

use super::Run;
use crate::Error;

/// Notes for each record that nobody belongs to whom it may mean, and leaves those records out;
/// returns how many. Only a full list shows that somebody's id is gone.
///
/// Nobody whose record is in the list is gone, not even somebody who is not current any more. In
/// common must be login or surname, and forename or initials: whoever has nothing but the login of
/// somebody who is gone is their successor. Further things in common raise the score: 100 is
/// everything.
pub(super) async fn find_candidates(
    db: &mut PgConnection,
    run: &Run<'_>,
    upis: &[String],
    decided: &[String],
) -> Result<u64, Error> {
    let (job_id, school_id) = (run.lease.job_id.0, run.school_id.as_str());
    if !run.fetched.is_full {
        return Ok(0);
    }
    let found = sqlx::query_scalar!(
        r#"
        WITH gone AS (
            SELECT s.* FROM staff s JOIN stage_fetch f ON f.job_id = $1
            WHERE s.school_id = $2 AND s.active AND s.wonde_id IS NOT NULL AND f.nameless = 0
                AND s.wonde_id NOT IN (SELECT wonde_id FROM stage_listed WHERE job_id = $1)
                -- Whoever is merely not in the list may still be there.
                AND s.wonde_id IN (
                    SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = 'employee')
                AND (s.upi IS NULL OR s.upi NOT IN (
                    SELECT upi FROM stage_present WHERE job_id = $1 AND upi = ANY ($3)))
                AND s.id NOT IN (
                    SELECT staff_id FROM stage_match WHERE job_id = $1 AND staff_id IS NOT NULL)
        ), unknown AS (
            SELECT t.*, lower(t.email) AS email_key
            FROM stage_match m
            JOIN stage_staff t
                ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
            WHERE m.job_id = $1 AND m.staff_id IS NULL AND m.issue IS NULL
                AND m.wonde_id <> ALL ($4)
        ), pair AS (
            SELECT u.wonde_id, g.id AS staff_id, u.first_name, u.surname, u.email,
                u.email_key = g.email_key AS email_same,
                lower(u.surname) = lower(g.surname) AS surname_same,
                lower(u.first_name) = lower(g.first_name) AS first_name_same,
                coalesce(lower(u.initials) = lower(g.initials), false) AS initials_same,
                -- Names of classes survive a change of MIS; their ids do not.
                EXISTS (
                    SELECT FROM class_staff l
                    JOIN class k ON k.id = l.class_id AND k.active
                    JOIN stage_teaching c
                        ON c.job_id = $1 AND c.kind = 'class' AND lower(c.name) = lower(k.name)
                    WHERE l.staff_id = g.id AND u.wonde_id = ANY (c.staff)
                ) AS classes_same
            FROM unknown u
            JOIN gone g ON u.email_key = g.email_key OR lower(u.surname) = lower(g.surname)
        ), kept AS (
            INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons,
                mis_first_name, mis_surname, mis_email, job_id)
            SELECT $2, wonde_id, staff_id,
                40 * email_same::int + 25 * surname_same::int + 20 * first_name_same::int
                    + 5 * initials_same::int + 10 * classes_same::int,
                array_remove(ARRAY[
                    CASE WHEN email_same THEN 'work_email' END,
                    CASE WHEN surname_same THEN 'surname' END,
                    CASE WHEN first_name_same THEN 'first_name' END,
                    CASE WHEN initials_same THEN 'initials' END,
                    CASE WHEN classes_same THEN 'classes' END], NULL),
                first_name, surname, email, $1
            FROM pair WHERE first_name_same OR initials_same
            RETURNING wonde_id
        ), left_out AS (
            UPDATE stage_match m SET issue = 'possible_match'
            FROM (SELECT DISTINCT wonde_id FROM kept) k
            WHERE m.job_id = $1 AND m.wonde_id = k.wonde_id
            RETURNING m.wonde_id
        )
        SELECT count(*) AS "count!" FROM left_out
        "#,
        job_id,
        school_id,
        upis,
        decided,
    )
    .fetch_one(db)
    .await?;
    Ok(super::count(found))
}

/// Forgets whom the records of the last full list may have meant, because this list says it anew; a
/// delta does so of the records that it has.
pub(super) async fn forget_candidates(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        DELETE FROM match_candidate
        WHERE school_id = $2
            AND ($3 OR wonde_id IN (SELECT wonde_id FROM stage_staff WHERE job_id = $1))
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        run.fetched.is_full,
    )
    .execute(db)
    .await?;
    Ok(())
}
