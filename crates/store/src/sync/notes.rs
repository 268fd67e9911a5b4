//! What is stored beside people and classes: possible matches, further records, decisions,
//! evidence, when everyone was read, and the state of the school.

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    IssueCode, MatchedBy, SchoolId, StaffId,
    line_manager::HierarchyLists,
    plan::{Evidence, Fetched, MatchReason, NewIds},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Write, people::staff_id};
use crate::{Error, schools::note_withheld};

/// Reasons as one text, which the database splits: an array of arrays would not be a column.
fn joined(reasons: &[MatchReason]) -> String {
    reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(",")
}

/// Records on the school that it was synced. This also says when a full sync read its people.
pub(super) async fn school_was_synced(
    db: &mut PgConnection,
    write: &Write<'_>,
    fetched: &Fetched,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE school SET last_synced_at = now(), changes_seen_until = $2,
            last_full_sync_at = CASE WHEN $3 THEN $2 ELSE last_full_sync_at END,
            hierarchy_lists = coalesce($4, hierarchy_lists)
        WHERE id = $1
        "#,
        write.school_id.as_str(),
        fetched.started_at,
        fetched.is_full,
        write.plan.hierarchy_lists.map(HierarchyLists::as_str),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records who was read. A full sync records on the school that everyone was read, and here only
/// the people that it did not deliver. Until now the previous full sync said when they were read,
/// unless it missed them as well.
pub(super) async fn keep_reads(
    db: &mut PgConnection,
    write: &Write<'_>,
    started_at: DateTime<Utc>,
) -> Result<(), Error> {
    let ids = |people: &[StaffId]| people.iter().map(|id| id.0).collect::<Vec<Uuid>>();
    if !write.plan.read.is_empty() {
        sqlx::query!(
            r#"
            INSERT INTO staff_refresh AS r (staff_id, refreshed_at)
            SELECT id, $2 FROM UNNEST($1::uuid[]) AS p (id)
            ON CONFLICT (staff_id) DO UPDATE
                SET refreshed_at = greatest(r.refreshed_at, excluded.refreshed_at)
            "#,
            &ids(&write.plan.read),
            started_at,
        )
        .execute(&mut *db)
        .await?;
    }
    if !write.plan.missed.is_empty() {
        sqlx::query!(
            r#"
            INSERT INTO staff_refresh AS r (staff_id, missed_at, refreshed_at)
            SELECT p.id, $3, c.last_full_sync_at
            FROM UNNEST($1::uuid[]) AS p (id) JOIN school c ON c.id = $2
            ON CONFLICT (staff_id) DO UPDATE SET missed_at = excluded.missed_at,
                refreshed_at = CASE WHEN r.missed_at IS DISTINCT FROM excluded.refreshed_at
                    THEN greatest(r.refreshed_at, excluded.refreshed_at) ELSE r.refreshed_at END
            "#,
            &ids(&write.plan.missed),
            write.school_id.as_str(),
            started_at,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

/// Stores the possible matches of this list. A full list replaces those of all records, a delta
/// those of its own records.
pub(super) async fn keep_candidates(
    db: &mut PgConnection,
    write: &Write<'_>,
    fetched: &Fetched,
) -> Result<(), Error> {
    let staff = || fetched.staff.iter().map(|(_, record)| record.wonde_id.as_str()).collect();
    let listed: Option<Vec<&str>> = (!fetched.is_full).then(staff);
    sqlx::query!(
        "DELETE FROM match_candidate WHERE school_id = $1 AND ($2::text[] IS NULL OR wonde_id = ANY($2))",
        write.school_id.as_str(),
        listed.as_deref() as Option<&[&str]>,
    )
    .execute(&mut *db)
    .await?;
    let candidates = &write.plan.candidates;
    if candidates.is_empty() {
        return Ok(());
    }
    let wonde_ids: Vec<&str> = candidates.iter().map(|one| one.wonde_id.as_str()).collect();
    let staff_ids: Vec<Uuid> = candidates.iter().map(|one| one.staff_id.0).collect();
    let scores: Vec<i32> = candidates.iter().map(|one| i32::from(one.score)).collect();
    let reasons: Vec<String> = candidates.iter().map(|one| joined(&one.reasons)).collect();
    let in_doubt: Vec<bool> = candidates.iter().map(|one| one.in_doubt).collect();
    let said = || candidates.iter().map(|one| &one.said);
    let first_names: Vec<&str> = said().map(|said| said.first_name.as_str()).collect();
    let surnames: Vec<&str> = said().map(|said| said.surname.as_str()).collect();
    let emails: Vec<&str> = said().map(|said| said.email.as_str()).collect();
    let initials: Vec<Option<&str>> = said().map(|said| said.initials.as_deref()).collect();
    let job_titles: Vec<Option<&str>> = said().map(|said| said.job_title.as_deref()).collect();
    sqlx::query!(
        r#"
        INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons, mis_first_name,
            mis_surname, mis_email, mis_initials, mis_job_title, job_id, in_doubt)
        SELECT $1, wonde_id, staff_id, score, string_to_array(reasons, ','), first_name, surname,
            email, initials, job_title, $2, in_doubt
        FROM UNNEST($3::text[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::bool[])
            AS c (wonde_id, staff_id, score, reasons, first_name, surname, email, initials,
                job_title, in_doubt)
        ON CONFLICT (school_id, wonde_id, staff_id) DO UPDATE SET score = excluded.score,
            reasons = excluded.reasons, in_doubt = excluded.in_doubt
        "#,
        write.school_id.as_str(),
        write.job_id.0,
        &wonde_ids as &[&str],
        &staff_ids,
        &scores,
        &reasons,
        &first_names as &[&str],
        &surnames as &[&str],
        &emails as &[&str],
        &initials as &[Option<&str>],
        &job_titles as &[Option<&str>],
        &in_doubt,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores the further records of people.
pub(super) async fn keep_aliases(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
) -> Result<(), Error> {
    if !write.plan.forgotten_aliases.is_empty() {
        sqlx::query!(
            "DELETE FROM staff_alias WHERE school_id = $1 AND wonde_id = ANY($2)",
            write.school_id.as_str(),
            &write.plan.forgotten_aliases,
        )
        .execute(&mut *db)
        .await?;
    }
    let new = &write.plan.new_aliases;
    let (wonde_ids, staff_ids): (Vec<&str>, Vec<Uuid>) =
        new.iter().filter_map(|(alias, who)| Some((alias.as_str(), staff_id(*who, ids)?))).unzip();
    if wonde_ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO staff_alias (school_id, wonde_id, staff_id)
        SELECT $1, wonde_id, staff_id FROM UNNEST($2::text[], $3::uuid[]) AS a (wonde_id, staff_id)
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET staff_id = excluded.staff_id
        "#,
        write.school_id.as_str(),
        &wonde_ids as &[&str],
        &staff_ids,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes decisions that were followed.
pub(super) async fn use_up_decisions(
    db: &mut PgConnection,
    write: &Write<'_>,
) -> Result<(), Error> {
    if write.plan.used_decisions.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "DELETE FROM match_decision WHERE school_id = $1 AND wonde_id = ANY($2)",
        write.school_id.as_str(),
        &write.plan.used_decisions,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores the evidence that differs.
pub(super) async fn keep_evidence(
    db: &mut PgConnection,
    write: &Write<'_>,
    ids: &NewIds,
) -> Result<(), Error> {
    let sightings = &write.plan.sightings;
    if !sightings.gone.is_empty() {
        sqlx::query!(
            r#"
            UPDATE mis_person SET outcome = 'gone', job_id = $2, seen_at = now()
            WHERE school_id = $1 AND wonde_id = ANY($3)
            "#,
            write.school_id.as_str(),
            write.job_id.0,
            &sightings.gone,
        )
        .execute(&mut *db)
        .await?;
    }
    if sightings.seen.is_empty() {
        return Ok(());
    }
    let seen = || sightings.seen.iter().map(|(_, evidence)| evidence);
    let wonde_ids: Vec<&str> =
        sightings.seen.iter().map(|(wonde_id, _)| wonde_id.as_str()).collect();
    let upis: Vec<Option<&str>> = seen().map(|one| one.upi.as_deref()).collect();
    let emails: Vec<Option<&str>> = seen().map(|one| one.email_key.as_deref()).collect();
    let standings: Vec<&str> = seen().map(|one| one.standing.as_str()).collect();
    let starts: Vec<_> = seen().map(|one| one.starts_on).collect();
    let ends: Vec<_> = seen().map(|one| one.ends_on).collect();
    let teaching: Vec<Option<bool>> = seen().map(|one| one.teaching).collect();
    let outcomes: Vec<&str> = seen().map(|one| one.outcome.as_str()).collect();
    let staff_ids: Vec<Option<Uuid>> =
        seen().map(|one| one.staff.and_then(|staff| staff_id(staff, ids))).collect();
    // A person who has not been created yet cannot be matched.
    let is_there = |one: &&Evidence| one.staff.and_then(|staff| staff_id(staff, ids)).is_some();
    let matched_by: Vec<Option<&str>> = seen()
        .map(|one| Some(one).filter(is_there).and_then(|one| one.matched_by).map(MatchedBy::as_str))
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO mis_person (school_id, wonde_id, upi, email_key, standing, starts_on, ends_on,
            teaching, outcome, staff_id, matched_by, job_id)
        SELECT $1, wonde_id, upi, email_key, standing, starts_on, ends_on, teaching, outcome,
            staff_id, matched_by, $2
        FROM UNNEST($3::text[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[],
                $9::bool[], $10::text[], $11::uuid[], $12::text[])
            AS s (wonde_id, upi, email_key, standing, starts_on, ends_on, teaching, outcome,
                staff_id, matched_by)
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET upi = excluded.upi,
            email_key = excluded.email_key, standing = excluded.standing,
            starts_on = excluded.starts_on, ends_on = excluded.ends_on,
            teaching = excluded.teaching, outcome = excluded.outcome,
            staff_id = excluded.staff_id, matched_by = excluded.matched_by,
            job_id = excluded.job_id, seen_at = now()
        "#,
        write.school_id.as_str(),
        write.job_id.0,
        &wonde_ids as &[&str],
        &upis as &[Option<&str>],
        &emails as &[Option<&str>],
        &standings as &[&str],
        &starts as &[Option<chrono::NaiveDate>],
        &ends as &[Option<chrono::NaiveDate>],
        &teaching as &[Option<bool>],
        &outcomes as &[&str],
        &staff_ids as &[Option<Uuid>],
        &matched_by as &[Option<&str>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records that the school was read, and what it withholds. A delta sees little of that, so what
/// the last full run found stays. People who have been gone for a year are deleted: no one asks
/// about them any more, and the evidence is personal data.
pub(super) async fn keep_reading(
    db: &mut PgConnection,
    write: &Write<'_>,
    is_full: bool,
) -> Result<(), Error> {
    let of_school = write.plan.issues.iter().filter(|issue| issue.wonde_id.is_none());
    let told: Vec<IssueCode> = of_school.map(|issue| issue.code).collect();
    let (withheld, arrives): (Vec<IssueCode>, Vec<IssueCode>) =
        IssueCode::WITHHELD.into_iter().partition(|kind| told.contains(kind));
    let arrives = if is_full { arrives } else { Vec::new() };
    note_withheld(db, write.school_id, withheld, arrives).await?;
    let mut codes: Vec<&str> = told.into_iter().map(IssueCode::as_str).collect();
    codes.sort_unstable();
    codes.dedup();
    sqlx::query!(
        r#"
        WITH forgotten AS (
            DELETE FROM mis_person
            WHERE school_id = $1 AND outcome = 'gone' AND seen_at < now() - interval '1 year'
        )
        INSERT INTO mis_reading AS r
            (school_id, job_id, mode, dry_run, read_at, full_job_id, issues, imported, left_out)
        SELECT $1, $2, CASE WHEN $3 THEN 'full' ELSE 'delta' END, $4, now(),
            CASE WHEN $3 THEN $2::uuid END, $5::text[],
            count(*) FILTER (WHERE outcome = 'imported'),
            count(*) FILTER (
                WHERE outcome NOT IN ('imported', 'not_current', 'not_teaching', 'gone'))
        FROM mis_person WHERE school_id = $1 AND standing = 'current'
        ON CONFLICT (school_id) DO UPDATE SET job_id = excluded.job_id, mode = excluded.mode,
            dry_run = excluded.dry_run, read_at = excluded.read_at,
            imported = excluded.imported, left_out = excluded.left_out,
            full_job_id = coalesce(excluded.full_job_id, r.full_job_id),
            issues = CASE WHEN excluded.mode = 'full' THEN excluded.issues
                ELSE ARRAY(SELECT DISTINCT unnest(r.issues || excluded.issues)) END
        "#,
        write.school_id.as_str(),
        write.job_id.0,
        is_full,
        !write.is_applied,
        &codes as &[&str],
    )
    .execute(&mut *db)
    .await?;
    keep_names(db, write.school_id).await
}

/// Keeps the names and MIS ids by which people with an issue in the last runs are found. What stays the
/// same is not written.
async fn keep_names(db: &mut PgConnection, school_id: &SchoolId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH named AS (
            SELECT DISTINCT ON (i.wonde_id) i.wonde_id, i.name, i.mis_id
            FROM mis_reading r JOIN job_issue i ON i.job_id IN (r.job_id, r.full_job_id)
            WHERE r.school_id = $1 AND i.record = 'staff' AND i.wonde_id IS NOT NULL
            ORDER BY i.wonde_id, i.job_id DESC
        ), past AS (
            DELETE FROM mis_name m WHERE m.school_id = $1
                AND NOT EXISTS (SELECT FROM named n WHERE n.wonde_id = m.wonde_id)
        )
        INSERT INTO mis_name (school_id, wonde_id, name, mis_id)
        SELECT $1, n.wonde_id, n.name, n.mis_id
        FROM named n LEFT JOIN mis_name m ON m.school_id = $1 AND m.wonde_id = n.wonde_id
        WHERE m.wonde_id IS NULL OR (m.name, m.mis_id) IS DISTINCT FROM (n.name, n.mis_id)
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET name = excluded.name, mis_id = excluded.mis_id
        "#,
        school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}
