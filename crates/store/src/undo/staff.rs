use mis_sync_domain::JobId;
use sqlx::PgConnection;

use super::{Conflict, ConflictRow};
use crate::Error;

/// Fields of people that are not any more as the job left them.
pub(super) async fn conflicts(db: &mut PgConnection, id: JobId) -> Result<Vec<Conflict>, Error> {
    let rows = sqlx::query_as!(
        ConflictRow,
        r#"
        SELECT 'staff' AS "record!", s.id, c.field, later.job_id AS "later?"
        FROM job_change c
        JOIN staff s ON s.id = c.staff_id
        LEFT JOIN LATERAL (
            SELECT l.job_id FROM job_change l JOIN job j ON j.id = l.job_id
            WHERE l.staff_id = c.staff_id AND l.field = c.field AND l.job_id > c.job_id
                AND j.state = 'succeeded' AND j.options ->> 'dry_run' IS DISTINCT FROM 'true'
            ORDER BY l.job_id DESC LIMIT 1
        ) later ON true
        WHERE c.job_id = $1 AND c.record = 'staff' AND c.field NOT IN ('created', 'department_id', 'password_reset_required')
            -- The history keeps values as text, and a column of the same name holds them.
            AND (later.job_id IS NOT NULL OR to_jsonb(s) ->> c.field IS DISTINCT FROM c.new_value)
        ORDER BY c.position
        "#,
        id.0,
    )
    .fetch_all(&mut *db)
    .await?;
    let taken = read_taken(db, id).await?;
    rows.into_iter().chain(taken).map(Conflict::try_from).collect()
}

/// Logins and Wonde ids that people would get back, and that somebody else has by now. Whom the job
/// created becomes inactive and holds no login any more, but keeps the id.
async fn read_taken(db: &mut PgConnection, id: JobId) -> Result<Vec<ConflictRow>, Error> {
    let rows = sqlx::query_as!(
        ConflictRow,
        r#"
        WITH patch AS (
            SELECT staff_id,
                max(old_value) FILTER (WHERE field = 'email') AS email,
                CASE WHEN bool_or(field = 'created') THEN false
                    ELSE (max(old_value) FILTER (WHERE field = 'active'))::boolean END AS active,
                max(old_value) FILTER (WHERE field = 'wonde_id') AS wonde_id
            FROM job_change
            WHERE job_id = $1 AND record = 'staff' AND staff_id IS NOT NULL
                AND field IN ('created', 'email', 'active', 'wonde_id')
            GROUP BY staff_id
        ), outcome AS (
            SELECT s.id, s.school_id, p.active, p.email, p.wonde_id,
                CASE WHEN coalesce(p.active, s.active) THEN lower(coalesce(p.email, s.email)) END
                    AS login
            FROM patch p JOIN staff s ON s.id = p.staff_id
        )
        SELECT 'staff' AS "record!", o.id AS "id!",
            CASE WHEN o.email IS NULL THEN 'active' ELSE 'email' END AS "field!",
            NULL::uuid AS "later?"
        FROM outcome o
        WHERE (o.active OR o.email IS NOT NULL) AND EXISTS (
            SELECT FROM staff h LEFT JOIN outcome u ON u.id = h.id
            WHERE h.id <> o.id AND o.login = CASE WHEN u.id IS NULL THEN h.login ELSE u.login END)
        UNION ALL
        SELECT 'staff', o.id, 'wonde_id', NULL
        FROM outcome o
        WHERE EXISTS (
            SELECT FROM staff h LEFT JOIN outcome u ON u.id = h.id
            WHERE h.school_id = o.school_id AND h.id <> o.id
                AND o.wonde_id = coalesce(u.wonde_id, h.wonde_id))
        "#,
        id.0,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Writes the inverse to the change history. Whom the job created, the undo deactivates.
pub(super) async fn record(db: &mut PgConnection, of: JobId, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
        SELECT $2, c.staff_id, c.wonde_id,
            CASE WHEN c.field = 'created' THEN 'active' ELSE c.field END,
            CASE WHEN c.field = 'created' THEN 'true' ELSE c.new_value END,
            CASE WHEN c.field = 'created' THEN 'false' ELSE c.old_value END
        FROM job_change c JOIN staff s ON s.id = c.staff_id
        WHERE c.job_id = $1 AND c.record = 'staff' AND (c.field <> 'created' OR s.active)
            -- The old password is not kept anywhere.
            AND c.field <> 'password_reset_required'
        ORDER BY c.position
        "#,
        of.0,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Brings people to what the undo's own history says. One statement, because two people may get
/// each other's login back.
pub(super) async fn apply(db: &mut PgConnection, undo: JobId) -> Result<(), Error> {
    sqlx::query!(
        r#"
        WITH patch AS (
            SELECT staff_id, jsonb_object_agg(field, new_value) AS fields
            FROM job_change
            WHERE job_id = $1 AND record = 'staff' AND field <> 'department_id'
            GROUP BY staff_id
        ), departments AS (
            UPDATE department_staff d
            SET archived_at = CASE WHEN c.new_value IS NULL THEN now() END
            FROM job_change c
            WHERE c.job_id = $1 AND c.field = 'department_id' AND d.staff_id = c.staff_id
                AND d.department_id::text = coalesce(c.new_value, c.old_value)
        )
        UPDATE staff s SET
            (wonde_id, upi, email, first_name, surname, initials, job_title, non_teaching,
                line_manager_id, photo_hash, active, updated_at) =
            (SELECT p.wonde_id, p.upi, p.email, p.first_name, p.surname, p.initials, p.job_title,
                p.non_teaching, p.line_manager_id, p.photo_hash, p.active, now()
            FROM jsonb_populate_record(s, patch.fields) p)
        FROM patch WHERE s.id = patch.staff_id
        "#,
        undo.0,
    )
    .execute(db)
    .await?;
    Ok(())
}
