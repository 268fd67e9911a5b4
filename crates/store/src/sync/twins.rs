//! One person with two current records: the rule is [`mis_sync_domain::twins`].

use mis_sync_domain::{
    identity::{self, Identity},
    twins::{self, Sharing, Twins},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Run;
use crate::Error;

/// Records of this list that are not by themselves.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// People of whom this list has several records.
    joined: Vec<Twins>,
    /// Further records of people whose leading record a delta did not show: alias and leading id.
    alone: Vec<(String, String)>,
    /// Leading records whose further ones a delta did not show.
    leading: Vec<String>,
    /// Further records whose leading one is gone: they lead now.
    pub(super) successors: Successors,
    /// iP knows people with several records.
    are_known: bool,
}

/// Further records that lead now, column by column.
#[derive(Debug, Default)]
pub(super) struct Successors {
    pub(super) wonde_ids: Vec<String>,
    pub(super) staff_ids: Vec<Uuid>,
}

impl Aliases {
    /// The records that are matched by way of another one, and those they belong to.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let joined = self.joined.iter().flat_map(|twins| {
            twins.others.iter().map(|other| (other.as_str(), twins.leads.as_str()))
        });
        joined.chain(self.alone.iter().map(|(alias, leads)| (alias.as_str(), leads.as_str())))
    }

    /// Wonde ids of the records that are matched by way of another one.
    pub(super) fn wonde_ids(&self) -> Vec<String> {
        self.pairs().map(|(alias, _)| alias.to_owned()).collect()
    }
}

/// Finds the records that are one person, and what iP knows of those that were.
pub(super) async fn find(db: &mut PgConnection, run: &Run<'_>) -> Result<Aliases, Error> {
    let mut aliases = Aliases { joined: read_twins(db, run).await?, ..Aliases::default() };
    let known = read_known(db, run).await?;
    aliases.are_known = !known.is_empty();
    for alias in known {
        if aliases.pairs().any(|(wonde_id, _)| wonde_id == alias.wonde_id) {
            continue;
        }
        let is_gone = alias.leading_is_gone || run.fetched.is_full && !alias.leading_is_present;
        match (alias.is_listed, alias.leading_is_listed) {
            (true, false) if is_gone => {
                aliases.successors.wonde_ids.push(alias.wonde_id);
                aliases.successors.staff_ids.push(alias.staff_id);
            }
            (true, false) if alias.is_same => aliases.alone.push((alias.wonde_id, alias.leads)),
            (false, true) if !run.fetched.is_full && !alias.is_gone => {
                aliases.leading.push(alias.leads);
            }
            // They are two people now, or nothing is said of them.
            _ => {}
        }
    }
    Ok(aliases)
}

