//! Who reports to whom: the second pass, once everybody of the school is in iP.

use std::collections::HashSet;

use mis_sync_domain::{
    IssueCode, Lease,
    line_manager::{self, HierarchyLists, on_a_circle},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Run,
    issues::Issues,
    roster::{LinkedStaff, Roster},
};
use crate::Error;

/// Somebody of this sync of whom the MIS says whom they report to.
struct Reporting<'a> {
    person: &'a LinkedStaff,
    /// Created by this very sync: their first manager is no change of theirs.
    is_new: bool,
    /// Wonde id of the manager.
    said: Option<&'a str>,
    /// The MIS names a manager who is not in iP.
    names_nobody: bool,
    /// Whom they shall report to, in iP.
    manager: Option<Uuid>,
    manager_active: bool,
}

/// Links the line managers that the MIS names. What cannot be linked is an issue of that person,
/// whose manager in iP stays as it is, unless that one is inactive; the rest is linked.
///
/// Which way Wonde's lists point is seen over a whole school only: a delta goes by what the last
/// full sync saw, and leaves managers alone where the lists are of reports, because the list of
/// one manager does not say who has another one now.
pub(super) async fn link(
    db: &mut PgConnection,
    run: &Run<'_>,
    roster: &Roster,
    issues: &mut Issues,
) -> Result<(), Error> {
    let listings = read_listings(db, run.lease).await?;
    let Some(name) = direction(db, run, &listings).await? else {
        notice_withheld(run, roster, issues);
        return Ok(());
    };
    let people = who_reports_to_whom(&listings, roster, name);
    let mut links = Links::default();
    for (reporting, doubt) in people.iter().zip(find_doubts(&people, roster)) {
        let person = reporting.person;
        let after =
            if doubt.is_some() { kept(reporting.person, roster) } else { reporting.manager };
        if let Some(code) = doubt {
            issues.push(code, &person.wonde_id);
        }
        if person.line_manager_id != after || person.manager_said.as_deref() != reporting.said {
            links.push(reporting, after);
        }
    }
    links.record(db, run.lease).await?;
    if run.dry_run { Ok(()) } else { links.apply(db).await }
}

/// Which way the lists point; `None`: not known, or no list names anybody.
async fn direction(
    db: &mut PgConnection,
    run: &Run<'_>,
    listings: &[Listing],
) -> Result<Option<HierarchyLists>, Error> {
    let known = run.fetched.hierarchy_lists;
    if !run.fetched.is_full {
        return Ok(known.filter(|known| *known == HierarchyLists::Managers));
    }
    let seen = HierarchyLists::of_school(&lists(listings));
    if seen.is_some() && seen != known && !run.dry_run {
        sqlx::query!(
            "UPDATE school SET hierarchy_lists = $2 WHERE id = $1",
            run.school_id.as_str(),
            seen.map(HierarchyLists::as_str),
        )
        .execute(db)
        .await?;
    }
    Ok(seen)
}

fn lists(listings: &[Listing]) -> Vec<(&str, &[String])> {
    listings
        .iter()
        .map(|listing| (listing.wonde_id.as_str(), listing.hierarchy.as_slice()))
        .collect()
}

/// A full list in which nobody has a manager, though people had, is one to which access was
/// withdrawn; one without current staff says nothing about managers.
fn notice_withheld(run: &Run<'_>, roster: &Roster, issues: &mut Issues) {
    let had_managers = roster.staff.values().any(|person| person.manager_said.is_some());
    if run.fetched.is_full && run.fetched.current > 0 && had_managers {
        issues.push_of_school(IssueCode::LineManagersWithheld);
    }
}

/// Somebody in Wonde's list, with the people listed above or below them.
struct Listing {
    wonde_id: String,
    hierarchy: Vec<String>,
    /// The MIS may set the person's line manager.
    is_owned: bool,
}

/// Everybody's list, theirs included who are not imported: their reports still report to them.
async fn read_listings(db: &mut PgConnection, lease: Lease) -> Result<Vec<Listing>, Error> {
    let listings = sqlx::query_as!(
        Listing,
        r#"
        SELECT t.wonde_id AS "wonde_id!", t.hierarchy AS "hierarchy!",
            m.issue IS NULL AND (f.owns_line_manager OR m.staff_id IS NULL) AS "is_owned!"
        FROM stage_match m
        JOIN stage_staff t
            ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
        JOIN stage_fetch f ON f.job_id = m.job_id
        WHERE m.job_id = $1 AND t.hierarchy IS NOT NULL
        UNION ALL
        SELECT wonde_id, hierarchy, false FROM stage_present
        WHERE job_id = $1 AND hierarchy IS NOT NULL
        "#,
        lease.job_id.0,
    )
    .fetch_all(db)
    .await?;
    Ok(listings)
}

