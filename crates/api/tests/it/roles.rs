//! Every route with every role, and without a key.

use std::collections::BTreeSet;

use mis_sync_domain::{
    Report,
    Role::{self, Admin, App as IpApp, Operator, Viewer},
};
use serde_json::{Value, json};

use crate::support::{App, Ask};

const EVERYBODY: &[Role] = &[IpApp, Viewer, Operator, Admin];

/// The routes that need a key, and who may call them.
pub(crate) const ROUTES: &[(&str, &str, &[Role])] = &[
    ("GET", "/v1/schools", EVERYBODY),
    ("GET", "/v1/schools/{school_id}", EVERYBODY),
    ("PUT", "/v1/schools/{school_id}", &[IpApp, Admin]),
    ("DELETE", "/v1/schools/{school_id}", &[IpApp, Admin]),
    ("POST", "/v1/schools/{school_id}/sync", &[IpApp, Operator, Admin]),
    ("GET", "/v1/schools/{school_id}/matches", EVERYBODY),
    ("POST", "/v1/schools/{school_id}/matches", &[IpApp, Operator, Admin]),
    ("GET", "/v1/schools/{school_id}/staff/{staff_id}", EVERYBODY),
    ("GET", "/v1/schools/{school_id}/staff/{staff_id}/photo", &[IpApp, Operator, Admin]),
    ("GET", "/v1/schools/{school_id}/explain", EVERYBODY),
    ("POST", "/v1/schools/{school_id}/staff/{staff_id}/refresh", &[IpApp, Operator, Admin]),
    ("GET", "/v1/jobs", EVERYBODY),
    ("GET", "/v1/jobs/{job_id}", EVERYBODY),
    ("GET", "/v1/jobs/{job_id}/changes", EVERYBODY),
    ("GET", "/v1/jobs/{job_id}/issues", EVERYBODY),
    ("POST", "/v1/jobs/{job_id}/cancel", &[Operator, Admin]),
    ("POST", "/v1/jobs/{job_id}/retry", &[Operator, Admin]),
    ("POST", "/v1/jobs/{job_id}/approve", &[Operator, Admin]),
    ("POST", "/v1/jobs/{job_id}/reject", &[Operator, Admin]),
    ("POST", "/v1/jobs/{job_id}/undo", &[Operator, Admin]),
    ("GET", "/v1/jobs/{job_id}/events", EVERYBODY),
];

/// The state that a job must be in for an action to be possible.
fn state_for(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("approve" | "reject") => "held",
        Some("retry") => "failed",
        Some("undo") => "succeeded",
        _ => "queued",
    }
}

/// The routes that need none.
const OPEN: &[(&str, &str)] = &[
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/problems"),
    ("GET", "/problems/{code}"),
];

/// The routes that need a secret of their own instead, see `webhooks`.
const BY_SECRET: &[(&str, &str)] = &[("POST", "/v1/webhooks/wonde")];

#[test]
fn no_route_is_missing_here() {
    let document: Value = serde_json::from_str(&mis_sync_api::openapi_json()).unwrap();
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                let is_open = operation["security"] == json!([{}]);
                (method.to_uppercase(), path.clone(), is_open)
            })
        })
        .collect();
    let here: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .chain(BY_SECRET.iter().copied())
        .map(|(method, path)| (method.to_owned(), path.to_owned(), false))
        .chain(OPEN.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned(), true)))
        .collect();
    assert_eq!(here, described);
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
    for (method, path, allowed) in ROUTES {
        // A body that goes too far for a caller who may not even begin.
        let ask = || {
            let question = if path.ends_with("/explain") { "?wonde_id=A1" } else { "" };
            let ask = Ask::new(method, &format!("{}{question}", fill(path)));
            let body = json!({"name": "N", "wonde_school_id": "A1", "token": "t"});
            match (*method, path.rsplit('/').next()) {
                ("PUT", _) => ask.json(&body),
                ("POST", Some("matches")) => ask.json(&json!({"wonde_id": "A1"})),
                _ => ask,
            }
        };
        for role in Role::ALL.iter().copied() {
            let key = app.key(role, None).await;
            // A route before this one may have disconnected the school.
            app.school("oak").await;
            app.put_in_state(&job, state_for(path)).await;
            app.only_change(&job, &person).await;
            let answer = app.send(ask().key(&key)).await;
            if allowed.contains(&role) {
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
    for (method, path) in OPEN {
        let answer = app.send(Ask::new(method, &path.replace("{code}", "not-found"))).await;
        assert_eq!(answer.status, 200, "{path}");
        if !["/metrics", "/docs"].contains(path) {
            answer.json();
        }
    }
}
