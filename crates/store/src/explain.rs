//! What is known about one person: what the last runs saw of them in the MIS, and iP's current
//! record.

mod find;

use chrono::{DateTime, NaiveDate, Utc};
use mis_sync_domain::{
    ChangedField, FieldValue, IssueCode, Job, JobId, MatchedBy, Reading, SchoolId, Sighting,
    StaffId, SyncedField,
    explain::{Account, Evidence, FieldEvidence},
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    Error, logins,
    staff::{self, Person, Provenance},
    undo,
};
use find::{Found, find};

/// The person that a question is about.
#[derive(Clone)]
pub enum Who {
    /// The person with this work email in the MIS, or this login in iP.
    Email(String),
    /// The record with this Wonde id.
    WondeId(String),
    /// The person in iP.
    Staff(StaffId),
}

/// One person, for an explanation.
pub struct Known {
    /// Wonde's id of the person, if known.
    pub wonde_id: Option<String>,
    /// The input of the explanation.
    pub evidence: Evidence,
    /// The person in iP, each field with the value of the MIS from the last run.
    pub person: Option<Person>,
    /// Wonde ids of others in the MIS with the same work email.
    pub others: Vec<String>,
    /// The other school of this installation where their work email is a login.
    pub login_used_at: Option<SchoolId>,
    /// The undo that changed the person, if no later sync has been applied.
    pub undone_by: Option<Job>,
}

/// Collects what is known about a person in this school, and in no other. Returns `None` if iP's
/// key belongs to no one in the school.
pub async fn gather(
    pool: &PgPool,
    school_id: &SchoolId,
    who: &Who,
) -> Result<Option<Known>, Error> {
    let found = find(pool, school_id, who).await?;
    if matches!(who, Who::Staff(_)) && found.staff_id.is_none() {
        return Ok(None);
    }
    let reading = read_reading(pool, school_id).await?;
    let sighting = match &found.wonde_id {
        Some(wonde_id) => read_sighting(pool, school_id, wonde_id).await?,
        None => None,
    };
    let mut person = match found.staff_id {
        Some(id) => staff::get(pool, school_id, id).await?,
        None => None,
    };
    let issues = match (&reading, &found.wonde_id) {
        (Some(_), Some(wonde_id)) => read_issues(pool, school_id, wonde_id).await?,
        _ => Vec::new(),
    };
    let mut fields = Vec::new();
    if let Some(person) = &mut person {
        let pending = read_pending(pool, school_id, person.id).await?;
        let manager = read_manager(pool, person).await?;
        for provenance in &mut person.fields {
            fields.push(compare(provenance, &pending, manager.as_ref()));
        }
    }
    let account = person.as_ref().map(|person| Account {
        id: person.id,
        wonde_id: person.wonde_id.clone(),
        active: person.active,
    });
    let login_used_at = match &found.wonde_id {
        Some(id) if issues.contains(&IssueCode::WorkEmailInUse) => {
            logins::held_elsewhere(pool, school_id, &[id]).await?.into_values().next()
        }
        _ => None,
    };
    let undone_by = match &person {
        Some(person) => undo::in_force(pool, school_id, Some(person.id)).await?,
        None => None,
    };
    let has_login_elsewhere = login_used_at.is_some();
    let evidence = Evidence { reading, sighting, account, fields, issues, has_login_elsewhere };
    let Found { wonde_id, others, .. } = found;
    Ok(Some(Known { wonde_id, evidence, person, others, login_used_at, undone_by }))
}

