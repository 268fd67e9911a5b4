//! What a MIS does not have, and what a school has withdrawn.

use mis_sync_wonde_sim::{Feature, Mis, SimulatorOptions, Unsupported};
use serde_json::{Value, json};

use crate::client::{World, one_school};

/// Runs a scenario; `settings` are its other keys.
async fn order(world: &World, name: &str, settings: &str) {
    let body = format!(r#"{{"name": "{name}", {settings}}}"#);
    let (status, answer) =
        world.order(&format!("/schools/{}/scenario", world.school.id), &body).await;
    assert_eq!(status, 200, "{body}: {answer}");
}

async fn status(world: &World, path: &str) -> u16 {
    world.get(&format!("/schools/{}{path}", world.school.id)).await.status().as_u16()
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
async fn a_withdrawn_scope_looks_like_an_unsupported_field() {
    let world = World::start(one_school(Mis::Sims, 6)).await;
    order(&world, "withdraw-scope", r#""scope": "contact_details""#).await;
    let list = world.read("/employees?include=contact_details").await;
    assert_eq!(list["data"][0]["contact_details"]["data"]["emails"]["work"], Value::Null);
    assert!(world.simulator().truth(&world.school.id).unwrap().staff.is_empty());
    order(&world, "grant_scope", r#""scope": "contact_details""#).await;
    assert_eq!(world.simulator().truth(&world.school.id).unwrap().staff.len(), 6);
}

#[tokio::test]
async fn each_scope_looks_as_ordered_when_it_is_withdrawn() {
    let path = "/employees?include=roles,photo,hierarchy,employment_details";
    let world = World::start(one_school(Mis::Sims, 6)).await;
    order(&world, "withdraw_scope", r#""scope": "roles", "look": "null""#).await;
    order(&world, "withdraw_scope", r#""scope": "photo", "look": "empty""#).await;
    order(&world, "withdraw_scope", r#""scope": "line_manager""#).await;
    order(&world, "withdraw_scope", r#""scope": "employment_details", "look": "empty""#).await;
    let person = world.read(path).await["data"][0].clone();
    assert_eq!(person.get("roles"), Some(&Value::Null));
    assert_eq!(person["photo"]["data"]["content"], Value::Null);
    assert_eq!(person["hierarchy"], json!({"data": []}), "as the options say");
    let employment = person["employment_details"]["data"].as_object().unwrap();
    assert!(employment.len() > 10 && employment.values().all(Value::is_null));

    order(&world, "withdraw_scope", r#""scope": "roles", "look": "forbidden""#).await;
    assert_eq!(status(&world, path).await, 403);
    assert_eq!(status(&world, "/employees?include=photo,hierarchy").await, 200);
    order(&world, "grant_scope", r#""scope": "roles""#).await;
    assert!(world.read(path).await["data"][0]["roles"]["data"].is_array());

    let (refused, answer) = world
        .order(
            &format!("/schools/{}/scenario", world.school.id),
            r#"{"name": "withdraw_scope", "scope": "roles", "look": "blurred"}"#,
        )
        .await;
    assert_eq!(refused, 400);
    assert!(answer["message"].as_str().unwrap().contains("forbidden"), "{answer}");
}

#[tokio::test]
async fn a_withdrawn_list_is_empty_or_forbidden() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    for list in ["classes", "subjects"] {
        let id =
            world.read(&format!("/{list}")).await["data"][0]["id"].as_str().unwrap().to_owned();
        let (path, item) = (format!("/{list}"), format!("/{list}/{id}"));
        for look in ["empty", "null"] {
            let settings = format!(r#""scope": "{list}", "look": "{look}""#);
            order(&world, "withdraw_scope", &settings).await;
            assert_eq!(world.read(&path).await["data"], json!([]), "{list} {look}");
            assert_eq!(status(&world, &item).await, 404, "{list} {look}");
            let counts = world.read(&format!("/counts?include={list}")).await;
            assert_eq!(counts["data"][list]["data"]["count"], 0);
        }
        let settings = format!(r#""scope": "{list}", "look": "forbidden""#);
        order(&world, "withdraw_scope", &settings).await;
        assert_eq!((status(&world, &path).await, status(&world, &item).await), (403, 403));
        assert_eq!(status(&world, "/employees?include=contact_details,roles").await, 200);
        order(&world, "grant_scope", &format!(r#""scope": "{list}""#)).await;
        assert_eq!((status(&world, &path).await, status(&world, &item).await), (200, 200));
    }
}

#[tokio::test]
async fn a_withdrawn_list_is_not_to_be_had_by_a_detour() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let classes = "/employees?include=classes&has_class=1";
    assert!(!world.read(classes).await["data"].as_array().unwrap().is_empty());
    order(&world, "withdraw_scope", r#""scope": "classes", "look": "null""#).await;
    assert!(world.read(classes).await["data"].as_array().unwrap().is_empty());
    for path in ["/employees?include=classes", "/subjects?include=classes"] {
        assert_eq!(world.read(path).await["data"][0].get("classes"), Some(&Value::Null), "{path}");
    }
    order(&world, "withdraw_scope", r#""scope": "classes", "look": "forbidden""#).await;
    for path in ["/employees?include=classes", "/subjects?include=classes"] {
        assert_eq!(status(&world, path).await, 403, "{path}");
    }
    order(&world, "grant_scope", r#""scope": "classes""#).await;

    let with_subject = async |look: &str| {
        order(&world, "withdraw_scope", &format!(r#""scope": "subjects", "look": "{look}""#)).await;
        let classes = world.read("/classes?include=subject").await;
        let shown =
            classes["data"].as_array().unwrap().iter().map(|class| class["subject"].clone());
        shown.collect::<Vec<_>>()
    };
    assert!(with_subject("empty").await.contains(&json!({"data": null})));
    assert!(with_subject("null").await.iter().all(Value::is_null));
    order(&world, "withdraw_scope", r#""scope": "subjects", "look": "forbidden""#).await;
    assert_eq!(status(&world, "/classes?include=subject").await, 403);
    // The bare id belongs to the class.
    let bare = world.read("/classes").await;
    assert!(bare["data"].as_array().unwrap().iter().any(|class| class["subject"].is_string()));
}

#[tokio::test]
async fn permissions_tell_of_withdrawn_lists() {
    let world = World::start(one_school(Mis::Arbor, 6)).await;
    order(&world, "withdraw_scope", r#""scope": "subjects""#).await;
    let path = format!("/meta/schools/{}/permissions", world.school.id);
    let permissions: Value = world.get(&path).await.json().await.unwrap();
    let find = |identity: &str| -> Vec<bool> {
        let items = permissions["data"].as_array().unwrap().iter();
        items
            .filter(|item| item["identity"] == identity)
            .map(|item| item["approved"].as_bool().unwrap())
            .collect()
    };
    assert_eq!(find("subjects.read"), [false]);
    assert_eq!(find("classes.read"), [true]);
    let delivers = world.simulator().truth(&world.school.id).unwrap().delivers;
    assert!(delivers.contains(&Feature::Classes) && !delivers.contains(&Feature::Subjects));
}
