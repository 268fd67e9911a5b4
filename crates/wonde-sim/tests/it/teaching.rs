//! What happens to classes and subjects, as the lists show it.

use std::time::Duration;

use mis_sync_wonde_sim::{Mis, Scenario, ScenarioName};
use serde_json::Value;

use crate::client::{World, ids, one_school};

/// Lets a minute pass and then runs a scenario; returns who is affected and the query that finds
/// the changes.
fn a_minute_later(world: &World, scenario: impl Into<Scenario>) -> (Vec<String>, String) {
    let simulator = world.simulator();
    let moment = simulator.now();
    simulator.set_now(moment + Duration::from_mins(1));
    let touched = simulator.apply_scenario(&world.school.id, scenario).unwrap().touched;
    (touched, format!("updated_after={}", moment.format("%Y-%m-%dT%H:%M:%S%.3fZ")))
}

/// The ids of a list, sorted.
fn sorted(items: &[Value]) -> Vec<&str> {
    let mut ids = ids(items);
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn what_changed_is_found_by_its_time() {
    let world = World::start(one_school(Mis::Sims, 40)).await;
    for (name, list) in [
        (ScenarioName::ClassRename, "classes"),
        (ScenarioName::ClassTeacherChange, "classes"),
        (ScenarioName::ClassAdded, "classes"),
        (ScenarioName::ClassesEmptied, "classes"),
        (ScenarioName::SubjectAdded, "subjects"),
        (ScenarioName::SubjectRenamed, "subjects"),
    ] {
        let (mut touched, since) = a_minute_later(&world, name);
        touched.sort();
        assert!(!touched.is_empty());
        assert_eq!(sorted(&world.read_all(&format!("/{list}?{since}")).await), touched, "{name:?}");
        let other = if list == "classes" { "subjects" } else { "classes" };
        assert!(world.read_all(&format!("/{other}?{since}")).await.is_empty(), "{name:?}");
        assert!(world.read_all(&format!("/employees?{since}")).await.is_empty(), "{name:?}");
    }
}

#[tokio::test]
async fn a_deleted_class_is_among_the_deletions_until_it_is_back() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let before = world.read_all("/classes").await;
    let two = Scenario { count: Some(2), ..ScenarioName::ClassDeleted.into() };
    let (touched, since) = a_minute_later(&world, two);
    let lines = world.read_all(&format!("/deletions?type=class&{since}")).await;
    assert_eq!(ids(&lines), touched);
    assert!(lines.iter().all(|line| line["type"] == "class" && line["restored_at"].is_null()));
    assert_eq!(world.read_all("/classes").await.len(), before.len() - 2);
    let gone = world.get(&format!("/schools/{}/classes/{}", world.school.id, touched[0])).await;
    assert_eq!(gone.status(), 404);

    let (touched, since) = a_minute_later(&world, ScenarioName::ClassRestored);
    let lines = world.read_all(&format!("/deletions?type=class&{since}")).await;
    assert_eq!(ids(&lines), touched);
    assert!(lines[0]["restored_at"]["date"].is_string());
    let back = world.read_all(&format!("/classes?{since}")).await;
    assert_eq!(ids(&back), touched);
    let old = before.iter().find(|class| class["id"] == back[0]["id"]).unwrap();
    assert!(old["restored_at"].is_null() && back[0]["restored_at"]["date"].is_string());
    assert_eq!((&old["name"], &old["mis_id"]), (&back[0]["name"], &back[0]["mis_id"]));
}

#[tokio::test]
async fn every_class_has_pupils() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let all = world.read_all("/classes").await;
    assert!(!all.is_empty());
    assert_eq!(world.read_all("/classes?has_students=true").await, all);
    assert!(world.read_all("/classes?has_students=false").await.is_empty());
}

#[tokio::test]
async fn the_new_main_teacher_is_shown_and_the_old_one_is_not() {
    let world = World::start(one_school(Mis::Sims, 40)).await;
    let teachers = async |class: &str, main: bool| -> Vec<String> {
        let class = world.read(&format!("/classes/{class}?include=employees")).await;
        let all = class["data"]["employees"]["data"].as_array().unwrap().clone();
        let is_meant = |person: &&Value| !main || person["meta"]["is_main_teacher"] == true;
        all.iter().filter(is_meant).map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let truth = world.simulator().truth(&world.school.id).unwrap();
    let class = truth.classes.iter().find(|class| class.staff.len() > 1).unwrap();
    let old = teachers(&class.wonde_id, true).await;
    let change = ScenarioName::ClassTeacherChange;
    let named = Scenario { classes: vec![class.wonde_id.clone()], ..change.into() };
    world.simulator().apply_scenario(&world.school.id, named).unwrap();
    let new = teachers(&class.wonde_id, true).await;
    assert_eq!((old.len(), new.len()), (1, 1));
    assert_ne!(old, new);
    assert!(!teachers(&class.wonde_id, false).await.contains(&old[0]));
}

#[tokio::test]
async fn a_deleted_subject_is_gone_from_its_list_and_its_classes() {
    let world = World::start(one_school(Mis::Sims, 40)).await;
    let before = world.read_all("/classes").await;
    let (touched, since) = a_minute_later(&world, ScenarioName::SubjectDeleted);
    assert!(!ids(&world.read_all("/subjects").await).contains(&touched[0].as_str()));
    let had_it: Vec<Value> =
        before.into_iter().filter(|class| class["subject"] == touched[0].as_str()).collect();
    let changed = world.read_all(&format!("/classes?{since}")).await;
    assert!(!changed.is_empty() && ids(&changed) == ids(&had_it));
    assert!(changed.iter().all(|class| class["subject"].is_null()));
}

#[tokio::test]
async fn hidden_classes_are_no_deletions() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let before = world.read_all("/classes?include=employees").await;
    let (_, since) = a_minute_later(&world, ScenarioName::NoClasses);
    assert!(world.read_all("/classes").await.is_empty());
    assert!(world.read_all("/deletions").await.is_empty());
    a_minute_later(&world, ScenarioName::ClassesBack);
    assert_eq!(world.read_all("/classes?include=employees").await, before);
    assert!(world.read_all(&format!("/classes?{since}")).await.is_empty());
}
