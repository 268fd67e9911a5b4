//! One person at a login: a list of one, compared like a school and applied in one transaction. It
//! has to be quick, so nothing is read that cannot concern one person.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mis_sync_domain::{
    Lease, RefreshOutcome, Report, SchoolId, StaffId, SyncRules,
    line_manager::HierarchyLists,
    plan::{self, Account, Alone, Fetched, Held, MappedPage, NewIds, Ref, Rules},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{MAX_LOOKS, Write, groups, held};
use crate::{Error, jobs, transaction};

/// A login gives up its slot rather than wait for a sync that is writing its school.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '1s'";

/// One person who was fetched.
#[derive(Debug, Clone, Copy)]
pub struct PersonPlan<'a> {
    pub lease: Lease,
    pub school_id: &'a SchoolId,
    /// The rules of the refresh.
    pub rules: SyncRules,
    pub staff_id: StaffId,
    /// Wonde's id of the record that was fetched.
    pub wonde_id: &'a str,
    /// When the fetch began, by the ledger's clock.
    pub as_of: DateTime<Utc>,
    /// The person's record, mapped as a list of one; empty if Wonde no longer knows them.
    pub page: &'a MappedPage,
    /// The classes that the person teaches; `None` if the MIS did not say.
    pub classes: Option<&'a [TaughtClass]>,
}

/// A class that the person teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaughtClass {
    /// Wonde's id of the class.
    pub wonde_id: String,
    /// Whether the person is a main teacher of it.
    pub is_main: bool,
}

/// Compares what was fetched with iP's record of the person, applies the differences, and ends the
/// job. It creates no one and concludes nothing about other people.
///
/// [`Error::PersonMoved`] if the person was linked to another record meanwhile,
/// [`Error::SchoolBusy`] if a sync is writing the school, [`Error::LeaseLost`] if another run took
/// over. In all cases nothing was written.
pub async fn refresh_person(
    pool: &PgPool,
    plan: PersonPlan<'_>,
    elapsed: impl Fn() -> Duration,
) -> Result<Report, Error> {
    let mut looks = 1;
    loop {
        match try_refresh(pool, plan, &elapsed).await {
            Err(error) if error.is_lock_timeout() => return Err(Error::SchoolBusy),
            Err(error) if error.asks_for_another_look() && looks < MAX_LOOKS => looks += 1,
            other => return other,
        }
    }
}

async fn try_refresh(
    pool: &PgPool,
    person: PersonPlan<'_>,
    elapsed: &impl Fn() -> Duration,
) -> Result<Report, Error> {
    let PersonPlan { lease, school_id, staff_id, .. } = person;
    let mut tx = transaction::begin_for(pool, lease, BEGIN).await?;
    let hierarchy_lists = lock(&mut tx, school_id).await?;
    let fetched = fetched(person);
    let held = read(&mut tx, person, &fetched, hierarchy_lists).await?;
    let rules = Rules {
        sync: person.rules,
        left_out: Vec::new(),
        leave_people: Vec::new(),
        has_many_recent_leavers: !fetched.gone.employees.is_empty()
            && has_many_recent_leavers(&mut tx, school_id).await?,
    };
    let planned = plan::plan(&held, &fetched, &rules);

    let write = Write {
        job_id: lease.job_id,
        school_id,
        plan: &planned,
        is_applied: true,
        is_of_one_person: true,
    };
    let ids = NewIds::default();
    write.apply(&mut tx, &ids).await?;
    write.conclude(&mut tx, &ids, &fetched).await?;
    write.tell(&mut tx, &ids, &fetched).await?;
    let report = Report {
        outcome: Some(outcome(&held, &fetched, &planned, staff_id)),
        duration_ms: u64::try_from(elapsed().as_millis()).unwrap_or(u64::MAX),
        ..planned.report.clone()
    };
    jobs::succeed(&mut tx, lease, &report).await?;
    tx.commit().await?;
    Ok(report)
}

