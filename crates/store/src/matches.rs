//! Possible matches of records and people in iP, and the decisions about them.

use mis_sync_domain::{
    AuditAction, SchoolId, StaffId,
    plan::{MatchReason, Named},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error,
    audit::{self, Actor, Entry},
};

/// A record of the MIS and the account that it may belong to.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record's Wonde id.
    pub wonde_id: String,
    /// The person in iP.
    pub staff_id: StaffId,
    /// How much they have in common, 0 to 100.
    pub score: u8,
    /// What that is.
    pub reasons: Vec<MatchReason>,
    /// Whether a key is the same but the names are not, so that it may be another person's account.
    /// It gets a new password if it passes on.
    pub in_doubt: bool,
    /// The values in the MIS.
    pub mis: Named,
    /// The values in iP.
    pub ip: Named,
    /// The decision that the next full sync will follow: the person that the record belongs to, or
    /// no one yet in iP.
    pub decision: Option<Option<StaffId>>,
}

/// Names are personal data, so only the ids are printed.
impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate")
            .field("wonde_id", &self.wonde_id)
            .field("staff_id", &self.staff_id)
            .field("score", &self.score)
            .finish_non_exhaustive()
    }
}

/// Matches that wait for a decision, and decisions that wait for the next sync; the likeliest
/// first.
pub async fn list(pool: &PgPool, school_id: &SchoolId) -> Result<Vec<Candidate>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT c.wonde_id, c.staff_id, c.score, c.reasons, c.in_doubt, c.mis_first_name, c.mis_surname,
            c.mis_email, c.mis_initials, c.mis_job_title, s.first_name, s.surname, s.email, s.initials,
            s.job_title,
            d.wonde_id IS NOT NULL AS "is_decided!", d.staff_id AS "decided_for?"
        FROM match_candidate c JOIN staff s ON s.id = c.staff_id
        LEFT JOIN match_decision d ON d.school_id = c.school_id AND d.wonde_id = c.wonde_id
        WHERE c.school_id = $1
        ORDER BY c.score DESC, c.wonde_id, c.staff_id
        "#,
        school_id.as_str(),
    )
    .fetch_all(pool)
    .await?;
    let candidates = rows.into_iter().map(|row| {
        Ok(Candidate {
            reasons: read_reasons(&row.reasons, row.staff_id)?,
            wonde_id: row.wonde_id,
            staff_id: StaffId(row.staff_id),
            score: u8::try_from(row.score).unwrap_or_default(),
            in_doubt: row.in_doubt,
            mis: Named {
                first_name: row.mis_first_name,
                surname: row.mis_surname,
                email: row.mis_email,
                initials: row.mis_initials,
                job_title: row.mis_job_title,
            },
            ip: Named {
                first_name: row.first_name,
                surname: row.surname,
                email: row.email,
                initials: row.initials,
                job_title: row.job_title,
            },
            decision: row.is_decided.then(|| row.decided_for.map(StaffId)),
        })
    });
    candidates.collect()
}

fn read_reasons(names: &[String], staff_id: Uuid) -> Result<Vec<MatchReason>, Error> {
    let read: Result<_, _> = names.iter().map(|name| name.parse()).collect();
    read.map_err(|_| Error::Inconsistent {
        table: "match_candidate",
        column: "reasons",
        id: staff_id.to_string(),
    })
}

/// Stores the person that a record belongs to: one of its candidates, or `None` for someone new.
/// The next sync that has the record follows it if the record is still the one that was shown. An
/// account in doubt then gets a new password, or loses its id to the new person. Returns false if
/// this is not a candidate of the school.
pub async fn decide(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_id: &str,
    staff_id: Option<StaffId>,
    actor: &Actor,
) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query!(
        r#"
        INSERT INTO match_decision (school_id, wonde_id, staff_id, decided_by, in_doubt,
            mis_first_name, mis_surname, mis_email)
        SELECT school_id, wonde_id, $3::uuid, $4, bool_or(in_doubt), min(mis_first_name),
            min(mis_surname), min(mis_email)
        FROM match_candidate
        WHERE school_id = $1 AND wonde_id = $2 AND ($3::uuid IS NULL OR staff_id = $3)
        GROUP BY school_id, wonde_id
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET staff_id = excluded.staff_id,
            decided_by = excluded.decided_by, decided_at = now(), in_doubt = excluded.in_doubt,
            mis_first_name = excluded.mis_first_name, mis_surname = excluded.mis_surname,
            mis_email = excluded.mis_email
        "#,
        school_id.as_str(),
        wonde_id,
        staff_id.map(|id| id.0),
        actor.requester.name,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry {
        school_id: Some(school_id.clone()),
        staff_id,
        subject: Some(wonde_id.to_owned()),
        ..Entry::new(AuditAction::Match)
    };
    audit::record(&mut tx, actor, &entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// Takes a decision back that no sync has followed yet. Returns false if there is none.
pub async fn reopen(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_id: &str,
    actor: &Actor,
) -> Result<bool, Error> {
    let mut tx = crate::begin(pool).await?;
    let done = sqlx::query!(
        "DELETE FROM match_decision WHERE school_id = $1 AND wonde_id = $2",
        school_id.as_str(),
        wonde_id,
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry {
        school_id: Some(school_id.clone()),
        subject: Some(format!("{wonde_id}: open again")),
        ..Entry::new(AuditAction::Match)
    };
    audit::record(&mut tx, actor, &entry).await?;
    tx.commit().await?;
    Ok(true)
}
