//! A school of Wonde belongs to one school of iP.

use mis_sync_domain::Role;
use serde_json::{Value, json};

use crate::support::{App, Ask, TOKEN};

fn put(school: &str, wonde_id: &str, token: impl Into<Value>) -> Ask {
    let body = json!({"name": "N", "wonde_school_id": wonde_id, "token": token.into()});
    Ask::put(&format!("/v1/schools/{school}")).json(&body)
}

#[tokio::test]
async fn a_wonde_id_belongs_to_one_connected_school() {
    let app = App::start().await;
    assert_eq!(app.admin(put("oak", "A1", TOKEN)).await.status, 201);
    let taken = app.admin(put("elm", "A1", TOKEN)).await;
    taken.problem(409, "wonde-school-taken");
    assert!(!taken.text.contains("oak"), "{}", taken.text);
    app.admin(Ask::get("/v1/schools/elm")).await.problem(404, "unknown-school");

    assert_eq!(app.admin(put("elm", "A2", TOKEN)).await.status, 201);
    for token in [Value::Null, TOKEN.into()] {
        app.admin(put("elm", "A1", token)).await.problem(409, "wonde-school-taken");
    }
    // A school that is disconnected makes room, and has to ask like any other to return.
    assert_eq!(app.admin(Ask::delete("/v1/schools/oak")).await.status, 204);
    assert_eq!(app.admin(put("elm", "A1", Value::Null)).await.status, 200);
    app.admin(put("oak", "A1", TOKEN)).await.problem(409, "wonde-school-taken");
    assert_eq!(app.admin(put("oak", "A2", TOKEN)).await.status, 200);
}

#[tokio::test]
async fn a_bound_key_neither_sets_nor_changes_a_wonde_id() {
    let app = App::start().await;
    app.admin(put("elm", "A2", TOKEN)).await;
    for role in [Role::App, Role::Admin] {
        let key = app.key(role, Some("oak")).await;
        for wonde_id in ["A1", "A2", "a1"] {
            for token in [Value::Null, TOKEN.into()] {
                let answer = app.send(put("oak", wonde_id, token).key(&key)).await;
                answer.problem(403, "wonde-id-fixed");
            }
        }
        app.admin(Ask::get("/v1/schools/oak")).await.problem(404, "unknown-school");
    }
    app.admin(put("oak", "A1", TOKEN)).await;
    let key = app.key(Role::App, Some("oak")).await;
    // The answer does not reveal that A2 belongs to another school.
    for wonde_id in ["A2", "A3", "a1"] {
        for token in [Value::Null, TOKEN.into()] {
            let answer = app.send(put("oak", wonde_id, token).key(&key)).await;
            answer.problem(403, "wonde-id-fixed");
        }
    }
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert_eq!((&school["wonde_school_id"], &school["name"]), (&json!("A1"), &json!("N")));
    // If the id stays, everything else may change.
    for token in [Value::Null, "an0ther".into()] {
        assert_eq!(app.send(put("oak", "A1", token).key(&key)).await.status, 200);
    }
    assert_eq!(app.send(Ask::delete("/v1/schools/oak").key(&key)).await.status, 204);
    app.send(put("oak", "A2", TOKEN).key(&key)).await.problem(403, "wonde-id-fixed");
    assert_eq!(app.send(put("oak", "A1", TOKEN).key(&key)).await.status, 200);
}
