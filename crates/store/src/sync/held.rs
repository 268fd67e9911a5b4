//! Reads iP's record of a school.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    DepartmentId, SchoolId, StaffId, WorkEmail,
    line_manager::HierarchyLists,
    plan::{Account, Decision, Evidence, Fetched, Held, Logins, MisValues, Person, Ref, Rules},
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::groups;
use crate::Error;

/// The record with which a whole school is compared. Only what this list needs is read.
pub(super) async fn read_school(
    db: &mut PgConnection,
    school_id: &SchoolId,
    fetched: &Fetched,
    rules: &Rules,
    hierarchy_lists: Option<HierarchyLists>,
) -> Result<Held, Error> {
    let imports = rules.sync.imports;
    let people = read_people(db, school_id).await?;
    let logins = read_logins(db, school_id, None, &people, emails(fetched)).await?;
    let reads_subjects =
        imports.subjects && (fetched.subjects.is_some() || fetched.classes.is_some());
    let reads_classes = imports.classes && fetched.classes.is_some();
    Ok(Held {
        aliases: read_aliases(db, school_id).await?,
        decisions: read_decisions(db, school_id).await?,
        classes: if reads_classes { groups::classes(db, school_id).await? } else { Vec::new() },
        subjects: if reads_subjects { groups::subjects(db, school_id).await? } else { Vec::new() },
        departments: if rules.sync.clears_departments {
            read_departments(db, school_id).await?
        } else {
            Vec::new()
        },
        evidence: read_evidence(db, school_id, None).await?,
        hierarchy_lists,
        people,
        logins,
    })
}

/// An account as in the tables.
pub(super) struct AccountRow {
    id: Uuid,
    version: i64,
    wonde_id: Option<String>,
    upi: Option<String>,
    email: String,
    email_key: String,
    first_name: String,
    surname: String,
    initials: Option<String>,
    job_title: Option<String>,
    non_teaching: bool,
    active: bool,
    line_manager_id: Option<Uuid>,
    photo_hash: Option<String>,
    mis_values: Option<Json<MisValues>>,
    password_reset_required: bool,
    updated_at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            id: StaffId(row.id),
            version: version(row.version),
            person: Person {
                wonde_id: row.wonde_id,
                upi: row.upi,
                email: row.email,
                first_name: row.first_name,
                surname: row.surname,
                initials: row.initials,
                job_title: row.job_title,
                non_teaching: row.non_teaching,
                active: row.active,
                line_manager: row.line_manager_id.map(|id| Ref::Known(StaffId(id))),
                photo_hash: row.photo_hash,
                mis: row.mis_values.map(|Json(mis)| mis),
            },
            email_key: row.email_key,
            password_reset_required: row.password_reset_required,
            read_at: row.read_at,
            updated_at: row.updated_at,
        }
    }
}

/// `xmin` is a number of 32 bits.
pub(super) fn version(xmin: i64) -> u32 {
    u32::try_from(xmin).unwrap_or_default()
}

/// Accounts; `$which` says which ones. `xmin` changes with every change of the row.
macro_rules! accounts {
    ($db:expr, $which:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            AccountRow,
            r#"
            SELECT s.id, s.xmin::text::bigint AS "version!", s.wonde_id, s.upi, s.email,
                s.email_key, s.first_name, s.surname, s.initials, s.job_title, s.non_teaching,
                s.active, s.line_manager_id, s.photo_hash,
                s.mis_values AS "mis_values: Json<MisValues>", s.password_reset_required,
                s.updated_at, r.read_at AS "read_at?"
            FROM staff s LEFT JOIN staff_read r ON r.staff_id = s.id
            WHERE "# + $which,
            $($argument),+
        )
        .fetch_all($db)
        .await
    };
}

