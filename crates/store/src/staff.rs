//! The people of a school in iP, and where their data come from.

mod search;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    FieldValue, JobId, SchoolId, StaffId, StaffMember, SyncedField, plan::Named,
};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::Error;

pub use search::{ListedPerson, StaffFilter, search, settled_until};

/// Everyone of a school, in the order of their ids.
pub async fn list(pool: &PgPool, school_id: &SchoolId) -> Result<Vec<StaffMember>, Error> {
    let everyone = search(pool, school_id, &StaffFilter::default(), None, i64::MAX).await?;
    Ok(everyone.into_iter().map(|listed| listed.member).collect())
}

/// How these people of a school are recognised.
pub async fn named(
    pool: &PgPool,
    school_id: &SchoolId,
    ids: &[StaffId],
) -> Result<Vec<(StaffId, Named)>, Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT id, email, first_name, surname, initials, job_title
        FROM staff WHERE id = ANY($2) AND school_id = $1
        "#,
        school_id.as_str(),
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let named = rows.into_iter().map(|row| {
        let named = Named {
            first_name: row.first_name,
            surname: row.surname,
            email: row.email,
            initials: row.initials,
            job_title: row.job_title,
        };
        (StaffId(row.id), named)
    });
    Ok(named.collect())
}

/// One person, and where each synced field comes from.
pub struct Person {
    pub id: StaffId,
    /// Wonde's id of the person; `None` if they were added by hand and are not linked yet.
    pub wonde_id: Option<String>,
    pub active: bool,
    /// Whether the person has to use *Forgot Password* before the first login.
    pub password_reset_required: bool,
    /// When the person was created.
    pub created_at: DateTime<Utc>,
    /// When a sync or the app last changed the row.
    pub updated_at: DateTime<Utc>,
    /// One for each of [`SyncedField::ALL`], in that order.
    pub fields: Vec<Provenance>,
}

/// The values of one field in iP and in the MIS, and when iP's was set.
pub struct Provenance {
    pub field: SyncedField,
    /// The value in iP; `None` if empty.
    pub ip_value: Option<FieldValue>,
    /// Whether the MIS ever gave a value.
    pub mis_said: bool,
    /// The last value of the MIS; `None` if there is none or it is empty. For the line manager it
    /// is a Wonde id.
    pub mis_value: Option<FieldValue>,
    /// When a sync last set the field, or otherwise when the person was created.
    pub last_set_at: DateTime<Utc>,
    /// The sync that set it; `None` if none did, or if its job is no longer kept.
    pub last_set_by: Option<JobId>,
}

/// One person of a school; `None` if there is no such person in it.
pub async fn get(
    pool: &PgPool,
    school_id: &SchoolId,
    id: StaffId,
) -> Result<Option<Person>, Error> {
    let row = sqlx::query_as!(
        PersonRow,
        r#"
        SELECT id, wonde_id, email, first_name, surname, initials, job_title, non_teaching,
            line_manager_id, photo_hash, active, password_reset_required, mis_values, created_at,
            updated_at
        FROM staff WHERE school_id = $1 AND id = $2
        "#,
        school_id.as_str(),
        id.0,
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let set = last_set(pool, id).await?;
    row.with_history(&set).map(Some)
}

struct PersonRow {
    id: Uuid,
    wonde_id: Option<String>,
    email: String,
    first_name: String,
    surname: String,
    initials: Option<String>,
    job_title: Option<String>,
    non_teaching: bool,
    line_manager_id: Option<Uuid>,
    photo_hash: Option<String>,
    active: bool,
    password_reset_required: bool,
    mis_values: Option<Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The last sync that set a field of a person, or created them.
struct LastSet {
    field: String,
    job_id: Uuid,
    at: DateTime<Utc>,
}

/// The latest change of each field of a person. Dry runs do not count.
async fn last_set(pool: &PgPool, id: StaffId) -> Result<Vec<LastSet>, Error> {
    let rows = sqlx::query_as!(
        LastSet,
        r#"
        SELECT DISTINCT ON (c.field) c.field, c.job_id, j.finished_at AS "at!"
        FROM job_change c JOIN job j ON j.id = c.job_id
        WHERE c.staff_id = $1 AND j.finished_at IS NOT NULL
            AND j.options ->> 'dry_run' IS DISTINCT FROM 'true'
        ORDER BY c.field, j.finished_at DESC, c.position DESC
        "#,
        id.0,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

impl PersonRow {
    fn with_history(self, set: &[LastSet]) -> Result<Person, Error> {
        let find = |name: &str| set.iter().find(|change| change.field == name);
        let created_by = find("created").map(|created| JobId(created.job_id));
        let provenance = |field: SyncedField| {
            let said = self.said(field);
            let changed = find(field.as_str());
            Ok(Provenance {
                field,
                ip_value: self.ip_value(field),
                mis_said: said.is_some(),
                mis_value: said.map_or(Ok(None), |value| self.read(value))?,
                last_set_at: changed.map_or(self.created_at, |change| change.at),
                last_set_by: changed.map(|change| JobId(change.job_id)).or(created_by),
            })
        };
        let fields =
            SyncedField::ALL.iter().copied().map(provenance).collect::<Result<_, Error>>()?;
        Ok(Person {
            id: StaffId(self.id),
            wonde_id: self.wonde_id,
            active: self.active,
            password_reset_required: self.password_reset_required,
            created_at: self.created_at,
            updated_at: self.updated_at,
            fields,
        })
    }

    fn ip_value(&self, field: SyncedField) -> Option<FieldValue> {
        let text = match field {
            SyncedField::NonTeaching => return Some(FieldValue::Flag(self.non_teaching)),
            SyncedField::Email => Some(self.email.clone()),
            SyncedField::FirstName => Some(self.first_name.clone()),
            SyncedField::Surname => Some(self.surname.clone()),
            SyncedField::Initials => self.initials.clone(),
            SyncedField::JobTitle => self.job_title.clone(),
            SyncedField::LineManager => self.line_manager_id.map(|id| id.to_string()),
            SyncedField::Photo => self.photo_hash.clone(),
        };
        text.map(FieldValue::Text)
    }

    /// What the MIS last said about a field; `None` if it never said anything.
    fn said(&self, field: SyncedField) -> Option<&Value> {
        let name = match field {
            // A Wonde id and not iP's key, so it does not have the name of the column.
            SyncedField::LineManager => "line_manager",
            other => other.as_str(),
        };
        self.mis_values.as_ref()?.get(name)
    }

    fn read(&self, said: &Value) -> Result<Option<FieldValue>, Error> {
        match said {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(FieldValue::Flag(*flag))),
            Value::String(text) => Ok(Some(FieldValue::Text(text.clone()))),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(Error::Inconsistent {
                table: "staff",
                column: "mis_values",
                id: self.id.to_string(),
            }),
        }
    }
}
