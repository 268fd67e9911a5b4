//! The control API.

use mis_sync_wonde_sim::{Mis, SchoolSummary, SimulatorOptions, Truth};
use serde_json::{Value, json};

use crate::client::{World, one_school};

#[tokio::test]
async fn schools_and_truth_are_told() {
    let world = World::start(SimulatorOptions { staff: 20, ..SimulatorOptions::default() }).await;
    let read = async |path: &str| {
        world.http.get(format!("{}{path}", world.running.control_url())).send().await.unwrap()
    };
    let schools: Vec<SchoolSummary> = read("/schools").await.json().await.unwrap();
    assert_eq!(schools, world.simulator().schools());
    assert_eq!(schools.iter().map(|school| school.mis).collect::<Vec<_>>(), Mis::ALL);
    assert_eq!((schools[0].staff, schools[0].token.len()), (20, 40));

    let truth: Truth =
        read(&format!("/schools/{}/truth", schools[0].id)).await.json().await.unwrap();
    assert_eq!(Some(truth), world.simulator().truth(&schools[0].id));
    assert_eq!(read("/schools/A1/truth").await.status(), 404);
    let overview: Value = read("").await.json().await.unwrap();
    assert_eq!(overview["application_token"], world.simulator().application_token());
}

#[tokio::test]
async fn orders_take_effect() {
    let world = World::start(one_school(Mis::Sims, 20)).await;
    let id = &world.school.id;
    let (status, outcome) =
        world.order(&format!("/schools/{id}/scenario"), r#"{"name": "leaver", "count": 2}"#).await;
    assert_eq!((status, outcome["scenario"].as_str()), (200, Some("leaver")));
    assert_eq!(outcome["touched"].as_array().unwrap().len(), 2);
    let (status, outcome) = world
        .order(&format!("/schools/{id}/scenario"), r#"{"name": "mis-migration", "mis": "bromcom"}"#)
        .await;
    assert_eq!((status, &outcome["webhook"]["migrate_to"]), (200, &json!("Bromcom")));

    let fault = format!(r#"{{"school": "{id}", "path": "employees", "status": 502}}"#);
    assert_eq!(world.order("/faults", &fault).await.0, 201);
    assert_eq!(world.get(&format!("/schools/{id}/employees")).await.status(), 502);
    assert_eq!(world.order("/faults", r#"{"status": 500, "count": 5}"#).await.0, 201);
    let cleared =
        world.http.delete(format!("{}/faults", world.running.control_url())).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(world.get("/schools").await.status(), 200);

    assert_eq!(world.order("/latency", r#"{"ms": 3}"#).await.0, 204);
    assert_eq!(world.simulator().latency().as_millis(), 3);
    let requests: Value = world
        .http
        .get(format!("{}/requests", world.running.control_url()))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!((&requests["total"], &requests["by_status"]["502"]), (&json!(2), &json!(1)));
    world.http.delete(format!("{}/requests", world.running.control_url())).send().await.unwrap();
    assert_eq!(world.simulator().requests().total, 0);
}

#[tokio::test]
async fn bad_orders_are_refused_with_what_is_allowed() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let scenario = format!("/schools/{}/scenario", world.school.id);
    for (path, body, status, hint) in [
        (scenario.as_str(), r#"{"name": "explode"}"#, 400, "email_swap"),
        (&scenario, "{}", 400, "missing field `name`"),
        (&scenario, r#"{"name": "leaver", "number": 3}"#, 400, "expected one of"),
        (&scenario, r#"{"name": "leaver", "staff": ["A1"]}"#, 404, "A1"),
        (&scenario, r#"{"name": "shrink"}"#, 400, "keep"),
        (&scenario, r#"{"name": "withdraw_scope"}"#, 400, "staff_links"),
        (&scenario, r#"{"name": "withdraw_scope"}"#, 400, "subjects"),
        (&scenario, r#"{"name": "class_deleted", "classes": ["A1"]}"#, 404, "A1"),
        (&scenario, r#"{"name": "class_restored"}"#, 409, "no class or subject"),
        (&scenario, r#"{"name": "mis_migration", "mis": "Excel"}"#, 400, "Progresso"),
        (&scenario, r#"{"name": "restored"}"#, 409, "no one"),
        ("/schools/A1/scenario", r#"{"name": "leaver"}"#, 404, "/_sim/schools"),
        ("/faults", r#"{"count": 1}"#, 400, "hang_ms"),
        ("/faults", r#"{"status": 500, "school": "A1"}"#, 404, "/_sim/schools"),
        ("/latency", "soon", 400, "not understood"),
    ] {
        let (got, answer) = world.order(path, body).await;
        assert_eq!(got, status, "{path} {body}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(hint), "{body}: {message}");
    }
}