/// Locks the school, because it has only one writer at a time. An outage is over, because Wonde has
/// answered.
async fn lock(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<Option<HierarchyLists>, Error> {
    let name = sqlx::query_scalar!(
        r#"
        WITH back AS (
            DELETE FROM wonde_outage WHERE school_id = $1
        )
        SELECT hierarchy_lists FROM school WHERE id = $1 FOR NO KEY UPDATE
        "#,
        school_id.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(held::hierarchy_lists(name))
}

/// The record as a delta of one person.
fn fetched(person: PersonPlan<'_>) -> Fetched {
    let classes = person.classes.map(|classes| {
        classes.iter().map(|class| (class.wonde_id.clone(), class.is_main)).collect()
    });
    let alone =
        Alone { staff_id: person.staff_id, wonde_id: person.wonde_id.to_owned(), teaches: classes };
    let mut fetched =
        Fetched { started_at: person.as_of, alone: Some(alone), ..Fetched::default() };
    fetched.take(person.page.clone(), 0);
    fetched
}

/// Reads the person, and only what concerns them in the rest of the school: others who may hold
/// their login, their classes, their manager. The whole school is read if they get another manager.
async fn read(
    db: &mut PgConnection,
    person: PersonPlan<'_>,
    fetched: &Fetched,
    hierarchy_lists: Option<HierarchyLists>,
) -> Result<Held, Error> {
    let PersonPlan { school_id, staff_id, wonde_id, .. } = person;
    let hierarchy = fetched.staff.first().and_then(|(_, record)| record.hierarchy.as_deref());
    let hierarchy = hierarchy.filter(|_| hierarchy_lists == Some(HierarchyLists::Managers));
    let named = hierarchy.and_then(|list| list.first()).map(String::as_str);
    let mut people = held::read_some(db, school_id, staff_id, named).await?;
    let is_person = |account: &&Account| {
        account.id == staff_id && account.person.wonde_id.as_deref() == Some(wonde_id)
    };
    let account = people.iter().find(is_person).ok_or(Error::PersonMoved)?;
    if hierarchy.is_some() && !has_manager(account, &people, named) {
        people = held::read_people(db, school_id).await?;
    }
    let known: Vec<Uuid> = people.iter().map(|account| account.id.0).collect();
    Ok(Held {
        aliases: held::read_aliases(db, school_id).await?,
        logins: held::read_logins(db, school_id, Some(&known), &people, held::emails(fetched))
            .await?,
        classes: match person.classes {
            Some(classes) => groups::classes_of_person(db, school_id, staff_id, classes).await?,
            None => Vec::new(),
        },
        evidence: held::read_evidence(db, school_id, Some(wonde_id)).await?,
        hierarchy_lists,
        people,
        ..Held::default()
    })
}

/// Whether iP knows that the MIS names this manager (or none), and has them.
fn has_manager(account: &Account, people: &[Account], named: Option<&str>) -> bool {
    let said = account.person.mis.as_ref().and_then(|mis| mis.line_manager.as_ref());
    let manager = named.and_then(|named| {
        let is_named =
            |one: &&Account| one.person.active && one.person.wonde_id.as_deref() == Some(named);
        people.iter().find(is_named).map(|one| Ref::Known(one.id))
    });
    said.is_some_and(|said| said.0.as_deref() == named) && account.person.line_manager == manager
}

/// Whether so many people of the school became inactive in the last hour that the next is left to a
/// sync: five, or one in twenty of a large school.
async fn has_many_recent_leavers(
    db: &mut PgConnection,
    school_id: &SchoolId,
) -> Result<bool, Error> {
    let has_many = sqlx::query_scalar!(
        r#"
        SELECT count(*) FILTER (WHERE NOT active AND updated_at > now() - interval '1 hour')
            >= greatest(5, count(*) / 20) AS "has_many!"
        FROM staff WHERE school_id = $1 AND wonde_id IS NOT NULL
        "#,
        school_id.as_str(),
    )
    .fetch_one(db)
    .await?;
    Ok(has_many)
}

/// The caller decides by the answer whether to let the person in, so it is about the account in iP.
/// An account that stays active, by whichever rule, has not been closed.
fn outcome(held: &Held, fetched: &Fetched, plan: &plan::Plan, staff_id: StaffId) -> RefreshOutcome {
    let after = plan.changed.iter().find(|one| one.id == staff_id).map(|one| &one.after);
    let before = || held.people.iter().find(|one| one.id == staff_id).map(|one| &one.person);
    let is_active = after.or_else(before).is_some_and(|person| person.active);
    let report = &plan.report;
    if !fetched.gone.employees.is_empty() && !is_active {
        RefreshOutcome::NoLongerCurrent
    } else if report.updated + report.restored + report.classes.updated > 0 {
        RefreshOutcome::Updated
    } else {
        RefreshOutcome::Unchanged
    }
}
