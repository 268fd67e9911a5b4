//! Who reads names, emails and pictures, and what trace that leaves.

use axum::body::to_bytes;
use mis_sync_domain::{AuditAction, Report, Role};
use mis_sync_store::audit::{self, AuditFilter};
use serde_json::{Value, json};

use crate::{
    dashboard::{SignedIn, rights},
    roles::{self, Route},
    support::{App, Ask},
};

/// What may only be sent to those who may read personal data.
const SECRETS: [&str; 7] =
    ["Adelheid", "Quaresma", "adelheid@", "AQX", "Head of Zymurgy", "upi0f9e8d7c", "PIXELS"];
const MASK: &str = "•••••";

/// A school whose Ada is all that there is to know.
struct Known {
    app: App,
    job: String,
    ended: String,
    person: String,
}

impl Known {
    async fn start() -> Self {
        let app = App::start().await;
        let school = app.school("oak").await;
        let job = app.job(&school).await.id.to_string();
        let ended = app.job(&school).await.id;
        let lease = app.claim(ended).await;
        app.succeed(lease, &Report::default()).await;
        let (ended, person) = (ended.to_string(), app.person(&school).await);
        app.photo(person, "image/webp", b"RIFFPIXELSWEBP").await;
        let person = person.to_string();
        let said = r#"{"email": "adelheid@mis.example", "first_name": "Adelheid",
            "surname": "Quaresma", "initials": "AQX", "job_title": "Head of Zymurgy"}"#;
        app.sql(format!(
            "UPDATE staff SET email = 'adelheid@oak.example', first_name = 'Adelheid',
                 surname = 'Quaresma', initials = 'AQX', job_title = 'Head of Zymurgy',
                 upi = 'upi0f9e8d7c', wonde_id = 'A1', mis_values = '{said}'
             WHERE id = '{person}';
             INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons,
                 mis_first_name, mis_surname, mis_email, mis_initials, mis_job_title, job_id)
             VALUES ('oak', 'A2', '{person}', 45, '{{surname}}', 'Adelheid', 'Quaresma',
                 'adelheid@new.example', 'AQX', 'Head of Zymurgy', '{ended}');
             INSERT INTO job_issue (job_id, code, wonde_id)
             VALUES ('{ended}', 'manager_missing', 'A1'), ('{job}', 'manager_missing', 'A1');
             INSERT INTO mis_reading (school_id, job_id, mode, dry_run, read_at, full_job_id, issues)
             VALUES ('oak', '{ended}', 'full', false, now(), '{ended}', '{{}}')"
        ))
        .await;
        for id in [&job, &ended] {
            for (field, value) in [
                ("first_name", "Adelheid"),
                ("surname", "Quaresma"),
                ("email", "adelheid@oak.example"),
                ("initials", "AQX"),
                ("job_title", "Head of Zymurgy"),
                ("upi", "upi0f9e8d7c"),
            ] {
                app.sql(format!(
                    "INSERT INTO job_change (job_id, staff_id, field, old_value, new_value)
                     VALUES ('{id}', '{person}', '{field}', '{value}', 'x{value}')"
                ))
                .await;
            }
        }
        Self { app, job, ended, person }
    }

    fn fill(&self, path: &str) -> String {
        let job = if path.ends_with("/events") { &self.ended } else { &self.job };
        let ids = [("{school_id}", "oak"), ("{job_id}", job), ("{staff_id}", &self.person)];
        ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }

    /// Every way to ask a route.
    fn asks(&self, method: &str, path: &str) -> Vec<Ask> {
        let filled = self.fill(path);
        let ask = || Ask::new(method, &filled);
        match path.rsplit('/').next() {
            Some("explain") => ["wonde_id=A1", "email=adelheid@oak.example"]
                .into_iter()
                .map(str::to_owned)
                .chain([format!("staff_id={}", self.person)])
                .map(|who| Ask::new(method, &format!("{filled}?{who}")))
                .collect(),
            Some("changes" | "issues" | "staff") => vec![ask(), ask().header("accept", "text/csv")],
            _ => vec![ask()],
        }
    }

    /// All that comes back, pictures included.
    async fn answer(&self, ask: Ask) -> (u16, String) {
        let answer = self.app.begin(ask).await;
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[tokio::test]
async fn a_viewer_is_never_sent_personal_data_and_the_others_are() {
    let known = Known::start().await;
    for role in Role::ALL.iter().copied() {
        let key = known.app.key(role, None).await;
        let mut read = String::new();
        for Route { method, path, .. } in
            roles::routes().iter().filter(|route| route.method == "GET")
        {
            for ask in known.asks(method, path) {
                let (status, text) = known.answer(ask.key(&key)).await;
                if role == Role::Viewer {
                    for secret in SECRETS {
                        assert!(!text.contains(secret), "{method} {path}: {secret} in {text}");
                    }
                    let is_refused = path.ends_with("/photo") || path.ends_with("/staff");
                    assert_eq!(status, if is_refused { 403 } else { 200 }, "{path}");
                } else {
                    assert_eq!(status, 200, "{role} {method} {path}: {text}");
                }
                read += &text;
            }
        }
        // What a viewer is not sent is there to be sent.
        for secret in SECRETS {
            assert_eq!(read.contains(secret), role != Role::Viewer, "{role}: {secret}");
        }
        assert_eq!(read.contains(MASK), role == Role::Viewer);
    }
}

#[tokio::test]
async fn a_viewer_is_shown_none_on_the_dashboard_either() {
    let known = Known::start().await;
    let viewer = SignedIn::of_role(&known.app, Role::Viewer).await;
    let pages = rights::ROUTES.iter().filter(|(method, path, _)| {
        *method == "GET" && !path.ends_with("/events") && !path.contains("{bulk_id}")
    });
    for (method, path, _) in pages {
        let (_, text) =
            known.answer(Ask::new(method, &known.fill(path)).cookie(&viewer.cookie)).await;
        for secret in SECRETS {
            assert!(!text.contains(secret), "{method} {path}: {secret}");
        }
    }
}

#[tokio::test]
async fn a_mask_keeps_the_shape_and_what_is_not_personal() {
    let known = Known::start().await;
    let (viewer, app) = (known.app.key(Role::Viewer, None).await, &known.app);
    let path = format!("/v1/schools/oak/staff/{}", known.person);
    let masked = app.send(Ask::get(&path).key(&viewer)).await.json();
    let whole = app.admin(Ask::get(&path)).await.json();
    let names = |answer: &Value| -> Vec<String> {
        answer["fields"].as_array().unwrap().iter().map(|f| f["field"].to_string()).collect()
    };
    assert_eq!((names(&masked), &masked["wonde_id"]), (names(&whole), &whole["wonde_id"]));
    let fields = masked["fields"].as_array().unwrap().iter();
    for (masked, whole) in fields.zip(whole["fields"].as_array().unwrap()) {
        let is_open =
            ["non_teaching", "line_manager_id"].map(Value::from).contains(&whole["field"]);
        for value in ["ip_value", "mis_value"] {
            let wanted = match &whole[value] {
                Value::String(_) if !is_open => MASK.into(),
                other => other.clone(),
            };
            assert_eq!(masked[value], wanted, "{} of {}", value, whole["field"]);
        }
    }
    let path = format!("/v1/jobs/{}/changes", known.job);
    let csv = app.send(Ask::get(&path).header("accept", "text/csv").key(&viewer)).await.text;
    assert_eq!(csv.lines().count(), 7);
    assert!(csv.contains(&format!("first_name,{MASK},{MASK}\r\n")), "{csv}");
    let photo = format!("/v1/schools/oak/staff/{}/photo", known.person);
    app.send(Ask::get(&photo).key(&viewer)).await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_a_person_reads_leaves_a_line_without_the_values() {
    let known = Known::start().await;
    let app = &known.app;
    let asks = || {
        let staff = format!("/v1/schools/oak/staff/{}", known.person);
        let job = format!("/v1/jobs/{}", known.job);
        [
            (Ask::get(&staff), AuditAction::Reveal, "staff"),
            (Ask::get(&format!("{staff}/photo")), AuditAction::Reveal, "photo"),
            (
                Ask::get("/v1/schools/oak/explain?email=adelheid@oak.example"),
                AuditAction::Reveal,
                "explain",
            ),
            (
                Ask::post("/v1/schools/oak/explain").json(&json!({"wonde_id": "A1"})),
                AuditAction::Reveal,
                "explain",
            ),
            (Ask::get("/v1/schools/oak/staff"), AuditAction::Reveal, "staff list"),
            (Ask::post("/v1/schools/oak/staff/search"), AuditAction::Reveal, "staff list"),
            (
                Ask::get("/v1/schools/oak/staff").header("accept", "text/csv"),
                AuditAction::Export,
                "staff list",
            ),
            (Ask::get("/v1/schools/oak/matches"), AuditAction::Reveal, "matches"),
            (Ask::get(&format!("{job}/changes")), AuditAction::Reveal, "changes"),
            (Ask::get(&format!("{job}/issues")), AuditAction::Reveal, "issues"),
            (
                Ask::get(&format!("{job}/changes")).header("accept", "text/csv"),
                AuditAction::Export,
                "changes",
            ),
            (
                Ask::get(&format!("{job}/issues")).header("accept", "text/csv"),
                AuditAction::Export,
                "issues",
            ),
        ]
    };
    let lines = async || {
        let all = audit::list(&app.pool, &AuditFilter::default(), 1000).await.unwrap();
        let is_reading = |action| matches!(action, AuditAction::Reveal | AuditAction::Export);
        all.into_iter().filter(|line| is_reading(line.action)).collect::<Vec<_>>()
    };
    for role in [Role::App, Role::Viewer] {
        let key = app.key(role, None).await;
        for (ask, ..) in asks() {
            app.begin(ask.key(&key)).await;
        }
        assert!(lines().await.is_empty(), "{role}");
    }
    for role in [Role::Operator, Role::Admin] {
        let key = app.key(role, None).await;
        for (ask, action, subject) in asks() {
            assert_eq!(app.begin(ask.key(&key)).await.status().as_u16(), 200);
            let line = lines().await.remove(0);
            assert_eq!(line.actor.to_string(), role.as_str());
            assert!(line.api_key_id.is_some());
            assert_eq!((line.action, line.subject.as_deref()), (action, Some(subject)));
            assert_eq!(line.school_id.as_ref().unwrap().as_str(), "oak");
            let is_of_a_person = ["staff", "photo", "explain"].contains(&subject);
            assert_eq!(line.staff_id.is_some(), is_of_a_person, "{subject}");
            assert_eq!(line.job_id.is_some(), ["changes", "issues"].contains(&subject));
            for secret in SECRETS {
                assert!(!format!("{line:?}").contains(secret), "{line:?}");
            }
        }
    }
    assert_eq!(lines().await.len(), 24);
}
