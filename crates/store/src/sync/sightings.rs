//! What the run saw of everybody in the MIS: evidence for `explain`. No sync decides by it.

use sqlx::PgConnection;

use super::Run;
use crate::Error;

/// Keeps what this run saw, dry or not. Rows that stay the same are not written, so in a school
/// where nothing changed this costs a comparison and one row.
pub(super) async fn record(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    record_people(db, run).await?;
    record_reading(db, run).await?;
    forget_gone(db, run).await
}

/// Everybody in the list, those whom the mapping left out included; and who is not in it any
/// more, or is deleted by the word of a delta. As with leavers, an empty list proves nobody's
/// absence, nor does one with a record that could be anybody's; and whoever is active in iP is gone
/// only where that was looked into.
async fn record_people(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH seen AS (
            SELECT m.wonde_id, t.upi, lower(t.email) AS email_key, 'current' AS standing,
                NULL::date AS starts_on, NULL::date AS ends_on, NOT t.non_teaching AS teaching,
                coalesce(m.issue, 'imported') AS outcome,
                coalesce(m.staff_id, (
                    -- Whom this run created.
                    SELECT s.id FROM staff s
                    WHERE s.school_id = $2 AND s.wonde_id = coalesce(m.leads_to, m.wonde_id)))
                    AS staff_id,
                coalesce(m.matched_by, CASE WHEN m.leads_to IS NULL THEN 'new' ELSE 'wonde_id' END)
                    AS matched_by
            FROM stage_match m
            JOIN stage_staff t
                ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
            WHERE m.job_id = $1
            UNION ALL
            SELECT wonde_id, upi, lower(email), standing, starts_on, ends_on, teaching, outcome,
                NULL, NULL
            FROM (
                SELECT DISTINCT ON (wonde_id) * FROM stage_left_out WHERE job_id = $1
                ORDER BY wonde_id, position DESC
            ) latest
            WHERE wonde_id NOT IN (SELECT wonde_id FROM stage_match WHERE job_id = $1)
        ), compared AS (
            -- A full join is hashed, whatever the planner expects of staged rows.
            SELECT n.wonde_id, n.upi, n.email_key, n.standing, n.starts_on, n.ends_on, n.teaching,
                n.outcome, coalesce(n.staff_id, p.staff_id) AS staff_id,
                CASE WHEN n.staff_id IS NULL THEN p.matched_by
                    -- How the two were brought together outlasts that they know each other.
                    WHEN n.staff_id = p.staff_id AND n.matched_by = 'wonde_id'
                        THEN coalesce(p.matched_by, n.matched_by)
                    ELSE n.matched_by END AS matched_by,
                p AS held
            FROM seen n
            FULL JOIN (SELECT * FROM mis_person WHERE school_id = $2) p
                ON p.wonde_id = n.wonde_id
        ), different AS MATERIALIZED (
            SELECT * FROM compared
            WHERE wonde_id IS NULL AND (held).outcome <> 'gone'
                OR wonde_id IS NOT NULL
                    AND ((held).upi, (held).email_key, (held).standing, (held).starts_on,
                            (held).ends_on, (held).teaching, (held).outcome, (held).staff_id,
                            (held).matched_by)
                        IS DISTINCT FROM
                        (upi, email_key, standing, starts_on, ends_on, teaching, outcome,
                            staff_id, matched_by)
        ), gone AS (
            UPDATE mis_person p SET outcome = 'gone', job_id = $1, seen_at = now()
            FROM different d, stage_fetch f
            WHERE d.wonde_id IS NULL AND f.job_id = $1
                AND p.school_id = $2 AND p.wonde_id = (d.held).wonde_id
                AND CASE WHEN f.updated_after IS NULL
                    THEN f.fetched > 0 AND f.nameless = 0 AND (
                        p.wonde_id NOT IN (
                            SELECT wonde_id FROM staff
                            WHERE school_id = $2 AND active AND wonde_id IS NOT NULL)
                        OR p.wonde_id IN (
                            SELECT wonde_id FROM stage_gone
                            WHERE job_id = $1 AND kind = 'employee'))
                    ELSE p.wonde_id IN (
                        SELECT wonde_id FROM stage_gone
                        WHERE job_id = $1 AND kind = 'employee') END
        )
        INSERT INTO mis_person AS p (school_id, wonde_id, upi, email_key, standing, starts_on,
            ends_on, teaching, outcome, staff_id, matched_by, job_id)
        SELECT $2, wonde_id, upi, email_key, standing, starts_on, ends_on, teaching, outcome,
            staff_id, matched_by, $1
        FROM different WHERE wonde_id IS NOT NULL
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET upi = excluded.upi,
            email_key = excluded.email_key, standing = excluded.standing,
            starts_on = excluded.starts_on, ends_on = excluded.ends_on,
            teaching = excluded.teaching, outcome = excluded.outcome,
            staff_id = excluded.staff_id, matched_by = excluded.matched_by,
            job_id = excluded.job_id, seen_at = now()
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who has been gone for a year is forgotten: nobody asks any more, and it is personal data.
async fn forget_gone(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        DELETE FROM mis_person
        WHERE school_id = $1 AND outcome = 'gone' AND seen_at < now() - interval '1 year'
        "#,
        run.school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// That the school was read, and what it withholds. A delta sees little of that, so what the
/// last full run found stays.
async fn record_reading(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO mis_reading AS r
            (school_id, job_id, mode, dry_run, read_at, full_job_id, issues)
        SELECT $2, f.job_id, CASE WHEN f.updated_after IS NULL THEN 'full' ELSE 'delta' END, $3,
            now(),
            CASE WHEN f.updated_after IS NULL THEN f.job_id END,
            ARRAY(SELECT DISTINCT code FROM job_issue WHERE job_id = $1 AND wonde_id IS NULL)
        FROM stage_fetch f WHERE f.job_id = $1
        ON CONFLICT (school_id) DO UPDATE SET job_id = excluded.job_id, mode = excluded.mode,
            dry_run = excluded.dry_run, read_at = excluded.read_at,
            full_job_id = coalesce(excluded.full_job_id, r.full_job_id),
            issues = CASE WHEN excluded.mode = 'full' THEN excluded.issues
                ELSE ARRAY(SELECT DISTINCT unnest(r.issues || excluded.issues)) END
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        run.dry_run,
    )
    .execute(db)
    .await?;
    Ok(())
}
