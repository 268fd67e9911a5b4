//! What the lists show of changes since a moment.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use mis_sync_wonde::{DeletionKind, EmployeeInclude, EmployeeQuery, WondeId};
use mis_sync_wonde_sim::{Outcome, Scenario, ScenarioName, SimulatorOptions};

use super::{World, records};

/// Lets an hour pass, then runs `scenario`; returns a moment in between.
fn an_hour_later(world: &World, scenario: impl Into<Scenario>) -> (DateTime<Utc>, Outcome) {
    let simulator = world.simulator.simulator();
    let moment = simulator.now() + TimeDelta::minutes(30);
    simulator.set_now(moment + TimeDelta::minutes(30));
    let outcome = simulator.apply_scenario(&simulator.schools()[0].id, scenario).unwrap();
    (moment, outcome)
}

fn ids<'a>(ids: impl IntoIterator<Item = &'a WondeId>) -> BTreeSet<String> {
    ids.into_iter().map(WondeId::to_string).collect()
}

fn changed_after(moment: DateTime<Utc>) -> EmployeeQuery {
    let include = vec![EmployeeInclude::EmploymentDetails];
    EmployeeQuery { include, updated_after: Some(moment), ..EmployeeQuery::default() }
}

#[tokio::test]
async fn only_who_changed_since_is_read() {
    let world = World::start(SimulatorOptions::default()).await;
    let three = Scenario { count: Some(3), ..ScenarioName::Leaver.into() };
    let (moment, outcome) = an_hour_later(&world, three);
    assert_eq!(outcome.touched.len(), 3);

    let changed = world.employees(&changed_after(moment)).await;
    let touched: BTreeSet<String> = outcome.touched.into_iter().collect();
    assert_eq!(ids(changed.iter().map(|employee| &employee.id)), touched);
    for employee in &changed {
        let employment = employee.employment_details.delivered().unwrap().as_ref().unwrap();
        assert_eq!(employment.current, Some(false));
    }
    let left = records(world.client.deletions(DeletionKind::Employee, None, None)).await;
    assert!(left.is_empty(), "a leaver is not deleted: {left:?}");
    let later = moment + TimeDelta::hours(2);
    assert!(world.employees(&changed_after(later)).await.is_empty());
    let before = moment - TimeDelta::days(36_500);
    assert_eq!(world.employees(&changed_after(before)).await.len(), 45);
}

#[tokio::test]
async fn the_deleted_are_gone_and_among_the_deletions_until_restored() {
    let world = World::start(SimulatorOptions::default()).await;
    let two = Scenario { count: Some(2), ..ScenarioName::Deleted.into() };
    let (moment, outcome) = an_hour_later(&world, two);
    let touched: BTreeSet<String> = outcome.touched.into_iter().collect();
    assert_eq!(touched.len(), 2);

    let deleted = records(world.client.deletions(DeletionKind::Employee, Some(moment), None)).await;
    assert_eq!(ids(deleted.iter().map(|gone| &gone.id)), touched);
    for gone in &deleted {
        assert_eq!(gone.kind, DeletionKind::Employee.name());
        assert!(gone.restored_at.is_none());
    }
    assert!(records(world.client.deletions(DeletionKind::Class, None, None)).await.is_empty());
    let all = ids(world.employees(&EmployeeQuery::default()).await.iter().map(|one| &one.id));
    assert_eq!(all.len(), 43);
    assert!(all.is_disjoint(&touched));

    let (moment, outcome) = an_hour_later(&world, ScenarioName::Restored);
    let back = records(world.client.deletions(DeletionKind::Employee, Some(moment), None)).await;
    let restored: BTreeSet<String> = outcome.touched.into_iter().collect();
    assert_eq!(ids(back.iter().map(|gone| &gone.id)), restored);
    assert!(back[0].restored_at.unwrap().instant().unwrap() > moment);
    let employees = world.employees(&changed_after(moment)).await;
    assert_eq!(ids(employees.iter().map(|employee| &employee.id)), restored);
}

#[tokio::test]
async fn a_new_school_year_replaces_classes_and_keeps_subjects() {
    let world = World::start(SimulatorOptions::default()).await;
    let old = ids(&class_ids(&world, None).await);
    let subjects = world.truth().subjects.len();
    let (moment, _) = an_hour_later(&world, ScenarioName::Rollover);

    let fresh = ids(&class_ids(&world, Some(moment)).await);
    assert_eq!(fresh, world.truth().classes.into_iter().map(|class| class.wonde_id).collect());
    assert!(!fresh.is_empty() && fresh.is_disjoint(&old));
    let deleted = records(world.client.deletions(DeletionKind::Class, Some(moment), None)).await;
    assert_eq!(ids(deleted.iter().map(|gone| &gone.id)), old);
    assert!(deleted.iter().all(|gone| gone.kind == "class"));

    assert!(records(world.client.subjects(Some(moment), None)).await.is_empty());
    let before = Some(moment - TimeDelta::days(36_500));
    assert_eq!(records(world.client.subjects(before, None)).await.len(), subjects);
}

async fn class_ids(world: &World, after: Option<DateTime<Utc>>) -> Vec<WondeId> {
    let classes = records(world.client.classes(&[], after, None)).await;
    classes.into_iter().map(|class| class.id).collect()
}
