use std::collections::{HashMap, HashSet};

use mis_sync_domain::GuardCategory;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Run;
use crate::Error;

/// Somebody of the school who is linked with the MIS, as they will be after this sync.
pub(super) struct LinkedStaff {
    pub(super) id: Uuid,
    pub(super) wonde_id: String,
    pub(super) active: bool,
    pub(super) line_manager_id: Option<Uuid>,
    /// Wonde id of the line manager that the MIS named last.
    pub(super) manager_said: Option<String>,
    /// Was read after this fetch began, so a later fetch knows better.
    pub(super) read_later: bool,
    /// Their record may be somebody else's by now.
    pub(super) in_doubt: bool,
}

impl LinkedStaff {
    /// Whether this sync leaves their links as they are.
    pub(super) fn stays(&self) -> bool {
        self.read_later || self.in_doubt
    }
}

/// Everybody of the school by Wonde id, the people that this sync creates included.
pub(super) struct Roster {
    pub(super) staff: HashMap<String, LinkedStaff>,
    /// Those of `staff` who are inactive.
    pub(super) inactive: HashSet<Uuid>,
    /// Those of `staff` who stay as they are: a later fetch read them, or their record is in doubt.
    pub(super) stay: HashSet<Uuid>,
    /// Whom a dry run would create; they are not among `staff`.
    pub(super) coming: HashSet<String>,
    /// People whom this sync created.
    pub(super) new: HashSet<Uuid>,
    /// Further records of people who have several, and the record by which each is known.
    pub(super) aliases: HashMap<String, String>,
    /// That line managers are emptied was not approved.
    pub(super) keeps_managers: bool,
}

impl Roster {
    /// Reads it once people are created, updated and deactivated.
    pub(super) async fn read(db: &mut PgConnection, run: &Run<'_>) -> Result<Self, Error> {
        let staff = sqlx::query_as!(
            LinkedStaff,
            r#"
            SELECT s.id, s.wonde_id AS "wonde_id!", s.line_manager_id,
                s.mis_values ->> 'line_manager' AS manager_said,
                CASE WHEN $3 THEN coalesce(
                    (SELECT c.new_value = 'true' FROM job_change c
                        WHERE c.job_id = $2 AND c.staff_id = s.id AND c.field = 'active'),
                    s.active) ELSE s.active END AS "active!",
                coalesce(r.read_at > f.started_at, false) AS "read_later!",
                EXISTS (SELECT FROM stage_match m
                    WHERE m.job_id = $2 AND m.wonde_id = s.wonde_id
                        AND m.issue = 'possible_match') AS "in_doubt!"
            FROM staff s
            JOIN stage_fetch f ON f.job_id = $2
            LEFT JOIN staff_read r ON r.staff_id = s.id
            WHERE s.school_id = $1 AND s.wonde_id IS NOT NULL
            "#,
            run.school_id.as_str(),
            run.lease.job_id.0,
            run.dry_run,
        )
        .fetch_all(&mut *db)
        .await?;
        let created = sqlx::query!(
            r#"
            SELECT staff_id, wonde_id FROM job_change
            WHERE job_id = $1 AND record = 'staff' AND field = 'created'
            "#,
            run.lease.job_id.0,
        )
        .fetch_all(&mut *db)
        .await?;
        let (mut coming, mut new) = (HashSet::new(), HashSet::new());
        for person in created {
            match (person.staff_id, person.wonde_id) {
                (Some(id), _) => drop(new.insert(id)),
                (None, Some(wonde_id)) => drop(coming.insert(wonde_id)),
                (None, None) => {}
            }
        }
        let keeps_managers = run.fetched.leaves_out(GuardCategory::LineManagersEmptied);
        let aliases = read_aliases(db, run).await?;
        Ok(Self { coming, new, aliases, keeps_managers, ..Self::of(staff) })
    }

    /// The record by which the person of a record is known.
    pub(super) fn leading<'a>(&'a self, wonde_id: &'a str) -> &'a str {
        if self.staff.contains_key(wonde_id) {
            return wonde_id;
        }
        self.aliases.get(wonde_id).map_or(wonde_id, String::as_str)
    }

    /// Of these people, none of them new.
    pub(super) fn of(staff: Vec<LinkedStaff>) -> Self {
        let inactive =
            staff.iter().filter(|person| !person.active).map(|person| person.id).collect();
        let stay = staff.iter().filter(|person| person.stays()).map(|person| person.id).collect();
        let staff = staff.into_iter().map(|person| (person.wonde_id.clone(), person)).collect();
        Self {
            staff,
            inactive,
            stay,
            coming: HashSet::new(),
            new: HashSet::new(),
            aliases: HashMap::new(),
            keeps_managers: false,
        }
    }
}

/// Those of this list, and those that were known before.
async fn read_aliases(
    db: &mut PgConnection,
    run: &Run<'_>,
) -> Result<HashMap<String, String>, Error> {
    let aliases = sqlx::query!(
        r#"
        SELECT a.wonde_id AS "alias!", s.wonde_id AS "leads!"
        FROM staff_alias a JOIN staff s ON s.id = a.staff_id
        WHERE a.school_id = $1 AND s.wonde_id IS NOT NULL
        UNION ALL
        SELECT wonde_id, leads_to FROM stage_match WHERE job_id = $2 AND leads_to IS NOT NULL
        "#,
        run.school_id.as_str(),
        run.lease.job_id.0,
    )
    .fetch_all(db)
    .await?;
    Ok(aliases.into_iter().map(|row| (row.alias, row.leads)).collect())
}
