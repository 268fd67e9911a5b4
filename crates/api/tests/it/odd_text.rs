//! Unusual text: none of it may cause an internal error.

use mis_sync_domain::Role;
use serde_json::{Value, json};

use crate::{
    dashboard::{SignedIn, rights},
    roles::{self, Route},
    support::{Answer, App, Ask},
};

/// What no text may hold.
const CONTROL: [&str; 5] = ["a\0b", "\0", "a\u{1}b", "a\nb", "\u{7f}"];

/// What is odd, and no reason to refuse a text.
fn harmless() -> Vec<String> {
    let long = "x".repeat(20_000);
    vec!["\u{ffff}".into(), "\u{202e}\u{200b}".into(), "'; --".into(), "%00".into(), long]
}

fn odd() -> Vec<String> {
    CONTROL.into_iter().map(str::to_owned).chain(harmless()).collect()
}

/// Names of everything that some body, form or query has.
const FIELDS: [&str; 26] = [
    "name",
    "wonde_school_id",
    "token",
    "mis",
    "wonde_base_url",
    "settings",
    "dry_run",
    "photos",
    "mode",
    "reason",
    "categories",
    "wonde_id",
    "staff_id",
    "query",
    "what",
    "who",
    "role",
    "school",
    "lane",
    "worker",
    "action",
    "key",
    "next",
    "freshness",
    "leave_out",
    "nonsense",
];

const PARAMETERS: [&str; 20] = [
    "school_id",
    "staff_id",
    "kind",
    "state",
    "error",
    "since",
    "until",
    "cursor",
    "limit",
    "email",
    "wonde_id",
    "wait_ms",
    "q",
    "school",
    "user",
    "actor",
    "field",
    "after",
    "watch",
    "nonsense",
];

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// That it is not our fault, whatever it is.
#[track_caller]
fn no_fault(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
}

/// The address of a route with ids that are there.
fn fill(path: &str, job: &str, person: &str) -> String {
    let ids = [("{school_id}", "oak"), ("{job_id}", job), ("{staff_id}", person)];
    let path = ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
    // No worker is there to answer.
    if path.ends_with("/check") { format!("{path}?wait_ms=0") } else { path }
}

struct Known {
    app: App,
    job: String,
    person: String,
}

impl Known {
    async fn start() -> Self {
        let app = App::start().await;
        let school = app.school("oak").await;
        let job = app.job(&school).await.id;
        let lease = app.claim(job).await;
        app.succeed(lease, &mis_sync_domain::Report::default()).await;
        let person = app.person(&school).await.to_string();
        Self { app, job: job.to_string(), person }
    }

    fn fill(&self, path: &str) -> String {
        fill(path, &self.job, &self.person)
    }
}

#[tokio::test]
async fn an_address_with_odd_text_is_no_fault() {
    let known = Known::start().await;
    let app = &known.app;
    for Route { method, path, .. } in &roles::routes() {
        for text in odd() {
            let text = percent(&text);
            for id in ["{school_id}", "{job_id}", "{staff_id}"] {
                if path.contains(id) {
                    let path = known.fill(&path.replace(id, &text));
                    no_fault(&app.admin(Ask::new(method, &path)).await, &path);
                }
            }
            if method != "GET" && !path.ends_with("/refresh") {
                continue;
            }
            for name in PARAMETERS {
                let path = format!("{}?{name}={text}", known.fill(path));
                no_fault(&app.admin(Ask::new(method, &path)).await, &path);
            }
        }
    }
}

#[tokio::test]
async fn a_body_with_odd_text_is_refused_or_taken() {
    let known = Known::start().await;
    let app = &known.app;
    for Route { method, path, .. } in roles::routes().iter().filter(|route| route.method != "GET") {
        let path = known.fill(path);
        for field in FIELDS {
            for text in odd() {
                for value in [json!(text), json!([text]), json!({ text.clone(): text })] {
                    let ask = Ask::new(method, &path).json(&json!({ field: value }));
                    let answer = app.admin(ask).await;
                    no_fault(&answer, &format!("{method} {path} {field} {value}"));
                }
            }
        }
        // Half of a surrogate pair is no text at all.
        for body in [r#"{"reason":"\ud800"}"#, r#"{"\udfff":1}"#, "\"\0\"", "\u{ffff}"] {
            let answer = app.admin(Ask::new(method, &path).text("application/json", body)).await;
            no_fault(&answer, &format!("{method} {path} {body}"));
        }
    }
}

