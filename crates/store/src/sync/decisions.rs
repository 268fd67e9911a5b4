//! What people decided of records that may mean somebody.

use mis_sync_domain::{
    MatchedBy,
    identity::{Identity, is_doubtful},
};
use ring::rand::SystemRandom;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Run;
use crate::{Error, password::hash_of_a_forgotten_password};

/// Decisions that this list can follow, column by column.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    /// The records.
    pub(super) wonde_ids: Vec<String>,
    /// Whom each means; `None`: somebody new.
    pub(super) staff_ids: Vec<Option<Uuid>>,
}

/// Reads the decisions about records of the list. One counts while the record is that which it was
/// made about; and a record that iP knows already means whom iP says, unless that is in doubt.
pub(super) async fn read(db: &mut PgConnection, run: &Run<'_>) -> Result<Decisions, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (d.wonde_id) d.wonde_id, d.staff_id, d.mis_first_name, d.mis_surname,
            d.mis_email, t.first_name, t.surname, t.email,
            s.first_name AS "held_first_name?", s.surname AS "held_surname?",
            s.email AS "held_email?"
        FROM match_decision d
        JOIN stage_staff t ON t.job_id = $1 AND t.wonde_id = d.wonde_id
        LEFT JOIN staff s ON s.school_id = d.school_id AND s.wonde_id = d.wonde_id
        WHERE d.school_id = $2
        ORDER BY d.wonde_id, t.position DESC
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let mut decisions = Decisions::default();
    for row in &rows {
        let said = identity(&row.first_name, &row.surname, &row.email);
        let is_doubted = |one: &Identity<'_>| is_doubtful(MatchedBy::WondeId, one, &said);
        let shown = [&row.mis_first_name, &row.mis_surname, &row.mis_email];
        let is_another = match shown.map(Option::as_deref) {
            [Some(first_name), Some(surname), Some(email)] => {
                is_doubted(&identity(first_name, surname, email))
            }
            _ => false,
        };
        let held = [&row.held_first_name, &row.held_surname, &row.held_email];
        let is_known = match held.map(Option::as_deref) {
            [Some(first_name), Some(surname), Some(email)] => {
                !is_doubted(&identity(first_name, surname, email))
            }
            _ => false,
        };
        let times = rows.iter().filter(|other| other.staff_id == row.staff_id).count();
        let is_contradicted = row.staff_id.is_some() && times > 1;
        if !is_another && !is_known && !is_contradicted {
            decisions.wonde_ids.push(row.wonde_id.clone());
            decisions.staff_ids.push(row.staff_id);
        }
    }
    Ok(decisions)
}

fn identity<'a>(first_name: &'a str, surname: &'a str, email: &'a str) -> Identity<'a> {
    Identity { first_name, surname, email, initials: None }
}

/// Takes ids away from people whose record means somebody else, as a person decided: the change
/// history says so, and [`unlink`] does it.
pub(super) async fn record_unlinked(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value)
        SELECT $1, s.id, s.wonde_id, c.field, c.old_value
        FROM stage_match m
        JOIN stage_staff t
            ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
        JOIN staff s ON s.school_id = $2 AND s.wonde_id = m.wonde_id
        CROSS JOIN LATERAL (VALUES
            ('wonde_id', s.wonde_id), ('upi', CASE WHEN s.upi = t.upi THEN s.upi END)
        ) AS c (field, old_value)
        WHERE m.job_id = $1 AND m.issue IS NULL AND m.staff_id IS DISTINCT FROM s.id
            AND c.old_value IS NOT NULL
        ORDER BY s.id
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Does what [`record_unlinked`] recorded. Their account stays, and no record of the MIS is theirs.
pub(super) async fn unlink(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    sqlx::query!(
        r#"
        UPDATE staff s SET wonde_id = NULL, updated_at = now(),
            upi = CASE WHEN EXISTS (
                SELECT FROM job_change u WHERE u.job_id = $1 AND u.staff_id = s.id
                    AND u.field = 'upi' AND u.new_value IS NULL) THEN NULL ELSE s.upi END
        FROM job_change c
        WHERE c.job_id = $1 AND c.staff_id = s.id AND c.field = 'wonde_id'
            AND c.new_value IS NULL
        "#,
        run.lease.job_id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Once the records are applied: an account that was in doubt and passed on gets a new password,
/// and the decisions are used up.
pub(super) async fn conclude(db: &mut PgConnection, run: &Run<'_>) -> Result<(), Error> {
    let passed_on = sqlx::query_scalar!(
        r#"
        WITH followed AS (
            DELETE FROM match_decision d USING stage_target t
            WHERE t.job_id = $1 AND d.school_id = $2 AND d.wonde_id = t.wonde_id
            RETURNING t.staff_id, d.staff_id AS decided, d.in_doubt
        )
        SELECT staff_id AS "staff_id!" FROM followed WHERE in_doubt AND staff_id = decided
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .fetch_all(&mut *db)
    .await?;
    let random = SystemRandom::new();
    for staff_id in passed_on {
        sqlx::query!(
            r#"
            WITH recorded AS (
                INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
                SELECT $3, id, wonde_id, 'password_reset_required', password_reset_required::text,
                    'true'
                FROM staff WHERE id = $1
            )
            UPDATE staff SET password_hash = $2, password_reset_required = true, updated_at = now()
            WHERE id = $1
            "#,
            staff_id,
            hash_of_a_forgotten_password(&random),
            run.lease.job_id.0,
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
