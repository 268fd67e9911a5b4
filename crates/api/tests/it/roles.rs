//! Every route with every role, and without a key.

use std::collections::BTreeSet;

use mis_sync_domain::{
    Report,
    Role::{self, Admin, App as IpApp, Operator, Viewer},
};
use serde_json::{Value, json};

use crate::support::{App, Ask};

/// A route that needs a key, and who may call it.
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) roles: Vec<Role>,
}

/// Every operation of the document.
fn operations() -> Vec<(String, String, Value)> {
    let document: Value = serde_json::from_str(&mis_sync_api::openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().iter();
        let of_method = |(method, operation): (&String, &Value)| {
            (method.to_uppercase(), path.clone(), operation.clone())
        };
        methods.map(of_method).collect::<Vec<_>>()
    };
    paths.flat_map(of_path).collect()
}

/// The routes that need a key, as the document has them.
pub(crate) fn routes() -> Vec<Route> {
    let all = operations().into_iter().filter(|(.., operation)| operation["x-roles"].is_array());
    all.map(|(method, path, operation)| {
        let roles = serde_json::from_value(operation["x-roles"].clone()).unwrap();
        Route { method, path, roles }
    })
    .collect()
}

/// The state that a job must be in for an action to be possible.
fn state_for(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("approve" | "reject") => "held",
        Some("retry") => "failed",
        Some("undo") => "succeeded",
        _ => "queued",
    }
}

#[test]
fn each_route_needs_a_key_or_says_what_it_needs_instead() {
    for (method, path, operation) in operations() {
        let name = format!("{method} {path}");
        let roles = operation["x-roles"].as_array();
        let security = &operation["security"];
        match path.as_str() {
            "/v1/webhooks/wonde" => assert!(security[0]["webhook_secret"].is_array(), "{name}"),
            path if path.starts_with("/v1/") => {
                // Whatever the API needs unless said otherwise: a key.
                assert!(
                    security.is_null() && roles.is_some_and(|roles| !roles.is_empty()),
                    "{name}"
                );
            }
            _ => assert!(*security == json!([{}]) && roles.is_none(), "{name}"),
        }
    }
}

#[test]
fn who_may_do_what_is_as_agreed() {
    let routes = routes();
    let of = |role: Role| -> BTreeSet<String> {
        let allowed = routes.iter().filter(|route| route.roles.contains(&role));
        allowed.map(|route| format!("{} {}", route.method, route.path)).collect()
    };
    assert_eq!(of(Admin).len(), routes.len());
    let viewer = of(Viewer);
    // An explanation is asked for with a body where no email may stand in an address.
    let reads = |route: &String| route.starts_with("GET ") || route.ends_with("/explain");
    assert!(viewer.iter().all(reads));
    let personal = |route: &&String| route.ends_with("/photo") || route.ends_with("/staff");
    assert_eq!(viewer.iter().find(personal), None);
    // The app acts for its administrators.
    let actions = ["approve", "cancel", "reject", "retry", "undo"];
    for action in actions.map(|action| format!("POST /v1/jobs/{{job_id}}/{action}")) {
        assert!(of(IpApp).contains(&action) && of(Operator).contains(&action), "{action}");
    }
    assert_eq!(of(Operator).difference(&of(IpApp)).next(), None);
    let only_app: Vec<_> = of(IpApp).difference(&of(Operator)).cloned().collect();
    assert_eq!(
        only_app,
        ["DELETE", "PATCH", "PUT"].map(|method| format!("{method} /v1/schools/{{school_id}}"))
    );
}

#[tokio::test]
async fn each_role_can_do_what_it_should_and_no_more() {
    let app = App::start().await;
    let school = app.school("oak").await;
    let job = app.job(&school).await.id.to_string();
    // The events of one that has not ended would not end either.
    let ended = app.job(&school).await.id;
    let lease = app.claim(ended).await;
    app.succeed(lease, &Report::default()).await;
    let ended = ended.to_string();
    let person = app.person(&school).await;
    app.photo(person, "image/webp", b"RIFF....WEBP").await;
    let person = person.to_string();
    app.possible_match("oak", "A1", &person).await;
    let fill = |path: &str| {
        let job = if path.ends_with("/events") { &ended } else { &job };
        let ids = [("{school_id}", "oak"), ("{job_id}", job), ("{staff_id}", &person)];
        ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    };
    for Route { method, path, roles } in routes() {
        // A body that goes too far for a caller who may not even begin.
        let ask = || {
            let question = match (method.as_str(), path.rsplit('/').next()) {
                ("GET", Some("explain")) => "?wonde_id=A1",
                // No worker is there to answer.
                ("POST", Some("check")) => "?wait_ms=0",
                _ => "",
            };
            let ask = Ask::new(&method, &format!("{}{question}", fill(&path)));
            let body = json!({"name": "N", "wonde_school_id": "A1", "token": "t"});
            match (method.as_str(), path.rsplit('/').next()) {
                ("PUT" | "PATCH", _) => ask.json(&body),
                ("POST", Some("matches" | "explain")) => ask.json(&json!({"wonde_id": "A1"})),
                _ => ask,
            }
        };
        for role in Role::ALL.iter().copied() {
            let key = app.key(role, None).await;
            // A route before this one may have disconnected the school.
            app.school("oak").await;
            app.put_in_state(&job, state_for(&path)).await;
            app.only_change(&job, &person).await;
            let answer = app.send(ask().key(&key)).await;
            if roles.contains(&role) {
                assert!(answer.status < 300, "{method} {path} {role}: {}", answer.text);
            } else {
                answer.problem(403, "forbidden");
            }
        }
        app.send(ask()).await.problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn who_may_not_act_learns_nothing_by_trying() {
    let app = App::start().await;
    app.school("oak").await;
    let viewer = app.key(Viewer, None).await;
    for ask in [
        Ask::post("/v1/schools/nowhere/sync"),
        Ask::post("/v1/schools/oak/sync"),
        Ask::post("/v1/schools/oak/sync").json(&json!({"nonsense": 1})),
        Ask::put("/v1/schools/oak").json(&json!({})),
        Ask::delete("/v1/schools/nowhere"),
    ] {
        app.send(ask.key(&viewer)).await.problem(403, "forbidden");
    }
    assert!(app.all_jobs().await.is_empty());
    let job = app.job(&"oak".parse().unwrap()).await.id;
    for action in ["cancel", "retry", "approve", "reject", "undo"] {
        let ask = Ask::post(&format!("/v1/jobs/{job}/{action}"));
        app.send(ask.key(&viewer)).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_open_routes_need_no_key() {
    let app = App::start().await;
    let open = operations().into_iter().filter(|(_, path, _)| !path.starts_with("/v1/"));
    for (method, path, _) in open {
        let answer = app.send(Ask::new(&method, &path.replace("{code}", "not-found"))).await;
        assert_eq!(answer.status, 200, "{path}");
        if !["/metrics", "/docs"].contains(&path.as_str()) {
            answer.json();
        }
    }
}
