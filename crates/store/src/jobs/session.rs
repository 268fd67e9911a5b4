use std::time::Duration;

use mis_sync_domain::Lease;
use sqlx::PgPool;

use super::enqueue::interval;
use crate::{Error, transaction::session_name};

/// What the server knows about the session in which a claim writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// A statement is running, waits for a lock, or has just ended.
    AtWork,
    /// It waited so long for its client that it was ended now.
    Silent,
    /// There is no session.
    Absent,
}

/// Checks, from another session, the one in which a claim writes, and ends it if it has waited for
/// its next statement for `patience`: its connection is dead, or its client sleeps.
pub async fn end_silent_session(
    pool: &PgPool,
    lease: Lease,
    patience: Duration,
) -> Result<Session, Error> {
    let found = sqlx::query!(
        r#"
        WITH session AS (
            SELECT pid, state LIKE 'idle%' AND state_change < clock_timestamp() - $2::interval
                AS is_silent
            FROM pg_stat_activity
            WHERE application_name = $1 AND datname = current_database()
        )
        SELECT count(*) AS "sessions!",
            count(CASE WHEN is_silent THEN pg_terminate_backend(pid) END) AS "silent!"
        FROM session
        "#,
        session_name(lease),
        interval(patience),
    )
    .fetch_one(pool)
    .await?;
    Ok(match (found.sessions, found.silent) {
        (0, _) => Session::Absent,
        (sessions, silent) if sessions == silent => Session::Silent,
        _ => Session::AtWork,
    })
}
