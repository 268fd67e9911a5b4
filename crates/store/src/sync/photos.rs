//! Pictures of the people of the list.

use mis_sync_domain::{IssueCode, PhotoCounts};
use sqlx::PgConnection;

use super::{Run, count, issues::Issues};
use crate::{Error, staging::List};

/// Gives people the pictures that were fetched. A picture that is there already is not written.
///
/// The MIS can take away only a picture that it gave: and only when a full list shows other
/// people's photos, because a list without any photo is one to which access was withdrawn.
pub(super) async fn apply(
    db: &mut PgConnection,
    run: &Run<'_>,
    issues: &mut Issues,
) -> Result<PhotoCounts, Error> {
    if !run.rules.imports.photos || !run.fetched.has_read(List::Photos) {
        return Ok(PhotoCounts::default());
    }
    let (delivered, skipped) = count_delivered(db, run).await?;
    if delivered + skipped == 0 {
        if run.fetched.is_full && had_photos(db, run).await? {
            issues.push_of_school(IssueCode::PhotosWithheld);
        }
        return Ok(PhotoCounts::default());
    }
    let changed = record(db, run).await?;
    if !run.dry_run && changed.rows > 0 {
        store(db, run).await?;
    }
    Ok(PhotoCounts {
        fetched: delivered,
        updated: changed.updated,
        unchanged: delivered.saturating_sub(changed.updated),
        removed: changed.removed,
        skipped,
    })
}

/// Photos of people who are imported, and photos that could not be taken.
async fn count_delivered(db: &mut PgConnection, run: &Run<'_>) -> Result<(u64, u64), Error> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) AS "delivered!",
            (SELECT count(*) FROM stage_issue i WHERE i.job_id = $1
                AND i.code IN ('photo_unreadable', 'photo_too_large')) AS "skipped!"
        FROM stage_photo p
        JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = p.wonde_id AND m.issue IS NULL
        WHERE p.job_id = $1 AND p.hash IS NOT NULL
        "#,
        run.lease.job_id.0,
    )
    .fetch_one(db)
    .await?;
    Ok((count(row.delivered), count(row.skipped)))
}

async fn had_photos(db: &mut PgConnection, run: &Run<'_>) -> Result<bool, Error> {
    let had = sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT FROM staff
            WHERE school_id = $1 AND mis_values ->> 'photo_hash' IS NOT NULL) AS "had!"
        "#,
        run.school_id.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(had)
}

struct Changed {
    rows: u64,
    updated: u64,
    removed: u64,
}

/// Notes whose picture changes, in the staging table and, for people who are not new, in the
/// change history.
async fn record(db: &mut PgConnection, run: &Run<'_>) -> Result<Changed, Error> {
    let row = sqlx::query!(
        r#"
        WITH said AS (
            SELECT p.wonde_id, p.hash, s.id AS staff_id, s.photo_hash AS held,
                s.mis_values ->> 'photo_hash' AS before
            FROM stage_photo p
            JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = p.wonde_id AND m.issue IS NULL
            LEFT JOIN staff s ON s.school_id = $2 AND s.wonde_id = p.wonde_id
            WHERE p.job_id = $1 AND (p.hash IS NOT NULL OR $3)
        ), changed AS (
            SELECT wonde_id, hash, staff_id, held FROM said
            WHERE hash IS NOT NULL AND hash IS DISTINCT FROM held
                OR hash IS NULL AND held = before
        ), recorded AS (
            INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
            SELECT $1, staff_id, wonde_id, 'photo_hash', held, hash FROM changed
            WHERE staff_id IS NOT NULL AND staff_id NOT IN (
                SELECT staff_id FROM job_change
                WHERE job_id = $1 AND field = 'created' AND staff_id IS NOT NULL)
            ORDER BY staff_id
        )
        SELECT count(hash) AS "updated!", count(*) FILTER (WHERE hash IS NULL) AS "removed!",
            count(*) + (SELECT count(*) FROM said WHERE hash IS DISTINCT FROM before)
                AS "rows!"
        FROM changed
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        run.fetched.is_full,
    )
    .fetch_one(db)
    .await?;
    Ok(Changed { rows: count(row.rows), updated: count(row.updated), removed: count(row.removed) })
}

/// Stores the images that are new and points the people at theirs.
async fn store(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO staff_photo (hash, content_type, content)
        SELECT DISTINCT ON (p.hash) p.hash, p.content_type, p.content
        FROM stage_photo p
        JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = p.wonde_id AND m.issue IS NULL
        WHERE p.job_id = $1 AND p.content IS NOT NULL
        ON CONFLICT DO NOTHING
        "#,
        run.lease.job_id.0,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        UPDATE staff s SET
            photo_hash = CASE WHEN p.hash IS NOT NULL THEN p.hash
                WHEN s.photo_hash = s.mis_values ->> 'photo_hash' THEN NULL
                ELSE s.photo_hash END,
            mis_values = coalesce(s.mis_values, '{}')
                || jsonb_build_object('photo_hash', p.hash),
            updated_at = now()
        FROM stage_photo p
        JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = p.wonde_id AND m.issue IS NULL
        WHERE p.job_id = $1 AND s.school_id = $2 AND s.wonde_id = p.wonde_id
            AND (p.hash IS NOT NULL OR $3)
            AND (p.hash IS DISTINCT FROM s.mis_values ->> 'photo_hash'
                OR p.hash IS NOT NULL AND p.hash IS DISTINCT FROM s.photo_hash)
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        run.fetched.is_full,
    )
    .execute(db)
    .await?;
    Ok(())
}
