//! Faults, latency and counters.

use std::time::{Duration, Instant};

use mis_sync_wonde_sim::{
    Fault, Mis, RunningSimulator, SimulatorOptions, Truncate, UNKNOWN_TOKEN, Unsupported,
};
use serde_json::{Value, json};

use crate::client::{World, one_school};

#[tokio::test]
async fn a_refusal_hits_the_ordered_number_of_requests() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let path = format!("/schools/{}/employees", world.school.id);
    world.simulator().add_fault(Fault {
        path: Some("/employees".into()),
        status: Some(429),
        retry_after: Some(7),
        count: 2,
        ..Fault::default()
    });
    assert_eq!(world.get("/schools").await.status(), 200);
    for _ in 0..2 {
        let refused = world.get(&path).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "7");
    }
    assert_eq!(world.get(&path).await.status(), 200);
}

#[tokio::test]
async fn a_gateway_answers_as_ordered() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    world.simulator().add_fault(Fault {
        status: Some(403),
        body: Some("<html>no</html>".into()),
        content_type: Some("text/html".into()),
        ..Fault::default()
    });
    let page = world.get("/schools").await;
    assert_eq!(page.status(), 403);
    assert_eq!(page.headers()["content-type"], "text/html");
    assert_eq!(page.text().await.unwrap(), "<html>no</html>");
    let away = Fault {
        status: Some(307),
        location: Some("/elsewhere".into()),
        body: Some(String::new()),
        ..Fault::default()
    };
    world.simulator().add_fault(away);
    // The client of these tests follows it, and finds nothing there.
    assert_eq!(world.get("/schools").await.status(), 404);
}

#[tokio::test]
async fn a_cut_connection_ends_a_good_answer_in_its_middle() {
    let world = World::start(one_school(Mis::Sims, 30)).await;
    let path = format!("/schools/{}/employees", world.school.id);
    let whole = world.get(&path).await.bytes().await.unwrap();
    world.simulator().add_fault(Fault { truncate: Some(Truncate::Connection), ..Fault::default() });
    let cut = world.get(&path).await;
    assert_eq!(cut.status(), 200);
    assert_eq!(cut.content_length(), Some(whole.len() as u64));
    assert!(cut.bytes().await.is_err());
}

#[tokio::test]
async fn a_cut_body_is_broken_json() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    world.simulator().add_fault(Fault { truncate: Some(Truncate::Body), ..Fault::default() });
    let cut = world.get(&format!("/schools/{}/employees", world.school.id)).await;
    assert_eq!(cut.status(), 200);
    let body = cut.bytes().await.unwrap();
    assert!(
        body.starts_with(b"{\"data\":[")
            && serde_json::from_slice::<serde_json::Value>(&body).is_err()
    );
}

#[tokio::test]
async fn a_list_can_change_between_two_pages() {
    let world = World::start(one_school(Mis::Sims, 30)).await;
    let before = world.read_all("/employees?per_page=30").await;
    let id = |at: usize| before[at]["id"].as_str().unwrap().to_owned();
    let order = json!({ "path": "employees?", "then": { "name": "deleted", "staff": [id(0)] } });
    let (status, answer) = world.order("/faults", &order.to_string()).await;
    assert_eq!(status, 201, "{answer}");
    let shifted = world.read_all("/employees?per_page=10").await;
    let lost = shifted.iter().all(|person| person["id"] != id(10));
    assert!(lost && shifted[0]["id"] == id(0), "deleted after it was served");
    assert_eq!(world.read(&format!("/employees/{}", id(10))).await["data"]["id"], id(10));

    let order = json!({ "then": { "name": "deleted", "staff": ["A1"] } });
    world.order("/faults", &order.to_string()).await;
    let path = format!("/schools/{}/employees", world.school.id);
    assert_eq!(world.get(&path).await.status(), 500, "a scenario that fails does not hide");
}