fn who_reports_to_whom<'a>(
    listings: &'a [Listing],
    roster: &'a Roster,
    name: HierarchyLists,
) -> Vec<Reporting<'a>> {
    let managers = line_manager::from_lists(&lists(listings), name);
    let reporting = |listing: &'a Listing| {
        let person = roster.staff.get(&listing.wonde_id)?;
        let said = match managers.get(listing.wonde_id.as_str()).copied() {
            _ if person.stays() => person.manager_said.as_deref(),
            said => said,
        };
        // Nobody new reports to somebody whose record may be another's by now.
        let may_lead = |manager: &&LinkedStaff| {
            !manager.in_doubt || person.line_manager_id == Some(manager.id)
        };
        let manager = said.and_then(|said| roster.staff.get(roster.leading(said))).filter(may_lead);
        let is_missing = manager.is_none()
            && said.is_some_and(|said| !roster.coming.contains(roster.leading(said)));
        let is_owned =
            listing.is_owned && !person.stays() && !(roster.keeps_managers && said.is_none());
        Some(Reporting {
            person,
            is_new: roster.new.contains(&person.id),
            said,
            names_nobody: is_owned && is_missing,
            manager: if is_owned {
                manager.map(|manager| manager.id)
            } else {
                person.line_manager_id
            },
            manager_active: !is_owned || manager.is_some_and(|manager| manager.active),
        })
    };
    listings.iter().filter_map(reporting).collect()
}

/// Why each person's manager cannot be linked. Somebody who cannot be linked keeps the manager
/// they have, which can close a circle with somebody else's new one: so until nothing moves.
fn find_doubts(people: &[Reporting<'_>], roster: &Roster) -> Vec<Option<IssueCode>> {
    let alone = |reporting: &Reporting<'_>| match reporting.manager {
        None => reporting.names_nobody.then_some(IssueCode::ManagerMissing),
        Some(_) => (!reporting.manager_active).then_some(IssueCode::ManagerInactive),
    };
    let listed: HashSet<Uuid> = people.iter().map(|reporting| reporting.person.id).collect();
    let unlisted: Vec<(Uuid, Uuid)> = roster
        .staff
        .values()
        .filter(|person| !listed.contains(&person.id))
        .filter_map(|person| Some((person.id, person.line_manager_id?)))
        .collect();
    let mut doubts: Vec<Option<IssueCode>> = people.iter().map(alone).collect();
    loop {
        let mut outcome = unlisted.clone();
        outcome.extend(people.iter().zip(&doubts).filter_map(|(reporting, doubt)| {
            let person = reporting.person;
            let after =
                if doubt.is_some() { kept(reporting.person, roster) } else { reporting.manager };
            Some((person.id, after?))
        }));
        let circle = on_a_circle(&outcome);
        let mut settled = true;
        for (reporting, doubt) in people.iter().zip(&mut doubts) {
            let moves = doubt.is_none() && reporting.person.line_manager_id != reporting.manager;
            if moves && circle.contains(&reporting.person.id) {
                *doubt = Some(IssueCode::ManagerCircle);
                settled = false;
            }
        }
        if settled {
            return doubts;
        }
    }
}

/// Whom a person goes on reporting to when the MIS' word cannot be followed: nobody reports to
/// somebody who is inactive, unless it was not approved that this empties line managers.
fn kept(person: &LinkedStaff, roster: &Roster) -> Option<Uuid> {
    let may_stay = |manager: &Uuid| roster.keeps_managers || !roster.inactive.contains(manager);
    person.line_manager_id.filter(may_stay)
}

/// People whose line manager, or what the MIS says of it, changes; column by column.
#[derive(Default)]
struct Links {
    staff_ids: Vec<Uuid>,
    wonde_ids: Vec<String>,
    are_new: Vec<bool>,
    before: Vec<Option<Uuid>>,
    after: Vec<Option<Uuid>>,
    said: Vec<Option<String>>,
}

impl Links {
    fn push(&mut self, reporting: &Reporting<'_>, after: Option<Uuid>) {
        let person = reporting.person;
        self.staff_ids.push(person.id);
        self.wonde_ids.push(person.wonde_id.clone());
        self.are_new.push(reporting.is_new);
        self.before.push(person.line_manager_id);
        self.after.push(after);
        self.said.push(reporting.said.map(str::to_owned));
    }

    async fn record(&self, db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
        if self.are_new.iter().all(|is_new| *is_new) {
            return Ok(());
        }
        sqlx::query!(
            r#"
            INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
            SELECT $1, staff_id, wonde_id, 'line_manager_id', before::text, after::text
            FROM UNNEST($2::uuid[], $3::text[], $4::bool[], $5::uuid[], $6::uuid[])
                AS l (staff_id, wonde_id, is_new, before, after)
            WHERE NOT is_new AND before IS DISTINCT FROM after
            "#,
            lease.job_id.0,
            &self.staff_ids,
            &self.wonde_ids,
            &self.are_new,
            &self.before as &[Option<Uuid>],
            &self.after as &[Option<Uuid>],
        )
        .execute(db)
        .await?;
        Ok(())
    }

    async fn apply(&self, db: &mut PgConnection) -> Result<(), Error> {
        if self.staff_ids.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            r#"
            UPDATE staff s SET line_manager_id = l.after, updated_at = now(),
                mis_values = coalesce(s.mis_values, '{}')
                    || jsonb_build_object('line_manager', l.said)
            FROM UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS l (staff_id, after, said)
            WHERE s.id = l.staff_id
            "#,
            &self.staff_ids,
            &self.after as &[Option<Uuid>],
            &self.said as &[Option<String>],
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
