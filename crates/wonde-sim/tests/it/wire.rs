//! The shapes on the wire.

use mis_sync_wonde_sim::{HierarchyDirection, Mis, ScenarioName, SimulatorOptions, UnknownInclude};
use serde_json::{Value, json};

use crate::client::{World, one_school};

const ALL: &str = "contact_details,employment_details,extended_details,roles,roles.contract,photo,groups,\
                   classes,classes.subject,hierarchy,hierarchy.employment_details,identifiers";

/// Three people on a fixed day, so that every letter follows from the seed.
fn fixed(mis: Mis) -> SimulatorOptions {
    SimulatorOptions { today: "2026-09-07".parse().unwrap(), seed: 12, ..one_school(mis, 3) }
}

#[tokio::test]
async fn an_employee_with_everything_looks_like_this() {
    let world = World::start(fixed(Mis::Sims)).await;
    let list = world.read("/employees").await;
    let id = list["data"][1]["id"].as_str().unwrap();
    let answer =
        world.get(&format!("/schools/{}/employees/{id}?include={ALL}", world.school.id)).await;
    insta::assert_snapshot!("employee", readable(&answer.text().await.unwrap()));
}

#[tokio::test]
async fn a_class_with_its_teachers_looks_like_this() {
    let world = World::start(fixed(Mis::Arbor)).await;
    let answer =
        world.get(&format!("/schools/{}/classes?include=subject,employees", world.school.id)).await;
    insta::assert_snapshot!(
        "classes",
        readable(&answer.text().await.unwrap()).replace(&world.running.base_url(), "BASE")
    );
}

#[tokio::test]
async fn a_school_looks_like_this() {
    let world = World::start(fixed(Mis::PupilAsset)).await;
    let text = world.get(&format!("/schools/{}", world.school.id)).await.text().await.unwrap();
    let host = world.running.base_url().replace("http://", "").replace("/v1.0", "");
    insta::assert_snapshot!("school", readable(&text).replace(&host, "HOST"));
}

/// JSON with one line for each key, in its original order.
fn readable(text: &str) -> String {
    serde_json::from_str::<Value>(text).expect("JSON");
    text.replace("\":{", "\":{\n").replace(",\"", ",\n\"")
}

#[tokio::test]
async fn unknown_includes_are_refused_or_passed_over() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let path = format!("/schools/{}/employees?include=roles,shoes", world.school.id);
    let answer = world.get(&path).await;
    assert_eq!(answer.status(), 400);
    let said: Value = answer.json().await.unwrap();
    assert_eq!(said, json!({"error": "invalid_include", "error_description": "shoes"}));
    let lenient =
        SimulatorOptions { unknown_include: UnknownInclude::Ignore, ..one_school(Mis::Sims, 3) };
    let world = World::start(lenient).await;
    assert!(world.read("/employees?include=shoes").await["data"][0].get("shoes").is_none());
}

#[tokio::test]
async fn the_hierarchy_points_up_or_down() {
    for direction in [HierarchyDirection::Manager, HierarchyDirection::Reports] {
        let options = SimulatorOptions { hierarchy: direction, ..one_school(Mis::Sims, 60) };
        let world = World::start(options).await;
        let people = world.read_all("/employees?include=hierarchy.employment_details").await;
        let mut found = Vec::new();
        for person in &people {
            for other in person["hierarchy"]["data"].as_array().unwrap() {
                assert!(other["employment_details"].is_object());
                let pair = (person["id"].as_str().unwrap(), other["id"].as_str().unwrap());
                found.push(if direction == HierarchyDirection::Manager {
                    pair
                } else {
                    (pair.1, pair.0)
                });
            }
        }
        let truth = world.simulator().truth(&world.school.id).unwrap();
        let wanted = truth.staff.iter().filter_map(|person| {
            Some((person.wonde_id.as_str(), person.line_manager_wonde_id.as_deref()?))
        });
        let mut count = 0;
        for link in wanted {
            assert!(found.contains(&link), "{link:?}");
            count += 1;
        }
        assert!(count > 20, "only {count} links");
    }
}

#[tokio::test]
async fn a_primary_school_may_have_groups_only() {
    let world = World::start(one_school(Mis::ScholarPack, 20)).await;
    assert!(world.read_all("/classes").await.is_empty());
    let groups = world.read_all("/groups?include=employees&has_employees=1").await;
    assert!(!groups.is_empty());
    assert!(groups.iter().all(|group| !group["employees"]["data"].as_array().unwrap().is_empty()));
}

#[tokio::test]
async fn the_wire_tells_the_truth_for_every_mis() {
    let world = World::start(SimulatorOptions { staff: 90, ..SimulatorOptions::default() }).await;
    for school in world.simulator().schools() {
        let world =
            World { school: school.clone(), running: keep(&world).await, http: world.http.clone() };
        world.simulator().apply_scenario(&school.id, ScenarioName::Rollover).unwrap();
        let people = world.read_all("/employees?include=contact_details,roles&per_page=40").await;
        let truth = world.simulator().truth(&school.id).unwrap();
        assert_eq!(people.len(), truth.staff.len() + truth.not_imported.len(), "{}", school.mis);
        assert!(truth.staff.len() > 60 && truth.not_imported.len() > 8, "{}", school.mis);
        for person in &truth.staff {
            let shown = people.iter().find(|shown| shown["id"] == person.wonde_id).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
            assert_eq!(text(&shown["forename"]), person.first_name);
            assert_eq!(text(&shown["contact_details"]["data"]["emails"]["work"]), person.email);
            assert_eq!(
                shown["roles"]["data"].as_array().unwrap().is_empty(),
                person.job_title.is_none()
            );
        }
    }
}

/// Another port on the same simulator.
async fn keep(world: &World) -> mis_sync_wonde_sim::RunningSimulator {
    mis_sync_wonde_sim::RunningSimulator::serve(world.simulator().clone()).await.unwrap()
}
