//! Decisions about possible matches, over HTTP.

use mis_sync_domain::Role;
use serde_json::json;

use crate::support::{App, Ask};

const MATCHES: &str = "/v1/schools/oak/matches";

#[tokio::test]
async fn matches_are_shown_and_decided() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await.to_string();
    app.possible_match("oak", "A1", &person).await;
    app.sql(format!("UPDATE staff SET initials = 'AD' WHERE id = '{person}'")).await;
    let list = app.admin(Ask::get(MATCHES)).await.json();
    assert_eq!(
        list,
        json!({"matches": [{
            "wonde_id": "A1", "staff_id": person, "score": 45,
            "reasons": ["surname", "first_name"],
            "in_doubt": false,
            "mis": {
                "first_name": "Ada", "surname": "Day", "email": "ada@new.example",
                "initials": "ADY", "job_title": "Teacher, SENCO",
            },
            "ip": {
                "first_name": "Ada", "surname": "Day", "email": format!("{person}@oak.example"),
                "initials": "AD", "job_title": null,
            },
            "is_decided": false,
        }]})
    );
    for decision in [json!({"wonde_id": "A1", "staff_id": person}), json!({"wonde_id": "A1"})] {
        let answer = app.admin(Ask::post(MATCHES).json(&decision)).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    }
    assert_eq!(app.admin(Ask::get(MATCHES)).await.json()["matches"][0]["is_decided"], true);
}

#[tokio::test]
async fn only_what_is_on_the_list_can_be_decided() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let elm = app.school("elm").await;
    let (person, other) = (app.person(&oak).await.to_string(), app.person(&elm).await.to_string());
    app.possible_match("oak", "A1", &person).await;
    for decision in [
        json!({"wonde_id": "A2", "staff_id": person}),
        json!({"wonde_id": "A2"}),
        json!({"wonde_id": "A1", "staff_id": other}),
    ] {
        app.admin(Ask::post(MATCHES).json(&decision)).await.problem(404, "unknown-match");
    }
    for bad in [json!({}), json!({"wonde_id": "A1", "staff_id": "x"}), json!({"wonde_id": 1})] {
        app.admin(Ask::post(MATCHES).json(&bad)).await.problem(400, "malformed-body");
    }
    let key = app.key(Role::App, Some("elm")).await;
    let decision = json!({"wonde_id": "A1"});
    let foreign = app.send(Ask::post(MATCHES).json(&decision).key(&key)).await;
    foreign.problem(404, "unknown-school");
}
