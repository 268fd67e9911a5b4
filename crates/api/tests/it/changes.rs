//! What a job changed, field by field.

use mis_sync_domain::{ChangedField, ClassId, JobId, StaffId, SubjectId};
use serde_json::{Value, json};

use crate::support::{App, Ask};

/// A job of the school `oak`, and where its changes are.
async fn new_job(app: &App) -> (JobId, String) {
    let id = app.job(&app.school("oak").await).await.id;
    (id, format!("/v1/jobs/{id}/changes"))
}

#[tokio::test]
async fn every_field_is_shown_with_its_values() {
    let app = App::start().await;
    let (id, path) = new_job(&app).await;
    let staff_id = StaffId::new();
    app.sql(format!(
        "INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value) VALUES
            ('{id}', '{staff_id}', 'A1', 'non_teaching', 'true', 'false'),
            ('{id}', '{staff_id}', 'A1', 'active', NULL, 'true'),
            ('{id}', '{staff_id}', NULL, 'surname', 'true', 'Zoë \"Z\" Day'),
            ('{id}', '{staff_id}', 'A1', 'job_title', 'Head', NULL),
            ('{id}', NULL, 'A2', 'created', NULL, NULL)"
    ))
    .await;
    let change = |staff_id: Value, wonde_id: Value, field: &str, old: Value, new: Value| {
        json!({
            "record": "staff", "staff_id": staff_id, "class_id": null, "subject_id": null,
            "wonde_id": wonde_id, "field": field, "old": old, "new": new,
        })
    };
    let staff_id = json!(staff_id.to_string());
    let (null, a1) = (Value::Null, json!("A1"));
    let wanted = json!({
        "changes": [
            change(staff_id.clone(), a1.clone(), "non_teaching", json!(true), json!(false)),
            change(staff_id.clone(), a1.clone(), "active", null.clone(), json!(true)),
            change(staff_id.clone(), null.clone(), "surname", json!("true"), json!("Zoë \"Z\" Day")),
            change(staff_id, a1, "job_title", json!("Head"), null.clone()),
            change(null.clone(), json!("A2"), "created", null.clone(), null),
        ],
        "next_cursor": null,
    });
    assert_eq!(app.admin(Ask::get(&path)).await.json(), wanted);
}

#[tokio::test]
async fn a_change_says_of_which_record_it_is() {
    let app = App::start().await;
    let (id, path) = new_job(&app).await;
    let (class, subject) = (ClassId::new(), SubjectId::new());
    app.sql(format!(
        "INSERT INTO job_change
            (job_id, record, class_id, subject_id, wonde_id, field, old_value, new_value) VALUES
            ('{id}', 'class', '{class}', NULL, 'A1', 'active', 'true', 'false'),
            ('{id}', 'class', '{class}', NULL, 'A1', 'subject_id', NULL, '{subject}'),
            ('{id}', 'subject', NULL, '{subject}', 'A2', 'name', 'Maths', 'Mathematics'),
            ('{id}', 'subject', NULL, NULL, 'A3', 'created', NULL, NULL)"
    ))
    .await;
    let (class, subject) = (class.to_string(), subject.to_string());
    let class_change = |field: &str, old: Value, new: Value| {
        json!({
            "record": "class", "staff_id": null, "class_id": class, "subject_id": null,
            "wonde_id": "A1", "field": field, "old": old, "new": new,
        })
    };
    let subject_change = |id: Value, wonde_id: &str, field: &str, old: Value, new: Value| {
        json!({
            "record": "subject", "staff_id": null, "class_id": null, "subject_id": id,
            "wonde_id": wonde_id, "field": field, "old": old, "new": new,
        })
    };
    let null = Value::Null;
    let wanted = json!([
        class_change("active", json!(true), json!(false)),
        class_change("subject_id", null.clone(), json!(subject)),
        subject_change(json!(subject), "A2", "name", json!("Maths"), json!("Mathematics")),
        subject_change(null.clone(), "A3", "created", null.clone(), null),
    ]);
    assert_eq!(app.admin(Ask::get(&path)).await.json()["changes"], wanted);
}

#[tokio::test]
async fn changes_are_listed_page_by_page() {
    let app = App::start().await;
    let (id, path) = new_job(&app).await;
    let other = app.job(&app.school("elm").await).await.id;
    for field in ChangedField::ALL {
        // Rows of two jobs in turn, so that the positions of one have gaps.
        let field = field.as_str();
        app.sql(format!(
            "INSERT INTO job_change (job_id, wonde_id, field)
             VALUES ('{id}', 'A1', '{field}'), ('{other}', 'A2', '{field}')"
        ))
        .await;
    }
    let fields = |page: &Value| -> Vec<String> {
        let changes = page["changes"].as_array().unwrap().iter();
        changes.map(|change| change["field"].as_str().unwrap().to_owned()).collect()
    };
    let wanted: Vec<_> = ChangedField::ALL.iter().map(|field| field.as_str()).collect();
    assert_eq!(fields(&app.admin(Ask::get(&path)).await.json()), wanted);

    let mut pages = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = app.admin(Ask::get(&format!("{path}{query}"))).await.json();
        pages.push(fields(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4, 4, 4]);
    assert_eq!(pages.concat(), wanted);
}

#[tokio::test]
async fn a_change_that_is_not_understood_is_not_quoted() {
    let app = App::start().await;
    for (field, value) in [("password_hash", "a-value"), ("active", "a-value")] {
        let (id, path) = new_job(&app).await;
        app.sql(format!(
            "INSERT INTO job_change (job_id, wonde_id, field, new_value)
             VALUES ('{id}', 'A1', '{field}', '{value}')"
        ))
        .await;
        for accept in ["application/json", "text/csv"] {
            let answer = app.admin(Ask::get(&path).header("accept", accept)).await;
            answer.problem(500, "internal");
            assert!(!answer.text.contains(value), "{}", answer.text);
        }
    }
}
