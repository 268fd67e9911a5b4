//! The records that a job did not import in full.

use mis_sync_domain::{AuditAction, IssueCode, Role, SchoolId};
use mis_sync_store::audit::{self, AuditFilter};
use serde_json::{Value, json};

use crate::support::{App, Ask};

#[tokio::test]
async fn issues_are_listed_page_by_page() {
    let app = App::start().await;
    let id = app.job(&app.school("oak").await).await.id;
    let other = app.job(&app.school("elm").await).await.id;
    for code in IssueCode::ALL {
        app.sql(format!(
            "INSERT INTO job_issue (job_id, code, wonde_id)
             VALUES ('{id}', '{0}', nullif('A-{0}', 'A-unreadable_record')), ('{other}', '{0}', 'X')",
            code.as_str()
        ))
        .await;
    }
    let path = format!("/v1/jobs/{id}/issues");
    let all = app.admin(Ask::get(&path)).await.json();
    let wanted: Vec<Value> = IssueCode::ALL
        .iter()
        .map(|code| {
            let wonde_id = Some(format!("A-{}", code.as_str()))
                .filter(|_| *code != IssueCode::UnreadableRecord);
            json!({
                "code": code.as_str(),
                "sentence": code.sentence(),
                "mis_field": code.mis_field(),
                "what_to_do": code.what_to_do(),
                "login_used_at_school": null,
                "wonde_id": wonde_id,
                "staff_id": null,
                "name": null,
                "email": null,
                "upi": null,
                "class_or_subject": null,
                "mis_id": null,
                "record": null,
            })
        })
        .collect();
    assert_eq!(all, json!({"issues": wanted, "next_cursor": null}));

    let mut seen = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = app.admin(Ask::get(&format!("{path}{query}"))).await.json();
        seen.extend(page["issues"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
    }
    assert_eq!(seen, wanted);
}

/// A school whose last full run and the delta since found these issues, and the ids of both jobs.
async fn with_issues(app: &App) -> (String, String) {
    let oak = app.school("oak").await;
    let [full, delta] = [app.job(&oak).await.id, app.job(&oak).await.id].map(|id| id.to_string());
    let (ada, ida) = (app.person(&oak).await, app.person(&oak).await);
    app.sql(format!(
        "UPDATE staff SET wonde_id = 'A1', upi = 'U1', surname = '=Day' WHERE id = '{ada}';
         UPDATE staff SET first_name = '', wonde_id = 'A2' WHERE id = '{ida}';
         INSERT INTO staff_alias VALUES ('oak', 'A3', '{ida}');
         INSERT INTO class (school_id, wonde_id, name) VALUES ('oak', 'C1', '7A/Ma');
         INSERT INTO subject (school_id, wonde_id, name) VALUES ('oak', 'S1', 'Maths');
         INSERT INTO mis_person (school_id, wonde_id, upi, email_key, standing, outcome, job_id) VALUES
            ('oak', 'A1', 'U1', 'ada@mis.example', 'current', 'imported', '{full}'),
            ('oak', 'A4', 'U4', 'shared@mis.example', 'current', 'shared_work_email', '{full}');
         INSERT INTO job_issue (job_id, code, wonde_id) VALUES ('{full}', 'manager_missing', 'A1'),
            ('{full}', 'manager_circle', 'A3'), ('{full}', 'shared_work_email', 'A4'),
            ('{full}', 'possible_match', 'A5'), ('{full}', 'class_staff_missing', 'C1'),
            ('{full}', 'text_too_long', 'S1'), ('{full}', 'no_work_email', 'A6'),
            ('{full}', 'photos_withheld', NULL), ('{delta}', 'manager_missing', 'A1'),
            ('{delta}', 'name_missing', 'A7');
         INSERT INTO mis_reading (school_id, job_id, mode, dry_run, read_at, full_job_id, issues)
         VALUES ('oak', '{delta}', 'delta', false, now(), '{full}', '{{}}')"
    ))
    .await;
    app.possible_match("oak", "A5", &ida.to_string()).await;
    (full, delta)
}

#[tokio::test]
async fn each_issue_names_what_it_is_about() {
    let app = App::start().await;
    let (full, _) = with_issues(&app).await;
    let issues = app.admin(Ask::get(&format!("/v1/jobs/{full}/issues"))).await.json();
    let named = |issue: &Value| {
        ["wonde_id", "name", "email", "upi", "class_or_subject"].map(|field| issue[field].clone())
    };
    let found: Vec<_> = issues["issues"].as_array().unwrap().iter().map(named).collect();
    let ida = issues["issues"][1]["staff_id"].as_str().unwrap();
    let null = Value::Null;
    let wanted = [
        [json!("A1"), json!("Ada =Day"), json!("ada@mis.example"), json!("U1"), null.clone()],
        // A further record of a person, who is in iP with another one.
        [
            json!("A3"),
            json!("Day"),
            json!(format!("{ida}@oak.example")),
            null.clone(),
            null.clone(),
        ],
        // Not in iP: no name is kept.
        [json!("A4"), null.clone(), json!("shared@mis.example"), json!("U4"), null.clone()],
        [json!("A5"), json!("Ada Day"), json!("ada@new.example"), null.clone(), null.clone()],
        [json!("C1"), null.clone(), null.clone(), null.clone(), json!("7A/Ma")],
        [json!("S1"), null.clone(), null.clone(), null.clone(), json!("Maths")],
        [json!("A6"), null.clone(), null.clone(), null.clone(), null.clone()],
        [null.clone(), null.clone(), null.clone(), null.clone(), null.clone()],
    ];
    assert_eq!(found, wanted);
    let link = format!("/v1/schools/oak/staff/{ida}");
    assert_eq!(app.admin(Ask::get(&link)).await.json()["wonde_id"], "A2");
}

#[tokio::test]
async fn the_issues_of_a_school_are_those_of_its_last_runs_each_once() {
    let app = App::start().await;
    with_issues(&app).await;
    let path = "/v1/schools/oak/issues";
    let all = app.admin(Ask::get(path)).await.json();
    let codes: Vec<_> =
        all["issues"].as_array().unwrap().iter().map(|issue| issue["code"].clone()).collect();
    assert_eq!(codes.len(), 9, "{codes:?}");
    assert_eq!(codes[0], "manager_missing");
    assert_eq!(codes[8], "name_missing", "found by the delta");
    let first = app.admin(Ask::get(&format!("{path}?limit=7"))).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.admin(Ask::get(&format!("{path}?limit=7&cursor={cursor}"))).await.json();
    let pages = [first["issues"].clone(), second["issues"].clone()];
    let pages: Vec<&Value> = pages.iter().flat_map(|page| page.as_array().unwrap()).collect();
    assert_eq!(pages, all["issues"].as_array().unwrap().iter().collect::<Vec<_>>());
    app.school("elm").await;
    let elm = app.admin(Ask::get("/v1/schools/elm/issues")).await.json();
    assert_eq!(elm, json!({"issues": [], "next_cursor": null}));
    let key = app.key(Role::App, Some("elm")).await;
    app.send(Ask::get(path).key(&key)).await.problem(404, "unknown-school");
}

#[tokio::test]
async fn a_clerk_gets_a_list_that_a_spreadsheet_opens() {
    let app = App::start().await;
    with_issues(&app).await;
    let path = "/v1/schools/oak/issues";
    let ask = || Ask::get(path).header("accept", "text/csv");
    let file = app.admin(ask()).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"issues-oak.csv\"");
    let lines: Vec<&str> = file.text.split_inclusive("\r\n").collect();
    assert_eq!(lines.len(), 10, "{}", file.text);
    assert!(lines[1].starts_with("Ada =Day,,A1,Person,,"), "{}", lines[1]);
    assert!(lines[1].contains(IssueCode::ManagerMissing.what_to_do()), "{}", lines[1]);
    assert!(lines[5].contains(",Class,7A/Ma,"), "{}", lines[5]);
    let viewer = app.key(Role::Viewer, None).await;
    let masked = app.send(ask().key(&viewer)).await.text;
    assert!(masked.contains("•••••,,A1,Person,,"), "{masked}");
    assert!(!masked.contains("mis.example") && !masked.contains("U4"), "{masked}");

    let operator = app.key(Role::Operator, None).await;
    for (ask, action) in [(ask(), AuditAction::Export), (Ask::get(path), AuditAction::Reveal)] {
        app.send(ask.key(&operator)).await;
        let lines = audit::list(&app.pool, &AuditFilter::default(), 1).await.unwrap();
        assert_eq!((lines[0].action, lines[0].subject.as_deref()), (action, Some("issues")));
        assert_eq!(lines[0].school_id.as_ref().map(SchoolId::as_str), Some("oak"));
    }
}
