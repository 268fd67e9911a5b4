//! The login path: what decides whether a person is read again, and the outages that logins share.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    LoginAccount, LoginStanding, Outage, OutageReason, RefreshOutcome, Report, SchoolId, StaffId,
    TokenState,
};
use sqlx::PgPool;

use crate::{
    Error,
    jobs::{self, interval},
};

/// A person who logs in.
#[derive(Debug, Clone)]
pub enum Login {
    /// There is no such school.
    UnknownSchool,
    /// There is no person with this id in the school.
    UnknownStaff,
    /// What is known about the person and their school.
    Known(LoginStanding),
}

/// Everything that decides whether a login asks Wonde, in one round trip.
pub async fn look(pool: &PgPool, school_id: &SchoolId, id: StaffId) -> Result<Login, Error> {
    let row = sqlx::query!(
        r#"
        SELECT c.settings, c.updated_at, c.token_rejected_at, now() AS "now!",
            c.wonde_token IS NOT NULL AS "has_token!", s.active AS "active?",
            s.password_reset_required AS "password_reset_required?",
            s.wonde_id IS NOT NULL AS "is_linked!", r.read_at AS "read_at?",
            o.reason AS "reason?", o.probe_at AS "probe_at?",
            is_paused('interactive', c.id) AS "is_paused!"
        FROM school c
        LEFT JOIN staff s ON s.school_id = c.id AND s.id = $2
        LEFT JOIN staff_read r ON r.staff_id = s.id
        LEFT JOIN wonde_outage o ON o.school_id = c.id AND o.noted_at >= c.updated_at
        WHERE c.id = $1
        "#,
        school_id.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(Login::UnknownSchool) };
    let (Some(active), Some(password_reset_required)) = (row.active, row.password_reset_required)
    else {
        return Ok(Login::UnknownStaff);
    };
    let broken = |table, column| Error::Inconsistent { table, column, id: school_id.to_string() };
    Ok(Login::Known(LoginStanding {
        now: row.now,
        settings: serde_json::from_value(row.settings).map_err(|_| broken("school", "settings"))?,
        settings_changed_at: row.updated_at,
        token: match (row.has_token, row.token_rejected_at) {
            (false, _) => TokenState::Missing,
            (true, None) => TokenState::Held,
            (true, Some(_)) => TokenState::Rejected,
        },
        account: LoginAccount { active, password_reset_required },
        is_linked: row.is_linked,
        is_paused: row.is_paused,
        read_at: row.read_at,
        outage: read_outage(row.reason, row.probe_at)
            .map_err(|()| broken("wonde_outage", "reason"))?,
    }))
}

/// The account of a person at this moment; `None` if there is no such person in the school.
pub async fn account(
    pool: &PgPool,
    school_id: &SchoolId,
    id: StaffId,
) -> Result<Option<LoginAccount>, Error> {
    let account = sqlx::query_as!(
        LoginAccount,
        "SELECT active, password_reset_required FROM staff WHERE school_id = $1 AND id = $2",
        school_id.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(account)
}

fn read_outage(
    reason: Option<String>,
    probe_at: Option<DateTime<Utc>>,
) -> Result<Option<Outage>, ()> {
    let (Some(reason), Some(probe_at)) = (reason, probe_at) else { return Ok(None) };
    let reason: OutageReason = reason.parse().map_err(|_| ())?;
    Ok(Some(Outage { reason, probe_at }))
}

/// Records that a school's Wonde failed a login. Until `probe_after` has passed, no login asks it.
/// The next answer of Wonde that is applied removes the record.
pub async fn note_outage(
    pool: &PgPool,
    school_id: &SchoolId,
    reason: OutageReason,
    probe_after: Duration,
) -> Result<(), Error> {
    sqlx::query!(
        r#"
        INSERT INTO wonde_outage (school_id, reason, noted_at, probe_at)
        VALUES ($1, $2, clock_timestamp(), clock_timestamp() + $3)
        ON CONFLICT (school_id) DO UPDATE SET reason = excluded.reason,
            noted_at = excluded.noted_at, probe_at = excluded.probe_at
        "#,
        school_id.as_str(),
        reason.as_str(),
        interval(probe_after),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes the right to ask an absent Wonde again. No other login gets it for `probe_after`, whatever
/// the result is. Returns false if it is too early, or if another login was quicker.
pub async fn take_probe(
    pool: &PgPool,
    school_id: &SchoolId,
    probe_after: Duration,
) -> Result<bool, Error> {
    let taken = sqlx::query!(
        "UPDATE wonde_outage SET probe_at = now() + $2 WHERE school_id = $1 AND probe_at <= now()",
        school_id.as_str(),
        interval(probe_after),
    )
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// What a refresh needs to know about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Wonde's id; `None` if the person is not linked.
    pub wonde_id: Option<String>,
    /// Whether the MIS gave the person a job title.
    pub has_job_title: bool,
    /// Whether the MIS gave the person a line manager, and their record would show it.
    pub has_line_manager: bool,
    /// Whether the MIS says that the person teaches a class.
    pub has_classes: bool,
}

/// One person of a school; `None` if there is no such person in it.
pub async fn person(
    pool: &PgPool,
    school_id: &SchoolId,
    id: StaffId,
) -> Result<Option<Person>, Error> {
    let person = sqlx::query_as!(
        Person,
        r#"
        SELECT wonde_id, mis_values ->> 'job_title' IS NOT NULL AS "has_job_title!",
            mis_values ->> 'line_manager' IS NOT NULL AND EXISTS (
                SELECT FROM school c WHERE c.id = s.school_id AND c.hierarchy_lists = 'managers')
                AS "has_line_manager!",
            EXISTS (SELECT FROM class_staff l WHERE l.staff_id = s.id AND l.from_mis)
                AS "has_classes!"
        FROM staff s WHERE school_id = $1 AND id = $2
        "#,
        school_id.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(person)
}

/// Ends the refresh of a person who is not linked, or no longer is.
pub async fn finish_not_linked(pool: &PgPool, lease: mis_sync_domain::Lease) -> Result<(), Error> {
    let report = Report { outcome: Some(RefreshOutcome::NotLinked), ..Report::default() };
    let mut connection = pool.acquire().await?;
    jobs::succeed(&mut connection, lease, &report).await
}
