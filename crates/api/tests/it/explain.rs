//! What may be asked, by whom, and what is not revealed. The verdicts are tested end to end.

use mis_sync_domain::{Role, StaffId};
use serde_json::{Value, json};

use crate::support::{App, Ask};

fn ask(question: &str) -> Ask {
    Ask::get(&format!("/v1/schools/oak/explain?{question}"))
}

#[tokio::test]
async fn exactly_one_key_says_who_is_meant() {
    let app = App::start().await;
    app.school("oak").await;
    let id = StaffId::new();
    for (question, parameter, found) in [
        (String::new(), "email, wonde_id, staff_id", "0 of them"),
        ("email=a@b.example&wonde_id=A1".into(), "email, wonde_id, staff_id", "2 of them"),
        (format!("staff_id={id}&wonde_id=A1"), "email, wonde_id, staff_id", "2 of them"),
        ("email=".into(), "email", ""),
        ("email=%20".into(), "email", " "),
        ("wonde_id=A%001".into(), "wonde_id", "A\u{0}1"),
        ("email=a@b.example&email=c@d.example".into(), "email", "a@b.example"),
        ("staff_id=A1".into(), "staff_id", "A1"),
        ("wonde_id=A1&upi=1".into(), "upi", "1"),
    ] {
        let problem = app.admin(ask(&question)).await.problem(400, "invalid-parameter");
        assert_eq!((&problem["parameter"], &problem["found"]), (&json!(parameter), &json!(found)));
        assert_eq!(problem["instance"], "/v1/schools/oak/explain", "the question is not repeated");
    }
}

#[tokio::test]
async fn a_body_asks_the_same_as_a_query() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    let post = |body: &Value| Ask::post("/v1/schools/oak/explain").json(body);
    for (field, value) in [
        ("email", format!("{person}@oak.example")),
        ("wonde_id", "A1".to_owned()),
        ("staff_id", person.to_string()),
    ] {
        let asked = app.admin(ask(&format!("{field}={value}"))).await.json();
        assert_eq!(app.admin(post(&json!({ field: value }))).await.json(), asked, "{field}");
    }
    for (body, wanted) in [
        (json!({}), "exactly one of `email`, `wonde_id` and `staff_id`, and holds 0 of them"),
        (json!({"email": "a@b.example", "wonde_id": "A1"}), "and holds 2 of them"),
        (json!({"email": ["s3cret"]}), "`email` has to be a text without control characters"),
        (json!({"staff_id": "s3cret"}), "`staff_id` has to be the id of a person in iP"),
        (json!({"name": "s3cret"}), "known are `email`, `wonde_id` and `staff_id`"),
    ] {
        let problem = app.admin(post(&body)).await.problem(400, "malformed-body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(wanted) && !detail.contains("s3cret"), "{detail}");
    }
}

#[tokio::test]
async fn someone_of_another_school_is_nobody_here() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&app.school("elm").await).await;
    for id in [person, StaffId::new()] {
        app.admin(ask(&format!("staff_id={id}"))).await.problem(404, "unknown-staff");
    }
    let theirs = app.admin(ask(&format!("email={person}@oak.example"))).await.json();
    assert_eq!(theirs, app.admin(ask("email=nobody@oak.example")).await.json());
    let ours = app.person(&oak).await;
    let ours = app.admin(ask(&format!("email={ours}@oak.example"))).await.json();
    assert!(ours["staff_id"].is_string());

    let elm = app.key(Role::Viewer, Some("elm")).await;
    app.send(ask("wonde_id=A1").key(&elm)).await.problem(404, "unknown-school");
}

#[tokio::test]
async fn an_undo_is_named_until_the_next_sync() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let (person, other) = (app.person(&oak).await, app.person(&oak).await);
    let job = app.job(&oak).await.id.to_string();
    app.put_in_state(&job, "succeeded").await;
    app.only_change(&job, &person.to_string()).await;
    let of = |person: StaffId| ask(&format!("staff_id={person}"));
    assert_eq!(app.admin(of(person)).await.json()["undone"], Value::Null);

    let undo = app.admin(Ask::post(&format!("/v1/jobs/{job}/undo"))).await.json();
    let undone = json!({
        "by": undo["requested_by"], "at": undo["created_at"], "job_id": undo["id"], "undo_of": job,
    });
    assert_eq!(app.admin(of(person)).await.json()["undone"], undone);
    let viewer = app.key(Role::Viewer, None).await;
    assert_eq!(app.send(of(person).key(&viewer)).await.json()["undone"], undone);
    assert_eq!(app.admin(of(other)).await.json()["undone"], Value::Null, "it did not change them");

    let next = app.job(&oak).await.id.to_string();
    app.put_in_state(&next, "succeeded").await;
    assert_eq!(app.admin(of(person)).await.json()["undone"], Value::Null);
}
