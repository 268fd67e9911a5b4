//! The shapes on the wire.

use base64::Engine;
use mis_sync_wonde_sim::{
    HierarchyDirection, Mis, ScenarioName, SimulatorOptions, UnknownInclude, Unsupported,
};
use serde_json::{Value, json};

use crate::client::{World, ids, one_school};

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

/// JSON on one line for each key, in the order in which it came.
fn readable(text: &str) -> String {
    serde_json::from_str::<Value>(text).expect("JSON");
    text.replace("\":{", "\":{\n").replace(",\"", ",\n\"")
}

#[tokio::test]
async fn what_a_mis_does_not_have_is_shown_as_ordered() {
    let path = "/employees?include=roles,photo,hierarchy,classes";
    let shown = async |unsupported| {
        let world =
            World::start(SimulatorOptions { unsupported, ..one_school(Mis::RmIntegris, 3) }).await;
        world.read(path).await["data"][0].clone()
    };
    let empty = shown(Unsupported::Empty).await;
    for list in ["roles", "hierarchy", "classes"] {
        assert_eq!(empty[list], json!({"data": []}), "{list}");
    }
    assert_eq!(empty["photo"]["data"]["content"], Value::Null);
    let null = shown(Unsupported::Null).await;
    for include in ["roles", "hierarchy", "classes", "photo"] {
        assert_eq!(null.get(include), Some(&Value::Null), "{include}");
    }

    let forbidden =
        SimulatorOptions { unsupported: Unsupported::Forbidden, ..one_school(Mis::RmIntegris, 3) };
    let world = World::start(forbidden).await;
    for include in [
        "employees?include=roles",
        "employees?include=photo",
        "classes?include=employees",
        "photos",
    ] {
        let answer = world.get(&format!("/schools/{}/{include}", world.school.id)).await;
        assert_eq!(answer.status(), 403, "{include}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_permissions");
    }
    world.read("/employees?include=contact_details,employment_details").await;
    world.read("/classes").await;
}

#[tokio::test]
async fn unknown_includes_are_passed_over_or_refused() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    assert!(world.read("/employees?include=shoes").await["data"][0].get("shoes").is_none());
    let strict =
        SimulatorOptions { unknown_include: UnknownInclude::Refuse, ..one_school(Mis::Sims, 3) };
    let world = World::start(strict).await;
    let answer = world.get(&format!("/schools/{}/employees?include=shoes", world.school.id)).await;
    assert_eq!(answer.status(), 422);
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
async fn a_photo_is_an_image_with_the_hash_of_the_truth() {
    let world = World::start(one_school(Mis::Isams, 12)).await;
    let truth = world.simulator().truth(&world.school.id).unwrap();
    let person = truth.staff.iter().find(|person| person.has_photo).unwrap();
    let read = world.read(&format!("/employees/{}?include=photo", person.wonde_id)).await;
    let photo = &read["data"]["photo"]["data"];
    let image = base64::engine::general_purpose::STANDARD
        .decode(photo["content"].as_str().unwrap())
        .unwrap();
    assert!(image.starts_with(b"\x89PNG\r\n\x1a\n") && image.ends_with(b"IEND\xae\x42\x60\x82"));
    assert_eq!(photo["hash"].as_str(), person.photo_hash.as_deref());

    let photos = world.read_all("/photos").await;
    assert!(ids(&photos).contains(&photo["id"].as_str().unwrap()));
    let alone = world.read(&format!("/photos/{}", photo["id"].as_str().unwrap())).await;
    assert_eq!(alone["data"], *photo);
    let none = truth.staff.iter().find(|person| !person.has_photo).unwrap();
    let read = world.read(&format!("/employees/{}?include=photo", none.wonde_id)).await;
    assert_eq!(read["data"]["photo"], json!({"data": null}));
}

#[tokio::test]
async fn a_withdrawn_scope_looks_like_an_unsupported_field() {
    let world = World::start(one_school(Mis::Sims, 6)).await;
    let order = r#"{"name": "withdraw-scope", "scope": "contact_details"}"#;
    assert_eq!(world.order(&format!("/schools/{}/scenario", world.school.id), order).await.0, 200);
    let list = world.read("/employees?include=contact_details").await;
    assert_eq!(list["data"][0]["contact_details"]["data"]["emails"]["work"], Value::Null);
    assert!(world.simulator().truth(&world.school.id).unwrap().staff.is_empty());
    let order = r#"{"name": "grant_scope", "scope": "contact_details"}"#;
    world.order(&format!("/schools/{}/scenario", world.school.id), order).await;
    assert_eq!(world.simulator().truth(&world.school.id).unwrap().staff.len(), 6);
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
            let text = |value: &Value| value.as_str().unwrap().trim().to_owned();
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
