//! Finds people by name, email or any id, in one school or in all: those who are in iP, and records of the
//! MIS that the last sync left out.

use std::collections::HashSet;

use mis_sync_domain::{NameQuery, RecordOutcome, SchoolId, StaffId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::Error;

/// Whom to find.
#[derive(Clone, Copy)]
pub struct Sought<'a> {
    /// What was typed, without spaces around it.
    pub text: &'a str,
    /// Only in this school.
    pub school_id: Option<&'a SchoolId>,
}

/// A person, or a record of someone who is not in iP.
#[derive(Clone)]
pub struct FoundPerson {
    pub school_id: SchoolId,
    pub school_name: String,
    /// The person in iP.
    pub staff_id: Option<StaffId>,
    pub wonde_id: Option<String>,
    /// Whether the account in iP is active; `None` if there is no account.
    pub active: Option<bool>,
    /// What the last run concluded, if it saw a record.
    pub outcome: Option<RecordOutcome>,
    pub name: Option<String>,
    /// The id in the MIS itself. It is kept only of records with an issue.
    pub mis_id: Option<String>,
}

/// Names are personal data, so only the ids are printed.
impl std::fmt::Debug for FoundPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundPerson")
            .field("staff_id", &self.staff_id)
            .field("wonde_id", &self.wonde_id)
            .finish_non_exhaustive()
    }
}

struct Row {
    school_id: String,
    school_name: String,
    staff_id: Option<Uuid>,
    wonde_id: Option<String>,
    active: Option<bool>,
    outcome: Option<String>,
    name: Option<String>,
    mis_id: Option<String>,
}

impl TryFrom<Row> for FoundPerson {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let broken = |table, column| {
            let id = row.wonde_id.clone().unwrap_or_else(|| row.school_id.clone());
            Error::Inconsistent { table, column, id }
        };
        let outcome = row.outcome.as_deref().map(str::parse).transpose();
        Ok(Self {
            outcome: outcome.map_err(|_| broken("mis_person", "outcome"))?,
            school_id: row.school_id.parse().map_err(|_| broken("school", "id"))?,
            school_name: row.school_name,
            staff_id: row.staff_id.map(StaffId),
            wonde_id: row.wonde_id,
            active: row.active,
            name: row.name,
            mis_id: row.mis_id,
        })
    }
}

/// Everyone whose email or id this is, in any case, or whose staff id ends like this. People in iP come
/// first.
pub async fn by_key(pool: &PgPool, sought: Sought<'_>) -> Result<Vec<FoundPerson>, Error> {
    let school_id = sought.school_id.map(SchoolId::as_str);
    let staff_id: Option<Uuid> = sought.text.parse().ok();
    let in_ip = sqlx::query_as!(
        Row,
        r#"
        SELECT s.school_id, c.name AS school_name, s.id AS "staff_id?", s.wonde_id,
            s.active AS "active?", p.outcome AS "outcome?",
            s.first_name || ' ' || s.surname AS name, NULL::text AS mis_id
        FROM staff s
        JOIN school c ON c.id = s.school_id
        LEFT JOIN mis_person p ON p.school_id = s.school_id AND p.wonde_id = s.wonde_id
        WHERE (s.id = $1 OR right(s.id::text, 8) = lower($2) OR s.email_key = lower($2)
                OR lower(s.wonde_id) = lower($2) OR lower(s.upi) = lower($2))
            AND ($3::text IS NULL OR s.school_id = $3)
        ORDER BY s.active DESC, s.id LIMIT 50
        "#,
        staff_id,
        sought.text,
        school_id,
    )
    .fetch_all(pool)
    .await?;
    let in_mis = sqlx::query_as!(
        Row,
        r#"
        -- The few records are found before they are put in order: the planner thinks that they are
        -- many, and would walk through everything in that order.
        WITH record AS MATERIALIZED (
            SELECT school_id, wonde_id, staff_id, outcome FROM mis_person
            WHERE (lower(wonde_id) = lower($1) OR email_key = lower($1) OR lower(upi) = lower($1))
                AND ($2::text IS NULL OR school_id = $2)
        )
        SELECT p.school_id, c.name AS school_name, s.id AS "staff_id?", p.wonde_id AS "wonde_id?",
            s.active AS "active?", p.outcome AS "outcome?",
            coalesce(s.first_name || ' ' || s.surname, n.name) AS name, n.mis_id AS "mis_id?"
        FROM record p
        JOIN school c ON c.id = p.school_id
        LEFT JOIN staff s ON s.id = p.staff_id AND s.school_id = p.school_id
        LEFT JOIN mis_name n ON n.school_id = p.school_id AND n.wonde_id = p.wonde_id
        ORDER BY p.school_id, p.wonde_id LIMIT 50
        "#,
        sought.text,
        school_id,
    )
    .fetch_all(pool)
    .await?;
    each_once(in_ip.into_iter().chain(in_mis))
}

