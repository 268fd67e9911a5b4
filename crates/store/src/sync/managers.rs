//! Who reports to whom: the second pass, once everybody of the school is in iP.

use mis_sync_domain::{IssueCode, Lease, SchoolId, line_manager::on_a_circle};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

/// Somebody of this sync whose hierarchy was delivered, and whom the MIS names as manager.
struct Reporting {
    staff_id: Uuid,
    wonde_id: String,
    /// Created by this very sync: their first manager is no change of theirs.
    is_new: bool,
    now: Option<Uuid>,
    names_manager: bool,
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
    let people = read_reporting(db, lease, school_id).await?;
    if people.is_empty() {
        return Ok(());
    }
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

/// Why each person's manager cannot be linked. Somebody who cannot be linked keeps the manager
/// they have, which can close a circle with somebody else's new one: so until nothing moves.
fn find_doubts(people: &[Reporting]) -> Vec<Option<IssueCode>> {
    let alone = |person: &Reporting| match person.manager {
        None => person.names_manager.then_some(IssueCode::ManagerMissing),
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

/// The list of a person is their managers, the nearest first, or their reports: Wonde does not
/// say which. A school has fewer managers than people who have one, so the side with fewer
/// people is the managers'. Where both sides are equal the lists are taken for managers.
async fn read_reporting(
    db: &mut PgConnection,
    lease: Lease,
    school_id: &SchoolId,
) -> Result<Vec<Reporting>, Error> {
    let people = sqlx::query_as!(
        Reporting,
        r#"
        WITH direction AS (
            SELECT count(DISTINCT wonde_id) >= count(DISTINCT listed) AS lists_managers
            FROM stage_hierarchy WHERE job_id = $1
        ), named AS (
            SELECT DISTINCT ON (person) person, manager
            FROM (
                SELECT position, place,
                    CASE WHEN lists_managers THEN wonde_id ELSE listed END AS person,
                    CASE WHEN lists_managers THEN listed ELSE wonde_id END AS manager
                FROM stage_hierarchy, direction WHERE job_id = $1
            ) pairs
            ORDER BY person, position DESC, place
        )
        SELECT p.id AS staff_id, t.wonde_id AS "wonde_id!", t.staff_id IS NULL AS "is_new!",
            p.line_manager_id AS now, n.manager IS NOT NULL AND c.wonde_id IS NULL AS "names_manager!",
            m.id AS "manager?", coalesce(m.active, false) AS "manager_active!"
        FROM stage_target t
        JOIN stage_fetch f ON f.job_id = t.job_id
        JOIN staff p ON p.school_id = $2 AND p.wonde_id = t.wonde_id
        LEFT JOIN named n ON n.person = t.wonde_id
        LEFT JOIN staff m ON m.school_id = $2 AND m.wonde_id = n.manager
        -- In a dry run a manager may be somebody who would be created.
        LEFT JOIN stage_match c ON c.job_id = $1 AND c.wonde_id = n.manager
            AND c.staff_id IS NULL AND c.issue IS NULL AND m.id IS NULL
        WHERE t.job_id = $1 AND t.hierarchy_delivered
            AND (f.owns_line_manager OR t.staff_id IS NULL)
        ORDER BY t.position
        "#,
        lease.job_id.0,
        school_id.as_str(),
    )
    .fetch_all(db)
    .await?;
    Ok(people)
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
