//! Schools as operators look at them: many at a glance, and how good the data of one is.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mis_sync_domain::{IssueCode, JobId, JobState, SchoolId, TokenState};
use sqlx::PgPool;

use crate::Error;

/// A school in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct SchoolSummary {
    /// iP's own key.
    pub id: SchoolId,
    /// The name people know it by.
    pub name: String,
    /// The MIS as the caller or Wonde spells it.
    pub mis: Option<String>,
    /// Whether there is a token, and what Wonde thinks of it.
    pub token: TokenState,
    /// End of the last sync that was applied.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// The last sync that was asked for.
    pub last_sync: Option<(JobId, JobState)>,
    /// Wonde failed a login and has not come back since: why.
    pub outage: Option<String>,
    /// The settings cannot be read by this release, or are as they should be.
    pub settings: Option<mis_sync_domain::SchoolSettings>,
}

/// Every school, by id.
pub async fn summaries(pool: &PgPool) -> Result<Vec<SchoolSummary>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT s.id, s.name, s.mis, s.wonde_token IS NOT NULL AS "has_token!",
            s.token_rejected_at IS NOT NULL AS "is_rejected!", s.last_synced_at, s.settings,
            j.id AS "job_id?", j.state AS "job_state?", o.reason AS "outage?"
        FROM school s
        LEFT JOIN LATERAL (
            SELECT id, state FROM job WHERE school_id = s.id AND kind = 'sync-school'
            ORDER BY id DESC LIMIT 1
        ) j ON true
        LEFT JOIN wonde_outage o ON o.school_id = s.id AND o.noted_at >= s.updated_at
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
            Ok(SchoolSummary {
                id: row.id.parse().map_err(|_| broken("id"))?,
                token: match (row.has_token, row.is_rejected) {
                    (false, _) => TokenState::Missing,
                    (true, false) => TokenState::Held,
                    (true, true) => TokenState::Rejected,
                },
                last_sync: row.job_id.map(JobId).zip(state.transpose()?),
                settings: serde_json::from_value(row.settings).ok(),
                name: row.name,
                mis: row.mis,
                last_synced_at: row.last_synced_at,
                outage: row.outage,
            })
        })
        .collect()
}

/// How much of a school's current staff could be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    /// The school.
    pub school_id: SchoolId,
    /// Current people whom a sync took.
    pub imported: i64,
    /// Current people who were left out because of something in the MIS.
    pub left_out: i64,
}

impl Quality {
    /// Of a hundred current people so many could be taken; `None`: nobody was seen yet.
    pub fn score(&self) -> Option<i64> {
        let all = self.imported + self.left_out;
        (all > 0).then(|| self.imported * 100 / all)
    }
}

/// Of these schools, how good the data is, as the last runs saw it.
pub async fn quality(pool: &PgPool, schools: &[SchoolId]) -> Result<Vec<Quality>, Error> {
    let ids: Vec<&str> = schools.iter().map(SchoolId::as_str).collect();
    let rows = sqlx::query!(
        r#"
        SELECT school_id, count(*) FILTER (WHERE outcome = 'imported') AS "imported!",
            count(*) FILTER (WHERE outcome <> ALL($2)) AS "left_out!"
        FROM mis_person WHERE school_id = ANY($1) AND standing = 'current' GROUP BY school_id
        "#,
        &ids as &[&str],
        &["imported", "not_current", "not_teaching", "gone"] as &[&str],
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = || Error::Inconsistent {
                table: "mis_person",
                column: "school_id",
                id: row.school_id.clone(),
            };
            let school_id = row.school_id.parse().map_err(|_| broken())?;
            Ok(Quality { school_id, imported: row.imported, left_out: row.left_out })
        })
        .collect()
}

