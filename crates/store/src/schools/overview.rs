//! Schools as operators see them: many at a glance, and the data quality of each.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mis_sync_domain::{IssueCode, JobId, JobState, SchoolId, TokenState};
use sqlx::PgPool;

use crate::Error;

/// A school in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct SchoolSummary {
    pub id: SchoolId,
    /// The name that people know.
    pub name: String,
    /// The MIS, as the caller or Wonde spells it.
    pub mis: Option<String>,
    /// Whether there is a token, and whether Wonde accepts it.
    pub token: TokenState,
    /// End of the last sync that was applied.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// The last sync that was requested, and when. Dry runs and undos do not count.
    pub last_sync: Option<(JobId, JobState, DateTime<Utc>)>,
    /// The reason, if Wonde has failed a login and has not answered since.
    pub outage: Option<String>,
    /// Since when its jobs wait because the school is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// How many kinds of data it withholds, as the last full run and the deltas since found.
    pub withheld: usize,
    /// As of the last complete run.
    pub quality: Quality,
    /// The settings; `None` if this release cannot read them.
    pub settings: Option<mis_sync_domain::SchoolSettings>,
}

/// Every school, by id.
pub async fn summaries(pool: &PgPool) -> Result<Vec<SchoolSummary>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT s.id, s.name, s.mis, s.wonde_token IS NOT NULL AS "has_token!",
            s.token_rejected_at IS NOT NULL AS "is_rejected!", s.last_synced_at, s.settings,
            j.id AS "job_id?", j.state AS "job_state?", j.created_at AS "job_created_at?",
            o.reason AS "outage?", p.paused_at AS "paused_at?", r.issues AS "issues?",
            coalesce(r.imported, 0) AS "imported!", coalesce(r.left_out, 0) AS "left_out!"
        FROM school s
        LEFT JOIN LATERAL (
            SELECT id, state, created_at FROM job
            WHERE school_id = s.id AND kind = 'sync-school' AND unique_key NOT LIKE 'undo:%'
                AND NOT coalesce((options ->> 'dry_run')::boolean, false)
            ORDER BY id DESC LIMIT 1
        ) j ON true
        LEFT JOIN wonde_outage o ON o.school_id = s.id AND o.noted_at >= s.updated_at
        LEFT JOIN pause p ON p.scope = 'school' AND p.target = s.id
        LEFT JOIN mis_reading r ON r.school_id = s.id
        ORDER BY s.id
        "#
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken =
                |column| Error::Inconsistent { table: "school", column, id: row.id.clone() };
            let state = row.job_state.map(|state| state.parse().map_err(|_| broken("job_state")));
            let last = row.job_id.map(JobId).zip(state.transpose()?).zip(row.job_created_at);
            Ok(SchoolSummary {
                id: row.id.parse().map_err(|_| broken("id"))?,
                token: match (row.has_token, row.is_rejected) {
                    (false, _) => TokenState::Missing,
                    (true, false) => TokenState::Held,
                    (true, true) => TokenState::Rejected,
                },
                last_sync: last.map(|((id, state), at)| (id, state, at)),
                settings: serde_json::from_value(row.settings).ok(),
                name: row.name,
                mis: row.mis,
                last_synced_at: row.last_synced_at,
                outage: row.outage,
                paused_at: row.paused_at,
                withheld: withheld(row.issues.as_deref().unwrap_or_default()).len(),
                quality: Quality { imported: row.imported.into(), left_out: row.left_out.into() },
            })
        })
        .collect()
}

/// How much of a school's current staff could be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// Current staff that a sync imported.
    pub imported: i64,
    /// Current staff that were left out because of something in the MIS.
    pub left_out: i64,
}

impl Quality {
    /// Percentage of current staff that could be imported; `None` if no one has been seen yet.
    pub fn score(&self) -> Option<i64> {
        let all = self.imported + self.left_out;
        (all > 0).then(|| self.imported * 100 / all)
    }
}

/// The kinds of data among these codes that a school withholds.
pub(super) fn withheld(codes: &[String]) -> Vec<IssueCode> {
    let is_told = |code: &IssueCode| codes.iter().any(|told| told == code.as_str());
    IssueCode::WITHHELD.into_iter().filter(is_told).collect()
}

/// A past sync of a school, for its chart.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSync {
    pub job_id: JobId,
    /// Its state.
    pub state: JobState,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// How long it ran, in milliseconds; `None` if it never ran.
    pub ran_ms: Option<i64>,
    /// People created, updated, deactivated and restored.
    pub changed: i64,
    /// Records with an issue.
    pub issues: i64,
}

/// The last syncs of a school, oldest first. A dry run changes no one and is not among them.
pub async fn past_syncs(
    pool: &PgPool,
    school: &SchoolId,
    limit: i64,
) -> Result<Vec<PastSync>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, state, created_at,
            (extract(epoch FROM finished_at - started_at) * 1000)::bigint - idle_ms AS ran_ms,
            people_changed(job) AS "changed!",
            coalesce((report ->> 'issues')::bigint, 0) AS "issues!"
        FROM job WHERE school_id = $1 AND kind = 'sync-school'
            AND NOT coalesce((options ->> 'dry_run')::boolean, false)
        ORDER BY id DESC LIMIT $2
        "#,
        school.as_str(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .rev()
        .map(|row| {
            let broken =
                || Error::Inconsistent { table: "job", column: "state", id: row.id.to_string() };
            Ok(PastSync {
                job_id: JobId(row.id),
                state: row.state.parse().map_err(|_| broken())?,
                created_at: row.created_at,
                ran_ms: row.ran_ms,
                changed: row.changed,
                issues: row.issues,
            })
        })
        .collect()
}

/// The names of these schools.
pub async fn names(pool: &PgPool, schools: &[&SchoolId]) -> Result<HashMap<String, String>, Error> {
    let ids: Vec<&str> = schools.iter().map(|id| id.as_str()).collect();
    let rows = sqlx::query!("SELECT id, name FROM school WHERE id = ANY($1)", &ids as &[&str])
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