async fn read_reading(pool: &PgPool, school_id: &SchoolId) -> Result<Option<Reading>, Error> {
    let row = sqlx::query!(
        "SELECT job_id, mode, dry_run, read_at, issues FROM mis_reading WHERE school_id = $1",
        school_id.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let broken =
        |column| Error::Inconsistent { table: "mis_reading", column, id: school_id.to_string() };
    Ok(Some(Reading {
        job_id: JobId(row.job_id),
        mode: row.mode.parse().map_err(|_| broken("mode"))?,
        dry_run: row.dry_run,
        read_at: row.read_at,
        issues: read_codes(&row.issues).ok_or_else(|| broken("issues"))?,
    }))
}

fn read_codes(codes: &[String]) -> Option<Vec<IssueCode>> {
    codes.iter().map(|code| code.parse().ok()).collect()
}

async fn read_sighting(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_id: &str,
) -> Result<Option<Sighting>, Error> {
    let row = sqlx::query_as!(
        SightingRow,
        r#"
        SELECT wonde_id, email_key IS NOT NULL AS "has_email!", standing, starts_on, ends_on,
            teaching, outcome, staff_id, matched_by, job_id, seen_at
        FROM mis_person WHERE school_id = $1 AND wonde_id = $2
        "#,
        school_id.as_str(),
        wonde_id,
    )
    .fetch_optional(pool)
    .await?;
    row.map(Sighting::try_from).transpose()
}

struct SightingRow {
    wonde_id: String,
    has_email: bool,
    standing: String,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
    teaching: Option<bool>,
    outcome: String,
    staff_id: Option<Uuid>,
    matched_by: Option<String>,
    job_id: Uuid,
    seen_at: DateTime<Utc>,
}

impl TryFrom<SightingRow> for Sighting {
    type Error = Error;

    fn try_from(row: SightingRow) -> Result<Self, Error> {
        let broken =
            |column| Error::Inconsistent { table: "mis_person", column, id: row.wonde_id.clone() };
        let matched_by: Option<MatchedBy> = row
            .matched_by
            .map(|name| name.parse().map_err(|_| broken("matched_by")))
            .transpose()?;
        Ok(Self {
            standing: row.standing.parse().map_err(|_| broken("standing"))?,
            outcome: row.outcome.parse().map_err(|_| broken("outcome"))?,
            has_email: row.has_email,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            teaching: row.teaching,
            staff_id: row.staff_id.map(StaffId),
            matched_by,
            job_id: JobId(row.job_id),
            seen_at: row.seen_at,
            wonde_id: row.wonde_id,
        })
    }
}

/// Issues of a record in the last run and in the last full one, because a delta may not have seen
/// the record.
async fn read_issues(
    pool: &PgPool,
    school_id: &SchoolId,
    wonde_id: &str,
) -> Result<Vec<IssueCode>, Error> {
    let codes = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT i.code FROM mis_reading r
        JOIN job_issue i ON i.job_id IN (r.job_id, r.full_job_id)
        WHERE r.school_id = $1 AND i.wonde_id = $2
        "#,
        school_id.as_str(),
        wonde_id,
    )
    .fetch_all(pool)
    .await?;
    read_codes(&codes).ok_or_else(|| Error::Inconsistent {
        table: "job_issue",
        column: "code",
        id: wonde_id.to_owned(),
    })
}

/// A field that the last run would have changed if it had been applied.
struct Pending {
    field: String,
    new_value: Option<String>,
}

async fn read_pending(
    pool: &PgPool,
    school_id: &SchoolId,
    id: StaffId,
) -> Result<Vec<Pending>, Error> {
    let pending = sqlx::query_as!(
        Pending,
        r#"
        SELECT c.field, c.new_value FROM mis_reading r
        JOIN job j ON j.id = r.job_id
        JOIN job_change c ON c.job_id = r.job_id AND c.record = 'staff'
        WHERE r.school_id = $1 AND c.staff_id = $2
            AND (r.dry_run OR j.state IN ('held', 'cancelled'))
        "#,
        school_id.as_str(),
        id.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(pending)
}

/// The person's line manager as the MIS names them, or otherwise iP's key.
async fn read_manager(pool: &PgPool, person: &Person) -> Result<Option<FieldValue>, Error> {
    let name = sqlx::query_scalar!(
        r#"
        SELECT coalesce(m.wonde_id, m.id::text) FROM staff s JOIN staff m ON m.id = s.line_manager_id
        WHERE s.id = $1
        "#,
        person.id.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(name.flatten().map(FieldValue::Text))
}

/// Compares a field, with the value of the MIS that a dry run found.
fn compare(
    provenance: &mut Provenance,
    pending: &[Pending],
    manager: Option<&FieldValue>,
) -> FieldEvidence {
    let field = provenance.field;
    let found = pending.iter().find(|change| change.field == field.as_str());
    // A change of line manager contains iP's key of the manager, which the MIS does not know.
    if let Some(change) = found.filter(|_| field != SyncedField::LineManager)
        && let Ok(changed) = change.field.parse::<ChangedField>()
    {
        provenance.mis_said = true;
        provenance.mis_value = change.new_value.clone().and_then(|text| changed.value(text));
    }
    let in_ip = match field {
        SyncedField::LineManager => manager,
        _ => provenance.ip_value.as_ref(),
    };
    FieldEvidence {
        field,
        mis_said: provenance.mis_said,
        differs: in_ip != provenance.mis_value.as_ref(),
        pending: found.is_some(),
    }
}
