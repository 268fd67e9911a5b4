use chrono::{DateTime, Utc};
use mis_sync_domain::{IssueCode, SchoolId};
use sqlx::PgPool;

use super::{overview::withheld, withheld::withheld_since};
use crate::Error;

/// What stands between a school and its next good sync, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when Wonde refuses the token.
    pub token_rejected_at: Option<DateTime<Utc>>,
    pub outage: Option<Outage>,
    pub paused: Option<Paused>,
    pub mis_change: Option<MisChange>,
    /// When a run last read the school.
    pub read_at: Option<DateTime<Utc>>,
    /// The kinds of data that it withheld then.
    pub withheld: Vec<IssueCode>,
    /// Since when a run or a check has missed a kind of data.
    pub withheld_since: Vec<(IssueCode, DateTime<Utc>)>,
    /// Active people whom the MIS knows.
    pub people: i64,
    /// Records that may belong to a person in iP and wait for a decision.
    pub undecided: i64,
}

impl Standing {
    /// Since when the school has withheld a kind of data, as far as that is known.
    pub fn since(&self, kind: IssueCode) -> Option<DateTime<Utc>> {
        self.withheld_since.iter().find(|(withheld, _)| *withheld == kind).map(|(_, since)| *since)
    }
}

/// Wonde failed a login and has not answered since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// `unavailable`, `rate_limited` or `forbidden`.
    pub reason: String,
    /// The last failure.
    pub noted_at: DateTime<Utc>,
}

/// The school's jobs wait until it is resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub since: DateTime<Utc>,
    /// Name of the API key or command.
    pub by: String,
    pub reason: Option<String>,
}

/// The school changes its MIS, as Wonde announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisChange {
    pub from: Option<String>,
    pub to: Option<String>,
    pub noted_at: DateTime<Utc>,
    pub is_completed: bool,
}

/// How one school stands. A school that does not exist has no problems.
pub async fn standing(pool: &PgPool, id: &SchoolId) -> Result<Standing, Error> {
    let row = sqlx::query!(
        r#"
        SELECT s.token_rejected_at, s.migrating_from, s.migrating_to, s.migration_noted_at,
            s.migration_completed, o.reason AS "outage?", o.noted_at AS "outage_at?",
            p.paused_at AS "paused_at?", p.actor AS "paused_by?", p.reason AS pause_reason,
            r.read_at AS "read_at?", coalesce(r.issues, '{}') AS "issues!",
            (SELECT count(*) FROM staff
                WHERE school_id = s.id AND active AND wonde_id IS NOT NULL) AS "people!",
            (SELECT count(DISTINCT c.wonde_id) FROM match_candidate c
                WHERE c.school_id = s.id AND NOT EXISTS (SELECT FROM match_decision d
                    WHERE d.school_id = c.school_id AND d.wonde_id = c.wonde_id)) AS "undecided!"
        FROM school s
        LEFT JOIN wonde_outage o ON o.school_id = s.id AND o.noted_at >= s.updated_at
        LEFT JOIN pause p ON p.scope = 'school' AND p.target = s.id
        LEFT JOIN mis_reading r ON r.school_id = s.id
        WHERE s.id = $1
        "#,
        id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(Standing::default()) };
    let outage = row.outage.zip(row.outage_at);
    let paused = row.paused_at.zip(row.paused_by);
    Ok(Standing {
        token_rejected_at: row.token_rejected_at,
        outage: outage.map(|(reason, noted_at)| Outage { reason, noted_at }),
        paused: paused.map(|(since, by)| Paused { since, by, reason: row.pause_reason }),
        mis_change: row.migration_noted_at.map(|noted_at| MisChange {
            from: row.migrating_from,
            to: row.migrating_to,
            noted_at,
            is_completed: row.migration_completed,
        }),
        read_at: row.read_at,
        withheld: withheld(&row.issues),
        withheld_since: withheld_since(pool, id).await?,
        people: row.people,
        undecided: row.undecided,
    })
}