/// People in iP whose name has these words: those who can log in first, then by surname.
pub async fn by_name(
    pool: &PgPool,
    query: &NameQuery,
    school_id: Option<&SchoolId>,
    limit: i64,
) -> Result<Vec<FoundPerson>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT s.school_id AS "school_id!", c.name AS school_name, s.id AS "staff_id?", s.wonde_id,
            s.active AS "active?", p.outcome AS "outcome?", s.first_name || ' ' || s.surname AS name,
            NULL::text AS mis_id
        FROM (
            SELECT id, school_id, wonde_id, active, first_name, surname FROM staff
            WHERE name_words(first_name || ' ' || surname || ' ' || coalesce(initials, ''))
                    @@ $1::text::tsquery
                AND ($2::text IS NULL OR school_id = $2)
            -- Of very many, any will do: the reader has to type more.
            LIMIT 500
        ) s
        JOIN school c ON c.id = s.school_id
        LEFT JOIN mis_person p ON p.school_id = s.school_id AND p.wonde_id = s.wonde_id
        ORDER BY s.active DESC, s.surname, s.first_name, s.id LIMIT $3
        "#,
        tsquery(query),
        school_id.map(SchoolId::as_str),
        limit,
    )
    .fetch_all(pool)
    .await?;
    each_once(rows)
}

/// Records with an issue in the last runs whose name has these words, or whose id in the MIS this is.
pub async fn with_issue(
    pool: &PgPool,
    sought: Sought<'_>,
    query: Option<&NameQuery>,
    limit: i64,
) -> Result<Vec<FoundPerson>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT n.school_id AS "school_id!", c.name AS school_name, s.id AS "staff_id?",
            n.wonde_id AS "wonde_id?", s.active AS "active?", p.outcome AS "outcome?",
            coalesce(s.first_name || ' ' || s.surname, n.name) AS name, n.mis_id
        FROM (
            SELECT school_id, wonde_id, name, mis_id FROM mis_name
            WHERE (words @@ $1::text::tsquery OR lower(mis_id) = lower($2))
                AND ($3::text IS NULL OR school_id = $3)
            -- Of very many, any will do: the reader has to type more.
            LIMIT 500
        ) n
        JOIN school c ON c.id = n.school_id
        LEFT JOIN mis_person p ON p.school_id = n.school_id AND p.wonde_id = n.wonde_id
        LEFT JOIN staff s ON s.id = p.staff_id AND s.school_id = n.school_id
        ORDER BY n.name, n.school_id, n.wonde_id LIMIT $4
        "#,
        query.map(tsquery),
        sought.text,
        sought.school_id.map(SchoolId::as_str),
        limit,
    )
    .fetch_all(pool)
    .await?;
    each_once(rows)
}

/// Each word as the beginning of a word, all of them required. A [`NameQuery`] has only letters and
/// digits, so nothing in it can be an operator.
fn tsquery(query: &NameQuery) -> String {
    let words: Vec<String> = query.words().iter().map(|word| format!("'{word}':*")).collect();
    words.join(" & ")
}

fn each_once(rows: impl IntoIterator<Item = Row>) -> Result<Vec<FoundPerson>, Error> {
    let all: Vec<FoundPerson> =
        rows.into_iter().map(FoundPerson::try_from).collect::<Result<_, _>>()?;
    Ok(without_repeats(all))
}

/// Each person, and each record of someone who is not in iP, once.
pub fn without_repeats(all: Vec<FoundPerson>) -> Vec<FoundPerson> {
    let mut seen = HashSet::new();
    let key = |one: &FoundPerson| {
        let person = one.staff_id.map(|id| id.to_string()).or_else(|| one.wonde_id.clone());
        (one.school_id.clone(), person)
    };
    all.into_iter().filter(|one| seen.insert(key(one))).collect()
}