#[tokio::test]
async fn control_characters_are_refused_by_name() {
    let known = Known::start().await;
    let app = &known.app;
    for text in CONTROL {
        for action in ["cancel", "retry", "approve", "reject", "undo"] {
            let ask = Ask::post(&known.fill(&format!("/v1/jobs/{{job_id}}/{action}")));
            let problem = app.admin(ask.json(&json!({ "reason": text }))).await;
            let problem = problem.problem(422, "invalid-text");
            assert!(problem["detail"].as_str().unwrap().contains("`reason`"), "{problem}");
        }
        let ask = Ask::post("/v1/schools/oak/matches").json(&json!({ "wonde_id": text }));
        app.admin(ask).await.problem(422, "invalid-text");
        let ask = Ask::post("/v1/schools/oak/sync").json(&json!({ "mode": text }));
        app.admin(ask).await.problem(422, "invalid-text");
        for field in ["name", "mis", "token", "wonde_school_id"] {
            let mut body = json!({ "name": "N", "wonde_school_id": "A1", "token": "t" });
            body[field] = text.into();
            let problem = app.admin(Ask::put("/v1/schools/oak").json(&body)).await;
            let problem = problem.problem(422, "invalid-school");
            assert_eq!(problem["errors"][0]["field"], field);
        }
        let path = format!("/v1/schools/oak/explain?email={}", percent(text));
        app.admin(Ask::get(&path)).await.problem(400, "invalid-parameter");
    }
    assert_eq!(app.all_jobs().await.len(), 1, "nothing was enqueued");
}

#[tokio::test]
async fn a_form_with_odd_text_is_refused_or_taken() {
    let known = Known::start().await;
    let app = &known.app;
    let admin = SignedIn::of_role(app, Role::Admin).await;
    let forms = rights::ROUTES.iter().filter(|(method, path, _)| {
        *method == "POST" && !path.ends_with("/logout") && !path.contains("{key_id}")
    });
    for (_, path, _) in forms {
        let path = known.fill(path);
        // A test of the connection waits for a worker, and none is there.
        let fields = if path.contains("/check") { &["reason"][..] } else { &FIELDS };
        for field in fields.iter().copied() {
            // What the form also has, so that it is read to its end.
            let others = [
                ("name", "N"),
                ("role", "viewer"),
                ("who", "A1"),
                ("query", "?q=x"),
                ("worker", "w"),
                ("action", "cancel"),
                ("school", "oak"),
                ("freshness", "5"),
            ];
            let others: Vec<_> = others.into_iter().filter(|(name, _)| *name != field).collect();
            for text in odd() {
                let fields = [&others[..], &[(field, text.as_str())]].concat();
                let answer = admin.post(app, &path, &fields).await;
                no_fault(&answer, &format!("{path} {field} {text:?}"));
                if CONTROL.contains(&text.as_str()) {
                    assert_eq!(answer.status, 422, "{path} {field} {text:?}");
                }
            }
        }
    }
    for text in odd() {
        let answer = app.send(Ask::post("/dashboard/login").form(&[("key", &text)])).await;
        no_fault(&answer, "login");
    }
    let pages = rights::ROUTES.iter().filter(|(method, path, _)| {
        *method == "GET" && !path.ends_with("/events") && !path.contains("{bulk_id}")
    });
    for (_, path, _) in pages {
        for text in odd() {
            let text = percent(&text);
            for name in PARAMETERS {
                let path = format!("{}?{name}={text}", known.fill(path));
                no_fault(&admin.get(app, &path).await, &path);
            }
        }
    }
}

#[tokio::test]
async fn headers_with_odd_text_are_no_fault() {
    let known = Known::start().await;
    for (name, value) in [
        ("idempotency-key", "a\tb"),
        ("last-event-id", "a\tb"),
        ("if-none-match", "\t"),
        ("x-request-id", "a\tb"),
        ("accept", "\t"),
    ] {
        let long = "x".repeat(5000);
        for value in [value, "%00", &long] {
            for path in ["/v1/schools/oak/sync", "/v1/jobs/{job_id}/events", "/v1/jobs/{job_id}"] {
                let method = if path.ends_with("sync") { "POST" } else { "GET" };
                let ask = Ask::new(method, &known.fill(path)).header(name, value);
                no_fault(&known.app.admin(ask).await, &format!("{path} {name}"));
            }
        }
    }
}

#[tokio::test]
async fn a_value_is_not_told_back_with_its_control_characters_in_a_problem() {
    let known = Known::start().await;
    let answer = known.app.admin(Ask::get("/v1/jobs?error=a%00b")).await;
    let problem = answer.problem(400, "invalid-parameter");
    assert_eq!(problem["parameter"], Value::from("error"));
}
