use mis_sync_domain::JobId;
use sqlx::PgConnection;

use super::{Conflict, ConflictRow};
use crate::Error;

/// Fields of classes and subjects that are not any more as the job left them.
pub(super) async fn conflicts(db: &mut PgConnection, id: JobId) -> Result<Vec<Conflict>, Error> {
    let rows = sqlx::query_as!(
        ConflictRow,
        r#"
        WITH changed AS (
            SELECT c.*, coalesce(c.class_id, c.subject_id) AS id,
                CASE WHEN c.field NOT IN ('staff', 'main_teachers')
                        THEN coalesce(to_jsonb(k), to_jsonb(u)) ->> c.field
                    WHEN c.record = 'class' THEN (
                        SELECT string_agg(staff_id::text, ',' ORDER BY position, staff_id)
                        FROM class_staff l WHERE l.class_id = c.class_id AND l.from_mis
                            AND (c.field = 'staff' OR l.is_main_teacher))
                    ELSE (
                        SELECT string_agg(staff_id::text, ',' ORDER BY position, staff_id)
                        FROM subject_staff l WHERE l.subject_id = c.subject_id AND l.from_mis
                            AND (c.field = 'staff' OR l.is_main_teacher))
                END AS value
            FROM job_change c
            LEFT JOIN class k ON k.id = c.class_id
            LEFT JOIN subject u ON u.id = c.subject_id
            WHERE c.job_id = $1 AND c.record <> 'staff' AND c.field <> 'created'
        )
        SELECT c.record AS "record!", c.id AS "id!", c.field AS "field!",
            later.job_id AS "later?"
        FROM changed c
        LEFT JOIN LATERAL (
            SELECT l.job_id FROM job_change l JOIN job j ON j.id = l.job_id
            WHERE coalesce(l.class_id, l.subject_id) = c.id AND l.record = c.record
                AND l.field = c.field AND l.job_id > c.job_id
                AND j.state = 'succeeded' AND j.options ->> 'dry_run' IS DISTINCT FROM 'true'
            ORDER BY l.job_id DESC LIMIT 1
        ) later ON true
        WHERE later.job_id IS NOT NULL OR c.value IS DISTINCT FROM c.new_value
        ORDER BY c.position
        "#,
        id.0,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Conflict::try_from).collect()
}

/// Writes the inverse to the change history. What the job created, the undo archives.
pub(super) async fn record(db: &mut PgConnection, of: JobId, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_change
            (job_id, record, class_id, subject_id, wonde_id, field, old_value, new_value)
        SELECT $2, c.record, c.class_id, c.subject_id, c.wonde_id,
            CASE WHEN c.field = 'created' THEN 'active' ELSE c.field END,
            CASE WHEN c.field = 'created' THEN 'true' ELSE c.new_value END,
            CASE WHEN c.field = 'created' THEN 'false' ELSE c.old_value END
        FROM job_change c
        WHERE c.job_id = $1 AND c.record <> 'staff'
        ORDER BY c.position
        "#,
        of.0,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Brings classes and subjects to what the undo's own history says.
pub(super) async fn apply(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    apply_fields(db, undo).await?;
    apply_class_staff(db, undo).await?;
    apply_subject_staff(db, undo).await?;
    apply_main_teachers(db, undo).await
}

async fn apply_fields(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH patch AS (
            SELECT class_id, subject_id, jsonb_object_agg(field, new_value) AS fields
            FROM job_change
            WHERE job_id = $1 AND record <> 'staff'
                AND field NOT IN ('staff', 'main_teachers')
            GROUP BY class_id, subject_id
        ), subjects AS (
            UPDATE subject s SET (name, code, description, active, updated_at) =
                (SELECT p.name, p.code, p.description, p.active, now()
                FROM jsonb_populate_record(s, patch.fields) p)
            FROM patch WHERE s.id = patch.subject_id
        )
        UPDATE class k SET (name, code, description, subject_id, active, updated_at) =
            (SELECT p.name, p.code, p.description, p.subject_id, p.active, now()
            FROM jsonb_populate_record(k, patch.fields) p)
        FROM patch WHERE k.id = patch.class_id
        "#,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Links the people as they were; see [`apply_main_teachers`].
async fn apply_class_staff(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH target AS (
            SELECT c.class_id, p.staff_id::uuid AS staff_id, p.position - 1 AS position
            FROM job_change c
            CROSS JOIN LATERAL string_to_table(c.new_value, ',') WITH ORDINALITY
                AS p (staff_id, position)
            WHERE c.job_id = $1 AND c.record = 'class' AND c.field = 'staff'
        ), unlinked AS (
            DELETE FROM class_staff l USING job_change c
            WHERE c.job_id = $1 AND c.record = 'class' AND c.field = 'staff'
                AND l.class_id = c.class_id AND l.from_mis
                AND NOT EXISTS (SELECT FROM target t
                    WHERE t.class_id = l.class_id AND t.staff_id = l.staff_id)
        )
        INSERT INTO class_staff AS l (class_id, staff_id, position, from_mis)
        SELECT class_id, staff_id, position, true FROM target
        ON CONFLICT (class_id, staff_id) DO UPDATE SET position = excluded.position
            WHERE l.from_mis
        "#,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The twin of [`apply_class_staff`]: checked queries cannot share the name of a table.
async fn apply_subject_staff(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH target AS (
            SELECT c.subject_id, p.staff_id::uuid AS staff_id, p.position - 1 AS position
            FROM job_change c
            CROSS JOIN LATERAL string_to_table(c.new_value, ',') WITH ORDINALITY
                AS p (staff_id, position)
            WHERE c.job_id = $1 AND c.record = 'subject' AND c.field = 'staff'
        ), unlinked AS (
            DELETE FROM subject_staff l USING job_change c
            WHERE c.job_id = $1 AND c.record = 'subject' AND c.field = 'staff'
                AND l.subject_id = c.subject_id AND l.from_mis
                AND NOT EXISTS (SELECT FROM target t
                    WHERE t.subject_id = l.subject_id AND t.staff_id = l.staff_id)
        )
        INSERT INTO subject_staff AS l (subject_id, staff_id, position, from_mis)
        SELECT subject_id, staff_id, position, true FROM target
        ON CONFLICT (subject_id, staff_id) DO UPDATE SET position = excluded.position
            WHERE l.from_mis
        "#,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Marks the main teachers as they were, once everyone is linked.
async fn apply_main_teachers(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH target AS (
            SELECT class_id, subject_id, string_to_array(coalesce(new_value, ''), ',') AS main
            FROM job_change WHERE job_id = $1 AND field = 'main_teachers'
        ), of_subjects AS (
            UPDATE subject_staff l SET is_main_teacher = NOT l.is_main_teacher FROM target t
            WHERE l.subject_id = t.subject_id AND l.from_mis
                AND l.is_main_teacher <> (l.staff_id::text = ANY (t.main))
        )
        UPDATE class_staff l SET is_main_teacher = NOT l.is_main_teacher FROM target t
        WHERE l.class_id = t.class_id AND l.from_mis
            AND l.is_main_teacher <> (l.staff_id::text = ANY (t.main))
        "#,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