/// Every account of a school.
pub(super) async fn read_people(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<Account>, Error> {
    let rows = accounts!(db, "s.school_id = $1 ORDER BY s.id", school_id.as_str())?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// The account of a person, and those linked to these records.
pub(super) async fn read_some(
    db: &mut PgConnection,
    school_id: &SchoolId,
    id: StaffId,
    wonde_id: Option<&str>,
) -> Result<Vec<Account>, Error> {
    let rows = accounts!(
        db,
        "s.school_id = $1 AND (s.id = $2 OR s.wonde_id = $3) ORDER BY s.id",
        school_id.as_str(),
        id.0,
        wonde_id
    )?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// The emails of a list.
pub(super) fn emails(fetched: &Fetched) -> impl Iterator<Item = &str> {
    let staff = fetched.staff.iter().filter_map(|(_, record)| record.email.as_ref());
    let staff = staff.map(WorkEmail::as_str);
    staff.chain(fetched.left_out.iter().filter_map(|record| record.email.as_deref()))
}

/// How these emails are compared, and which are logins of people who were not read: of other
/// schools, or, if `only` these were read, of this one. A person who can log in with exactly this
/// spelling holds the login.
pub(super) async fn read_logins(
    db: &mut PgConnection,
    school_id: &SchoolId,
    only: Option<&[Uuid]>,
    people: &[Account],
    emails: impl Iterator<Item = &str>,
) -> Result<Logins, Error> {
    let held: HashSet<&str> = people
        .iter()
        .filter(|account| account.person.active)
        .map(|account| account.person.email.as_str())
        .collect();
    let unknown: Vec<&str> = emails.filter(|email| !held.contains(email)).collect();
    if unknown.is_empty() {
        return Ok(Logins::default());
    }
    let rows = sqlx::query!(
        r#"
        SELECT e.email AS "email!", lower(e.email) AS "key!",
            ((SELECT unique_within FROM login_scope) = 'installation' AND EXISTS (
                SELECT FROM staff s WHERE s.login = lower(e.email) AND s.school_id <> $2)
            OR $3::uuid[] IS NOT NULL AND EXISTS (
                SELECT FROM staff s
                WHERE s.login = lower(e.email) AND s.school_id = $2 AND s.id <> ALL ($3))
            ) AS "is_elsewhere!"
        FROM UNNEST($1::text[]) AS e (email)
        "#,
        &unknown as &[&str],
        school_id.as_str(),
        only,
    )
    .fetch_all(db)
    .await?;
    let mut logins = Logins::default();
    for row in rows {
        if row.is_elsewhere {
            logins.elsewhere.insert(row.key.clone());
        }
        logins.keys.insert(row.email, row.key);
    }
    Ok(logins)
}

/// Further records of people who have several.
pub(super) async fn read_aliases(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<(String, StaffId)>, Error> {
    let rows = sqlx::query!(
        "SELECT wonde_id, staff_id FROM staff_alias WHERE school_id = $1 ORDER BY wonde_id",
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.wonde_id, StaffId(row.staff_id))).collect())
}

async fn read_decisions(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<Decision>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT wonde_id, staff_id, in_doubt, mis_first_name, mis_surname, mis_email
        FROM match_decision WHERE school_id = $1 ORDER BY wonde_id
        "#,
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let decisions = rows.into_iter().map(|row| Decision {
        wonde_id: row.wonde_id,
        staff_id: row.staff_id.map(StaffId),
        in_doubt: row.in_doubt,
        shown: match (row.mis_first_name, row.mis_surname, row.mis_email) {
            (Some(first_name), Some(surname), Some(email)) => Some([first_name, surname, email]),
            _ => None,
        },
    });
    Ok(decisions.collect())
}

async fn read_departments(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<(DepartmentId, StaffId)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT d.department_id, d.staff_id
        FROM staff s JOIN department_staff d ON d.staff_id = s.id AND d.archived_at IS NULL
        WHERE s.school_id = $1
        "#,
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let ids = rows.into_iter().map(|row| (DepartmentId(row.department_id), StaffId(row.staff_id)));
    Ok(ids.collect())
}

/// The evidence of the last run that saw each record.
pub(super) async fn read_evidence(
    db: &mut PgConnection,
    school_id: &SchoolId,
    only: Option<&str>,
) -> Result<HashMap<String, Evidence>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT wonde_id, upi, email_key, standing, starts_on, ends_on, teaching, outcome, staff_id,
            matched_by
        FROM mis_person WHERE school_id = $1 AND ($2::text IS NULL OR wonde_id = $2)
        "#,
        school_id.as_str(),
        only,
    )
    .fetch_all(db)
    .await?;
    let mut evidence = HashMap::with_capacity(rows.len());
    for row in rows {
        let broken =
            |column| Error::Inconsistent { table: "mis_person", column, id: row.wonde_id.clone() };
        let matched_by = row.matched_by.map(|name| name.parse()).transpose();
        let one = Evidence {
            upi: row.upi,
            email_key: row.email_key,
            standing: row.standing.parse().map_err(|_| broken("standing"))?,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            teaching: row.teaching,
            outcome: row.outcome.parse().map_err(|_| broken("outcome"))?,
            staff: row.staff_id.map(|id| Ref::Known(StaffId(id))),
            matched_by: matched_by.map_err(|_| broken("matched_by"))?,
        };
        evidence.insert(row.wonde_id, one);
    }
    Ok(evidence)
}

/// Which way Wonde's lists point, by the name in the tables.
pub(super) fn hierarchy_lists(name: Option<String>) -> Option<HierarchyLists> {
    name.and_then(|name| name.parse().ok())
}
