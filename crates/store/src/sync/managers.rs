//! Who reports to whom: the second pass, once everybody of the school is in iP.

use std::collections::{HashMap, HashSet};

use mis_sync_domain::{
    IssueCode, Lease, SchoolId,
    line_manager::{self, on_a_circle},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// Somebody of this sync whose line manager follows the MIS.
struct Reporting {
    staff_id: Uuid,
    wonde_id: String,
    /// Created by this very sync: their first manager is no change of theirs.
    is_new: bool,
    now: Option<Uuid>,
    /// The MIS names a manager who is not in iP.
    names_nobody: bool,
    manager: Option<Uuid>,
    manager_active: bool,
}

/// Links the line managers that the MIS names. What cannot be linked is an issue of that person,
/// whose manager in iP stays as it is; the rest is linked.
pub(super) async fn link(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
    dry_run: bool,
) -> Result<(), Error> {
    let listings = read_listings(db, lease).await?;
    if listings.is_empty() {
        return Ok(());
    }
    let people = who_reports_to_whom(&listings, &read_staff(db, school_id).await?);
    let (mut links, mut issues) = (Links::default(), Issues::default());
    for (person, doubt) in people.iter().zip(find_doubts(&people)) {
        match doubt {
            Some(code) => issues.push(code, &person.wonde_id),
            None if person.now != person.manager => links.push(person),
            None => {}
        }
    }
    issues.record(db, lease).await?;
    links.record(db, lease).await?;
    if dry_run { Ok(()) } else { links.apply(db).await }
}

/// Somebody in Wonde's list, with the people listed above or below them.
struct Listing {
    wonde_id: String,
    hierarchy: Vec<String>,
    /// The person is new and is, or in a dry run would be, created.
    is_new: bool,
    /// The MIS may set the person's line manager.
    is_owned: bool,
}

/// Everybody's list, theirs included who are not imported: their reports still report to them.
async fn read_listings(db: &mut PgConnection, lease: Lease) -> Result<Vec<Listing>, Error> {
    let listings = sqlx::query_as!(
        Listing,
        r#"
        SELECT t.wonde_id AS "wonde_id!", t.hierarchy AS "hierarchy!",
            m.staff_id IS NULL AND m.issue IS NULL AS "is_new!",
            m.issue IS NULL AND (f.owns_line_manager OR m.staff_id IS NULL) AS "is_owned!"
        FROM stage_match m
        JOIN stage_staff t
            ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
        JOIN stage_fetch f ON f.job_id = m.job_id
        WHERE m.job_id = $1 AND t.hierarchy IS NOT NULL
        UNION ALL
        SELECT wonde_id, hierarchy, false, false FROM stage_present
        WHERE job_id = $1 AND hierarchy IS NOT NULL
        "#,
        lease.job_id.0,
    )
    .fetch_all(db)
    .await?;
    Ok(listings)
}

struct LinkedStaff {
    id: Uuid,
    wonde_id: String,
    active: bool,
    line_manager_id: Option<Uuid>,
}

/// Everybody of the school who is linked, the people that this sync created included.
async fn read_staff(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Vec<LinkedStaff>, Error> {
    let staff = sqlx::query_as!(
        LinkedStaff,
        r#"
        SELECT id, wonde_id AS "wonde_id!", active, line_manager_id FROM staff
        WHERE school_id = $1 AND wonde_id IS NOT NULL
        "#,
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(staff)
}

fn who_reports_to_whom(listings: &[Listing], staff: &[LinkedStaff]) -> Vec<Reporting> {
    let staff: HashMap<&str, &LinkedStaff> =
        staff.iter().map(|person| (person.wonde_id.as_str(), person)).collect();
    let lists: Vec<(&str, &[String])> = listings
        .iter()
        .map(|listing| (listing.wonde_id.as_str(), listing.hierarchy.as_slice()))
        .collect();
    let managers = line_manager::from_lists(&lists);
    // In a dry run these are not in iP yet, and nobody is missing for that.
    let coming: HashSet<&str> = listings
        .iter()
        .filter(|listing| listing.is_new)
        .map(|listing| listing.wonde_id.as_str())
        .collect();
    let reporting = |listing: &Listing| {
        let person = staff.get(listing.wonde_id.as_str())?;
        let named = managers.get(listing.wonde_id.as_str()).copied();
        let manager = named.and_then(|named| staff.get(named));
        Some(Reporting {
            staff_id: person.id,
            wonde_id: listing.wonde_id.clone(),
            is_new: listing.is_new,
            now: person.line_manager_id,
            names_nobody: manager.is_none() && named.is_some_and(|named| !coming.contains(named)),
            manager: manager.map(|manager| manager.id),
            manager_active: manager.is_some_and(|manager| manager.active),
        })
    };
    listings.iter().filter(|listing| listing.is_owned).filter_map(reporting).collect()
}

/// Why each person's manager cannot be linked. Somebody who cannot be linked keeps the manager
/// they have, which can close a circle with somebody else's new one: so until nothing moves.
fn find_doubts(people: &[Reporting]) -> Vec<Option<IssueCode>> {
    let alone = |person: &Reporting| match person.manager {
        None => person.names_nobody.then_some(IssueCode::ManagerMissing),
        Some(_) => (!person.manager_active).then_some(IssueCode::ManagerInactive),
    };
    let mut doubts: Vec<Option<IssueCode>> = people.iter().map(alone).collect();
    loop {
        let outcome: Vec<(Uuid, Uuid)> = people
            .iter()
            .zip(&doubts)
            .filter_map(|(person, doubt)| {
                let manager = if doubt.is_some() { person.now } else { person.manager };
                Some((person.staff_id, manager?))
            })
            .collect();
        let circle = on_a_circle(&outcome);
        let mut settled = true;
        for (person, doubt) in people.iter().zip(&mut doubts) {
            let moves = doubt.is_none() && person.now != person.manager;
            if moves && circle.contains(&person.staff_id) {
                *doubt = Some(IssueCode::ManagerCircle);
                settled = false;
            }
        }
        if settled {
            return doubts;
        }
    }
}

/// Line managers that change, column by column.
#[derive(Default)]
struct Links {
    staff_ids: Vec<Uuid>,
    wonde_ids: Vec<String>,
    are_new: Vec<bool>,
    before: Vec<Option<Uuid>>,
    after: Vec<Option<Uuid>>,
}

impl Links {
    fn push(&mut self, person: &Reporting) {
        self.staff_ids.push(person.staff_id);
        self.wonde_ids.push(person.wonde_id.clone());
        self.are_new.push(person.is_new);
        self.before.push(person.now);
        self.after.push(person.manager);
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
            WHERE NOT is_new
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
            UPDATE staff s SET line_manager_id = l.after, updated_at = now()
            FROM UNNEST($1::uuid[], $2::uuid[]) AS l (staff_id, after)
            WHERE s.id = l.staff_id
            "#,
            &self.staff_ids,
            &self.after as &[Option<Uuid>],
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// Problems with line managers, column by column.
#[derive(Default)]
struct Issues {
    codes: Vec<String>,
    wonde_ids: Vec<String>,
}

impl Issues {
    fn push(&mut self, code: IssueCode, wonde_id: &str) {
        self.codes.push(code.as_str().to_owned());
        self.wonde_ids.push(wonde_id.to_owned());
    }

    async fn record(&self, db: &mut PgConnection, lease: Lease) -> Result<(), Error> {
        if self.codes.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            r#"
            INSERT INTO job_issue (job_id, code, wonde_id)
            SELECT $1, code, wonde_id FROM UNNEST($2::text[], $3::text[]) AS i (code, wonde_id)
            "#,
            lease.job_id.0,
            &self.codes,
            &self.wonde_ids,
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
