//! Who is let in, and what a key that is bound to one school sees.

use mis_sync_domain::Role;
use mis_sync_store::api_keys;
use mis_sync_testing::a_person;
use serde_json::json;

use crate::support::{App, Ask};

#[tokio::test]
async fn without_a_valid_key_nobody_gets_in() {
    let app = App::start().await;
    let revoked = app.key(Role::Admin, None).await;
    let newest = api_keys::list(&app.pool).await.unwrap().remove(0);
    assert!(api_keys::revoke(&app.pool, newest.id, &a_person()).await.unwrap());
    let another_secret = format!("{}AAAA", &app.admin[..app.admin.len() - 4]);
    for authorization in [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("Basic {}", app.admin)),
        Some(app.admin.clone()),
        Some(format!("Bearer {another_secret}")),
        Some(format!("Bearer {revoked}")),
    ] {
        let mut ask = Ask::get("/v1/schools");
        if let Some(value) = &authorization {
            ask = ask.header("authorization", value);
        }
        let answer = app.send(ask).await;
        answer.problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{authorization:?}");
    }
    let in_lower_case = format!("bearer {}", app.admin);
    let answer = app.send(Ask::get("/v1/schools").header("authorization", &in_lower_case)).await;
    assert_eq!(answer.status, 200);
}

/// The routes of one school and one job, with typical requests.
fn routes(school: &str, job: &str, person: &str) -> Vec<Ask> {
    let connection = json!({"name": "N", "wonde_school_id": "A1", "token": "t"});
    vec![
        Ask::get(&format!("/v1/schools/{school}")),
        Ask::put(&format!("/v1/schools/{school}")).json(&connection),
        Ask::put(&format!("/v1/schools/{school}")).json(&json!({"name": 1})),
        Ask::delete(&format!("/v1/schools/{school}")),
        Ask::post(&format!("/v1/schools/{school}/sync")),
        Ask::post(&format!("/v1/schools/{school}/sync")).json(&json!({"photos": true})),
        Ask::post(&format!("/v1/schools/{school}/sync")).json(&json!({"nonsense": 1})),
        Ask::get(&format!("/v1/schools/{school}/staff/{person}")),
        Ask::get(&format!("/v1/schools/{school}/staff/nonsense")),
        Ask::get(&format!("/v1/schools/{school}/staff/{person}/photo")),
        Ask::get(&format!("/v1/schools/{school}/staff/{person}/photo"))
            .header("if-none-match", "*"),
        Ask::get(&format!("/v1/jobs/{job}")),
        Ask::get(&format!("/v1/jobs/{job}/changes")),
        Ask::get(&format!("/v1/jobs/{job}/changes")).header("accept", "text/csv"),
        Ask::get(&format!("/v1/jobs/{job}/changes")).header("accept", "text/html"),
        Ask::get(&format!("/v1/jobs/{job}/changes?limit=0")),
        Ask::get(&format!("/v1/jobs/{job}/issues")),
        Ask::get(&format!("/v1/jobs/{job}/issues")).header("accept", "text/csv"),
        Ask::get(&format!("/v1/jobs/{job}/issues?limit=0")),
    ]
}

#[tokio::test]
async fn a_key_of_one_school_knows_no_other() {
    let app = App::start().await;
    let (oak, elm) = (app.school("oak").await, app.school("elm").await);
    let (own_job, foreign_job) = (app.job(&oak).await.id, app.job(&elm).await.id.to_string());
    let key = app.key(Role::App, Some("oak")).await;
    let unknown_job = mis_sync_domain::JobId::new().to_string();
    let person = app.person(&elm).await;
    app.photo(person, "image/webp", b"RIFF....WEBP").await;
    let person = person.to_string();

    let foreign = routes("elm", &foreign_job, &person).into_iter();
    for (foreign, unknown) in foreign.zip(routes("fir", &unknown_job, &person)) {
        let foreign = app.send(foreign.key(&key)).await;
        let unknown = app.send(unknown.key(&key)).await;
        assert_eq!(foreign.status, 404);
        let plain = |text: &str| text.replace("elm", "fir").replace(&foreign_job, &unknown_job);
        assert_eq!(plain(&foreign.text), unknown.text);
    }
    assert_eq!(app.all_jobs().await.len(), 2, "nothing was enqueued");
    let elm = app.admin(Ask::get("/v1/schools/elm")).await.json();
    assert_eq!((&elm["token_state"], &elm["name"]), (&json!("held"), &json!("Oakfield School")));

    let ids = |list: &serde_json::Value, noun: &str| -> Vec<String> {
        list[noun].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect()
    };
    let schools = app.send(Ask::get("/v1/schools").key(&key)).await.json();
    assert_eq!(ids(&schools, "schools"), ["\"oak\""]);
    let beyond = app.send(Ask::get("/v1/schools?cursor=oak").key(&key)).await.json();
    assert_eq!(beyond, json!({"schools": [], "next_cursor": null}));
    let own = format!("\"{own_job}\"");
    for query in ["", "?school_id=oak", "?kind=sync-school"] {
        let jobs = app.send(Ask::get(&format!("/v1/jobs{query}")).key(&key)).await.json();
        assert_eq!(ids(&jobs, "jobs"), [own.as_str()], "{query}");
    }
    for school in ["elm", "fir"] {
        let path = format!("/v1/jobs?school_id={school}");
        let jobs = app.send(Ask::get(&path).key(&key)).await.json();
        assert_eq!(jobs, json!({"jobs": [], "next_cursor": null}));
    }
}

#[tokio::test]
async fn a_key_of_one_school_can_change_it_and_work_with_it() {
    let app = App::start().await;
    app.school("oak").await;
    let key = app.key(Role::App, Some("oak")).await;
    let connection = json!({"name": "Oakfield", "wonde_school_id": "A1930499544", "token": "t"});
    let answer = app.send(Ask::put("/v1/schools/oak").json(&connection).key(&key)).await;
    assert_eq!(answer.status, 200);
    let job = app.send(Ask::post("/v1/schools/oak/sync").key(&key)).await;
    assert_eq!(job.status, 202);
    for ask in [Ask::get("/v1/schools/oak"), Ask::get(job.header("location"))] {
        assert_eq!(app.send(ask.key(&key)).await.status, 200);
    }
    assert_eq!(app.send(Ask::delete("/v1/schools/oak").key(&key)).await.status, 204);
}