#[tokio::test]
async fn hanging_and_latency_delay_an_answer() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let timed = async || {
        let start = Instant::now();
        assert_eq!(world.get("/schools").await.status(), 200);
        start.elapsed()
    };
    world.simulator().add_fault(Fault { hang_ms: Some(150), ..Fault::default() });
    assert!(timed().await >= Duration::from_millis(150));
    world.simulator().set_latency(Duration::from_millis(60));
    assert!(timed().await >= Duration::from_millis(60));

    world.simulator().add_fault(Fault { hang_ms: Some(60_000), ..Fault::default() });
    let hung =
        world.bare("/schools").bearer_auth(&world.school.token).timeout(Duration::from_millis(100));
    assert!(hung.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn cleared_faults_hit_nothing() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    world.simulator().add_fault(Fault { status: Some(500), count: 9, ..Fault::default() });
    assert_eq!(world.get("/schools").await.status(), 500);
    world.simulator().clear_faults();
    assert_eq!(world.get("/schools").await.status(), 200);
}

#[tokio::test]
async fn requests_are_counted_without_any_token() {
    let world = World::start(one_school(Mis::Sims, 3)).await;
    let id = world.school.id.clone();
    world.simulator().add_fault(Fault { status: Some(503), ..Fault::default() });
    world.get(&format!("/schools/{id}/employees")).await;
    for _ in 0..4 {
        world.get(&format!("/schools/{id}/employees/?per_page=2")).await;
    }
    world.bare("/schools").send().await.unwrap();
    let counters = world.simulator().requests();
    assert_eq!((counters.total, counters.by_school[&id]), (6, 5));
    assert_eq!(counters.by_path["schools/{id}/employees"], 5);
    assert_eq!(
        (counters.by_status[&200], counters.by_status[&503], counters.by_status[&401]),
        (4, 1, 1)
    );
    let own = counters.per_token[&id];
    assert_eq!(own.total, 5);
    assert!((1..=5).contains(&own.max_per_second));
    assert_eq!(counters.per_token[UNKNOWN_TOKEN].total, 1);
    assert!(!serde_json::to_string(&counters).unwrap().contains(&world.school.token));
    world.simulator().reset_requests();
    assert_eq!(world.simulator().requests().total, 0);
}

#[tokio::test]
async fn includes_are_counted_as_asked_for() {
    let forbidden =
        SimulatorOptions { unsupported: Unsupported::Forbidden, ..one_school(Mis::Wcbs, 3) };
    let world = World::start(forbidden).await;
    let id = world.school.id.clone();
    for (path, status) in [
        ("/employees?include=contact_details,%20photo", 200),
        // An include that is requested twice in one request counts once.
        ("/employees/?include=contact_details,contact_details&page=2", 200),
        ("/employees?include=roles", 403),
        ("/classes?include=employees.contact_details", 200),
        ("/subjects?per_page=3", 200),
    ] {
        let answer = world.get(&format!("/schools/{id}{path}")).await;
        assert_eq!(answer.status(), status, "{path}");
    }
    let counters = world.simulator().requests();
    let wanted = json!({
        "schools/{id}/employees": { "contact_details": 2, "photo": 1, "roles": 1 },
        "schools/{id}/classes": { "employees.contact_details": 1 },
    });
    assert_eq!(serde_json::to_value(&counters.includes).unwrap(), wanted);
    let requests = format!("{}/requests", world.running.control_url());
    let told: Value = world.http.get(requests).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["includes"], wanted);
    world.simulator().reset_requests();
    assert!(world.simulator().requests().includes.is_empty());
}

#[tokio::test]
async fn a_dropped_simulator_no_longer_answers() {
    let World { running, http, .. } = World::start(one_school(Mis::Sims, 1)).await;
    let url = format!("{}/schools", running.base_url());
    let simulator = running.simulator().clone();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    drop(running);
    // The port closes as soon as the server task has seen the end.
    while http.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
    let again = RunningSimulator::serve(simulator).await.unwrap();
    let answer = http.get(format!("{}/schools", again.base_url())).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}
