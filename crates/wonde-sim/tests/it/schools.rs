//! Tokens and schools.

use mis_sync_wonde_sim::{Mis, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::client::{World, ids, one_school};

#[tokio::test]
async fn a_token_is_taken_in_every_form() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let token = world.school.token.clone();
    let path = format!("/schools/{}/employees/", world.school.id);
    let send =
        |authorization: String| world.bare(&path).header("authorization", authorization).send();
    for form in [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER {token}")] {
        assert_eq!(send(form).await.unwrap().status(), 200);
    }
    let basic = world.bare(&path).basic_auth(&token, Some("")).send().await.unwrap();
    assert_eq!(basic.status(), 200);
    let application =
        world.bare(&path).bearer_auth(world.simulator().application_token()).send().await.unwrap();
    assert_eq!(application.status(), 200);

    assert_eq!(world.bare(&path).send().await.unwrap().status(), 401);
    let wrong = send("Bearer 0000".to_owned()).await.unwrap();
    assert_eq!(wrong.status(), 401);
    let body: Value = wrong.json().await.unwrap();
    assert_eq!(body["error"], "unauthenticated");
}

#[tokio::test]
async fn a_token_opens_its_own_school_only() {
    let world =
        World::start(SimulatorOptions { schools: 2, staff: 3, ..SimulatorOptions::default() })
            .await;
    let other = &world.simulator().schools()[1];
    assert_eq!(world.get(&format!("/schools/{}", world.school.id)).await.status(), 200);
    assert_eq!(world.get(&format!("/schools/{}/employees", other.id)).await.status(), 403);
    assert_eq!(world.get("/schools/A1/employees").await.status(), 403);
    let own: Value = world.get("/schools").await.json().await.unwrap();
    assert_eq!(ids(own["data"].as_array().unwrap()), [&world.school.id]);

    let application = world.simulator().application_token().to_owned();
    let all: Value = world
        .bare("/schools/")
        .bearer_auth(application)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    assert_eq!(all["data"][1]["mis"], "Arbor");
}

#[tokio::test]
async fn a_school_can_have_a_mis_that_nobody_knows() {
    let world = World::start(one_school(Mis::Arbor, 20)).await;
    let (simulator, id) = (world.simulator(), world.school.id.as_str());
    let truth = simulator.truth(id).unwrap();
    let people = world.read("/employees?include=roles,photo,hierarchy").await;
    simulator.apply_scenario(id, ScenarioName::UnknownMis).unwrap();
    assert_eq!(world.read("").await["data"]["mis"], "Zebra MIS 9");
    let list: Value = world.get("/schools").await.json().await.unwrap();
    assert_eq!(list["data"][0]["mis"], "Zebra MIS 9");
    assert_eq!(world.read("/employees?include=roles,photo,hierarchy").await, people);
    assert_eq!(simulator.truth(id).unwrap(), truth);
}

#[tokio::test]
async fn a_revoked_school_is_forbidden_and_a_rotated_token_unknown() {
    let world = World::start(one_school(Mis::Arbor, 3)).await;
    let (simulator, id) = (world.simulator(), world.school.id.as_str());
    let path = format!("/schools/{id}/employees");
    let revoked = simulator.apply_scenario(id, ScenarioName::Revoke).unwrap();
    assert_eq!(revoked.webhook.unwrap()["payload_type"], "accessRevoked");
    assert_eq!(world.get(&path).await.status(), 403);
    let application = simulator.application_token().to_owned();
    let list: Value = world
        .bare("/schools/revoked")
        .bearer_auth(application)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(ids(list["data"].as_array().unwrap()), [id]);

    simulator.apply_scenario(id, ScenarioName::RestoreAccess).unwrap();
    assert_eq!(world.get(&path).await.status(), 200);

    let rotated = simulator.apply_scenario(id, ScenarioName::RotateToken).unwrap().webhook.unwrap();
    assert_eq!(rotated["payload_type"], "schoolApproved");
    assert_eq!(world.get(&path).await.status(), 401);
    let fresh = rotated["school_token"].as_str().unwrap();
    assert_eq!(simulator.schools()[0].token, fresh);
    assert_eq!(world.bare(&path).bearer_auth(fresh).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn schools_are_found_by_number_and_postcode() {
    let world =
        World::start(SimulatorOptions { schools: 12, staff: 1, ..SimulatorOptions::default() })
            .await;
    let token = world.simulator().application_token().to_owned();
    let find = async |query: &str| -> Value {
        world
            .bare(&format!("/schools/all?{query}"))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    assert_eq!(find("urn=900003").await["data"][0]["mis"], "CMIS");
    assert_eq!(find("postcode=zz4%20").await["data"].as_array().unwrap().len(), 1);
    assert_eq!(find("urn=1").await["data"].as_array().unwrap().len(), 0);
    assert_eq!(find("per_page=5&page=3").await["data"].as_array().unwrap().len(), 2);
    assert_eq!(find("updated_after=tomorrow").await["error"], "validation_failed");
}

#[tokio::test]
async fn meta_data_tell_of_access_scopes_and_counts() {
    let world = World::start(one_school(Mis::Sims, 25)).await;
    let id = world.school.id.clone();
    let meta: Value = world.get(&format!("/meta/schools/{id}/")).await.json().await.unwrap();
    assert_eq!(
        (&meta["data"]["online"], &meta["data"]["approved"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    world.simulator().apply_scenario(&id, ScenarioName::Offline).unwrap();
    let meta: Value = world.get(&format!("/meta/schools/{id}")).await.json().await.unwrap();
    assert_eq!(meta["data"]["online"], false);

    let (status, _) = world
        .order(
            &format!("/schools/{id}/scenario"),
            r#"{"name": "withdraw_scope", "scope": "roles"}"#,
        )
        .await;
    assert_eq!(status, 200);
    let permissions: Value =
        world.get(&format!("/meta/schools/{id}/permissions")).await.json().await.unwrap();
    let declined: Vec<&str> = permissions["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["approved"] == false)
        .map(|item| item["identity"].as_str().unwrap())
        .collect();
    assert_eq!(declined, ["employee-roles.read"]);

    let counts = world.read("/counts?include=students,employees").await;
    assert_eq!(counts["data"]["employees"]["data"]["count"], 25);
    assert_eq!(counts["data"]["students"]["data"]["count"], 0);
}

#[tokio::test]
async fn nobody_is_hidden_by_access_control() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let path = format!("/meta/schools/{}/acl", world.school.id);
    let acl: Value = world.get(&path).await.json().await.unwrap();
    assert_eq!(acl["data"], json!({"mode": "exclude", "ids": []}));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    for path in ["/employees/A1", "/employees/nobody", "/classes/A9", "/wizards", "/deletions/A1"] {
        let answer = world.get(&format!("/schools/{}{path}", world.school.id)).await;
        assert_eq!(answer.status(), 404, "{path}");
        let said: Value = answer.json().await.unwrap();
        let told =
            json!({"error": "resource_not_found", "error_description": "Resource not found"});
        assert_eq!(said, told, "{path}");
    }
}