async fn read_twins(db: &mut PgConnection, run: &Run<'_>) -> Result<Vec<Twins>, Error> {
    let rows = sqlx::query!(
        r#"
        WITH latest AS (
            SELECT DISTINCT ON (wonde_id) wonde_id, first_name, surname, email, job_title,
                non_teaching
            FROM stage_staff WHERE job_id = $1 ORDER BY wonde_id, position DESC
        ), shared AS (
            SELECT lower(email) AS email_key FROM latest GROUP BY 1 HAVING count(*) > 1
        )
        SELECT l.wonde_id AS "wonde_id!", l.first_name AS "first_name!", l.surname AS "surname!",
            l.email AS "email!", l.job_title, l.non_teaching, s.id IS NOT NULL AS "is_linked!"
        FROM shared h
        JOIN latest l ON lower(l.email) = h.email_key
        LEFT JOIN staff s ON s.school_id = $2 AND s.wonde_id = l.wonde_id
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let records: Vec<Sharing<'_>> = rows
        .iter()
        .map(|row| Sharing {
            wonde_id: &row.wonde_id,
            identity: Identity {
                first_name: &row.first_name,
                surname: &row.surname,
                email: &row.email,
                initials: None,
            },
            is_linked: row.is_linked,
            job_title: row.job_title.as_deref(),
            non_teaching: row.non_teaching,
        })
        .collect();
    Ok(twins::find(&records))
}

/// A further record that iP knows of somebody.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer by itself")]
struct Known {
    wonde_id: String,
    staff_id: Uuid,
    leads: String,
    is_listed: bool,
    is_gone: bool,
    leading_is_listed: bool,
    leading_is_present: bool,
    leading_is_gone: bool,
    /// It still has the person's email and names.
    is_same: bool,
}

async fn read_known(db: &mut PgConnection, run: &Run<'_>) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT a.wonde_id, a.staff_id, s.wonde_id AS "leads!", s.first_name, s.surname, s.email,
            t.first_name AS "said_first_name?", t.surname AS "said_surname?",
            t.email AS "said_email?",
            EXISTS (SELECT FROM stage_gone g WHERE g.job_id = $1 AND g.kind = 'employee'
                AND g.wonde_id = a.wonde_id) AS "is_gone!",
            EXISTS (SELECT FROM stage_staff l WHERE l.job_id = $1 AND l.wonde_id = s.wonde_id)
                AS "leading_is_listed!",
            EXISTS (SELECT FROM stage_present l WHERE l.job_id = $1 AND l.wonde_id = s.wonde_id)
                AS "leading_is_present!",
            EXISTS (SELECT FROM stage_gone g WHERE g.job_id = $1 AND g.kind = 'employee'
                AND g.wonde_id = s.wonde_id) AS "leading_is_gone!"
        FROM staff_alias a
        JOIN staff s ON s.id = a.staff_id AND s.wonde_id IS NOT NULL
        LEFT JOIN LATERAL (
            SELECT first_name, surname, email FROM stage_staff
            WHERE job_id = $1 AND wonde_id = a.wonde_id ORDER BY position DESC LIMIT 1
        ) t ON true
        WHERE a.school_id = $2
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    let known = rows.into_iter().map(|row| {
        let said = (row.said_first_name, row.said_surname, row.said_email);
        let is_same = match &said {
            (Some(first_name), Some(surname), Some(email)) => {
                let of = |first_name, surname, email| Identity {
                    first_name,
                    surname,
                    email,
                    initials: None,
                };
                let held = of(&row.first_name, &row.surname, &row.email);
                let said = of(first_name, surname, email);
                identity::has_same_names(&held, &said)
                    && identity::folded(held.email) == identity::folded(said.email)
            }
            _ => false,
        };
        Known {
            is_listed: said.2.is_some(),
            wonde_id: row.wonde_id,
            staff_id: row.staff_id,
            leads: row.leads,
            is_gone: row.is_gone,
            leading_is_listed: row.leading_is_listed,
            leading_is_present: row.leading_is_present,
            leading_is_gone: row.leading_is_gone,
            is_same,
        }
    });
    Ok(known.collect())
}

/// Matches further records by way of the one that leads, which gets the roles of all; returns how
/// many there are. The school is told of each.
pub(super) async fn match_aliases(
    db: &mut PgConnection,
    run: &Run<'_>,
    aliases: &Aliases,
) -> Result<u64, Error> {
    let (wonde_ids, leads): (Vec<String>, Vec<String>) =
        aliases.pairs().map(|(alias, leads)| (alias.to_owned(), leads.to_owned())).unzip();
    if !aliases.leading.is_empty() {
        sqlx::query!(
            r#"
            UPDATE stage_match m SET keeps_job_title = true, joined_non_teaching = s.non_teaching
            FROM staff s
            WHERE m.job_id = $1 AND m.wonde_id = ANY($2) AND s.id = m.staff_id
            "#,
            run.lease.job_id.0,
            &aliases.leading,
        )
        .execute(&mut *db)
        .await?;
    }
    if wonde_ids.is_empty() {
        return Ok(0);
    }
    let all = || aliases.joined.iter();
    let leading: Vec<String> = all().map(|twins| twins.leads.clone()).collect();
    let job_titles: Vec<Option<String>> = all().map(|twins| twins.job_title.clone()).collect();
    let non_teaching: Vec<Option<bool>> = all().map(|twins| twins.non_teaching).collect();
    let done = sqlx::query!(
        r#"
        WITH joined AS (
            UPDATE stage_match m
            SET joined_job_title = j.job_title, joined_non_teaching = j.non_teaching
            FROM UNNEST($5::text[], $6::text[], $7::bool[])
                AS j (wonde_id, job_title, non_teaching)
            WHERE m.job_id = $1 AND m.wonde_id = j.wonde_id
        )
        INSERT INTO stage_match
            (job_id, wonde_id, position, staff_id, email_key, held_key, issue, leads_to)
        SELECT DISTINCT ON (a.wonde_id) $1, a.wonde_id, t.position, s.id, lower(t.email),
            lower(t.email), 'two_records_of_one_person', a.leads
        FROM UNNEST($3::text[], $4::text[]) AS a (wonde_id, leads)
        JOIN stage_staff t ON t.job_id = $1 AND t.wonde_id = a.wonde_id
        LEFT JOIN stage_match m ON m.job_id = $1 AND m.wonde_id = a.leads
        LEFT JOIN staff s ON CASE WHEN m.wonde_id IS NOT NULL THEN s.id = m.staff_id
            ELSE s.school_id = $2 AND s.wonde_id = a.leads END
        ORDER BY a.wonde_id, t.position DESC
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        &wonde_ids,
        &leads,
        &leading,
        &job_titles as &[Option<String>],
        &non_teaching as &[Option<bool>],
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Keeps which further records people have, so that classes and line managers that name one of
/// them find the person. Only a full list shows that a record is gone.
pub(super) async fn keep(
    db: &mut PgConnection,
    run: &Run<'_>,
    aliases: &Aliases,
) -> Result<(), Error> {
    let wonde_ids = aliases.wonde_ids();
    if wonde_ids.is_empty() && !aliases.are_known {
        return Ok(());
    }
    sqlx::query!(
        r#"
        DELETE FROM staff_alias WHERE school_id = $2 AND wonde_id <> ALL ($3) AND ($4
            OR wonde_id IN (SELECT wonde_id FROM stage_match WHERE job_id = $1)
            OR wonde_id IN (
                SELECT wonde_id FROM stage_gone WHERE job_id = $1 AND kind = 'employee'))
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
        &wonde_ids,
        run.fetched.is_full,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO staff_alias (school_id, wonde_id, staff_id)
        SELECT $2, m.wonde_id, s.id
        FROM stage_match m JOIN staff s ON s.school_id = $2 AND s.wonde_id = m.leads_to
        WHERE m.job_id = $1 AND m.leads_to IS NOT NULL
        ON CONFLICT (school_id, wonde_id) DO UPDATE SET staff_id = excluded.staff_id
        "#,
        run.lease.job_id.0,
        run.school_id.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}