/// Something for the MIS clerk to mend.
#[derive(Clone)]
pub struct Flaw {
    /// What is wrong.
    pub code: IssueCode,
    /// Wonde's id of the record; `None`: it is about the whole school.
    pub wonde_id: Option<String>,
    /// The unique person identifier of the MIS.
    pub upi: Option<String>,
    /// The work email as the MIS has it.
    pub email: Option<String>,
    /// First name and surname, of somebody whom iP has.
    pub name: Option<String>,
}

/// Personal data: only code and id are printed.
impl std::fmt::Debug for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flaw")
            .field("code", &self.code)
            .field("wonde_id", &self.wonde_id)
            .finish_non_exhaustive()
    }
}

/// What the last full run, and a delta since, found wrong in a school's MIS; by reason.
pub async fn flaws(pool: &PgPool, school: &SchoolId) -> Result<Vec<Flaw>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT i.code, i.wonde_id, p.upi AS "upi?", p.email_key AS "email?",
            CASE WHEN s.id IS NOT NULL THEN concat_ws(' ', s.first_name, s.surname) END AS name
        FROM mis_reading r
        JOIN job_issue i ON i.job_id IN (r.job_id, r.full_job_id)
        LEFT JOIN mis_person p ON p.school_id = r.school_id AND p.wonde_id = i.wonde_id
        LEFT JOIN staff s ON s.school_id = r.school_id AND s.wonde_id = i.wonde_id
        WHERE r.school_id = $1
        ORDER BY i.code, i.wonde_id
        "#,
        school.as_str(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let broken = || Error::Inconsistent {
                table: "job_issue",
                column: "code",
                id: school.to_string(),
            };
            Ok(Flaw {
                code: row.code.parse().map_err(|_| broken())?,
                wonde_id: row.wonde_id,
                upi: row.upi,
                email: row.email,
                name: row.name,
            })
        })
        .collect()
}

/// What of [`IssueCode::WITHHELD`] these schools' last full run, and the deltas since, came across;
/// without an entry: nothing, or no run was ever read to its end.
pub async fn withheld(
    pool: &PgPool,
    schools: &[SchoolId],
) -> Result<HashMap<SchoolId, Vec<IssueCode>>, Error> {
    let ids: Vec<&str> = schools.iter().map(SchoolId::as_str).collect();
    let rows = sqlx::query!(
        "SELECT school_id, issues FROM mis_reading WHERE school_id = ANY($1) AND issues <> '{}'",
        &ids as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let mut withheld = HashMap::new();
    for row in rows {
        let is_told = |code: &IssueCode| row.issues.iter().any(|told| told == code.as_str());
        let codes: Vec<_> = IssueCode::WITHHELD.into_iter().filter(is_told).collect();
        let school = row.school_id.parse().map_err(|_| Error::Inconsistent {
            table: "mis_reading",
            column: "school_id",
            id: row.school_id.clone(),
        })?;
        withheld.insert(school, codes);
    }
    Ok(withheld)
}

/// A sync of a school's past, for its chart.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSync {
    /// The job.
    pub job_id: JobId,
    /// How it ended, or where it stands.
    pub state: JobState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// How long it ran, in milliseconds; `None`: it did not come so far.
    pub ran_ms: Option<i64>,
    /// People created, updated, deactivated and restored.
    pub changed: i64,
    /// Records with a problem.
    pub issues: i64,
}

/// The last syncs of a school, oldest first.
pub async fn past_syncs(
    pool: &PgPool,
    school: &SchoolId,
    limit: i64,
) -> Result<Vec<PastSync>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, state, created_at,
            (extract(epoch FROM finished_at - started_at) * 1000)::bigint AS ran_ms,
            coalesce((report ->> 'created')::bigint + (report ->> 'updated')::bigint
                + (report ->> 'deactivated')::bigint + (report ->> 'restored')::bigint, 0) AS "changed!",
            coalesce((report ->> 'issues')::bigint, 0) AS "issues!"
        FROM job WHERE school_id = $1 AND kind = 'sync-school' ORDER BY id DESC LIMIT $2
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
