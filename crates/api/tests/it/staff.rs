//! A person, and where each field comes from.

use std::sync::Arc;

use mis_sync_api::router;
use mis_sync_domain::{JobId, MisTable, Report, SchoolId, StaffId, SyncedField};
use serde_json::{Value, json};

use crate::support::{App, Ask, send};

fn path(person: StaffId) -> String {
    format!("/v1/schools/oak/staff/{person}")
}

async fn show(app: &App, person: StaffId) -> Value {
    app.admin(Ask::get(&path(person))).await.json()
}

fn field<'a>(person: &'a Value, name: &str) -> &'a Value {
    person["fields"].as_array().unwrap().iter().find(|field| field["field"] == name).unwrap()
}

/// Ends a job that changed nothing except what is put into its history by hand.
async fn finished_job(app: &App, school: &SchoolId, at: &str) -> JobId {
    let id = app.job(school).await.id;
    let lease = app.claim(id).await;
    app.succeed(lease, &Report::default()).await;
    app.sql(format!("UPDATE job SET finished_at = '{at}' WHERE id = '{id}'")).await;
    id
}

async fn note_change(app: &App, job: JobId, person: StaffId, field: &str) {
    app.sql(format!(
        "INSERT INTO job_change (job_id, staff_id, wonde_id, field)
         VALUES ('{job}', '{person}', 'A1', '{field}')"
    ))
    .await;
}

/// A person of the school who is A1 in the MIS.
async fn linked_person(app: &App, school: &SchoolId, mis_values: &Value) -> StaffId {
    let person = app.person(school).await;
    app.sql(format!(
        "UPDATE staff SET wonde_id = 'A1', mis_values = '{mis_values}' WHERE id = '{person}'"
    ))
    .await;
    person
}

#[tokio::test]
async fn someone_made_by_hand_belongs_to_ip() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    app.sql(format!(
        "UPDATE staff SET created_at = '2026-09-01T06:30:00Z', updated_at = '2026-09-02T06:30:00Z'
         WHERE id = '{person}'"
    ))
    .await;
    let known = |field: &str, mis_field: &str, ip_value: Value| {
        json!({
            "field": field, "mis_field": mis_field, "ip_value": ip_value, "mis_value": null,
            "mis_said": false, "owner": "ip", "rule": "The person is not linked with the MIS.",
            "last_set_at": "2026-09-01T06:30:00.000Z", "last_set_by_job": null,
        })
    };
    let wanted = json!({
        "id": person.to_string(),
        "school_id": "oak",
        "wonde_id": null,
        "active": true,
        "password_reset_required": true,
        "created_at": "2026-09-01T06:30:00.000Z",
        "updated_at": "2026-09-02T06:30:00.000Z",
        "fields": [
            known("first_name", "Forename", json!("Ada")),
            known("surname", "Surname", json!("Day")),
            known("initials", "Initials", Value::Null),
            known("email", "Work email", json!(format!("{person}@oak.example"))),
            known("job_title", "Roles", Value::Null),
            known("non_teaching", "Teaching staff", json!(false)),
            known("photo_hash", "Photo", Value::Null),
            known("line_manager_id", "Reports to", Value::Null),
        ],
        "links": {
            "self": path(person),
            "school": "/v1/schools/oak",
            "photo": null,
        },
    });
    let answer = app.admin(Ask::get(&path(person))).await;
    assert_eq!(answer.json(), wanted);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn both_values_of_a_field_are_shown() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let boss = app.person(&oak).await;
    let said = json!({
        "first_name": "Adelaide", "surname": "Day", "job_title": null, "non_teaching": true,
        "line_manager": "A7", "photo_hash": null,
    });
    let person = linked_person(&app, &oak, &said).await;
    app.photo(person, "image/webp", b"RIFF....WEBP").await;
    app.sql(format!(
        "UPDATE staff SET line_manager_id = '{boss}', job_title = 'Head', initials = 'AD'
         WHERE id = '{person}'"
    ))
    .await;
    let shown = show(&app, person).await;
    let hash = field(&shown, "photo_hash")["ip_value"].clone();
    assert_eq!(hash.as_str().unwrap().len(), 64);
    for (name, ip_value, mis_said, mis_value) in [
        ("first_name", json!("Ada"), true, json!("Adelaide")),
        ("surname", json!("Day"), true, json!("Day")),
        ("initials", json!("AD"), false, Value::Null),
        ("email", json!(format!("{person}@oak.example")), false, Value::Null),
        ("job_title", json!("Head"), true, Value::Null),
        ("non_teaching", json!(false), true, json!(true)),
        ("photo_hash", hash, true, Value::Null),
        ("line_manager_id", json!(boss.to_string()), true, json!("A7")),
    ] {
        let found = field(&shown, name);
        let values = (&found["ip_value"], &found["mis_said"], &found["mis_value"]);
        assert_eq!(values, (&ip_value, &json!(mis_said), &mis_value), "{name}");
    }
    for link in shown["links"].as_object().unwrap().values() {
        assert_eq!(app.admin(Ask::get(link.as_str().unwrap())).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn the_owner_follows_the_mis_and_the_settings() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = linked_person(&app, &oak, &json!({})).await;
    let owners = async || -> Vec<(String, String)> {
        let shown = show(&app, person).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = shown["fields"].as_array().unwrap().iter();
        fields.map(|field| (text(&field["owner"]), text(&field["rule"]))).collect()
    };
    let mis = ("mis", "The MIS owns this field.");
    let on_request = ("mis", "The MIS owns this field; it is imported only on request.");
    let not_delivered = ("ip", "This MIS does not deliver this field.");
    let title = ("ip", "The school manages this field in iP (setting `job_title_editable`).");
    let manager = ("ip", "The school manages this field in iP (setting `line_manager_editable`).");
    let own = r#"{"job_title_editable": true, "line_manager_editable": true}"#;
    let photos = r#"{"import_photos": true}"#;
    // In the order of `SyncedField::ALL`; it is not known what `Nothing known` delivers.
    for (mis_name, settings, wanted) in [
        ("SIMS", "{}", [mis, mis, mis, mis, mis, mis, on_request, mis]),
        ("Nothing known", photos, [mis; SyncedField::ALL.len()]),
        ("iSAMS", "{}", [mis, mis, mis, mis, not_delivered, mis, on_request, not_delivered]),
        ("SIMS", own, [mis, mis, mis, mis, title, mis, on_request, manager]),
        ("iSAMS", own, [mis, mis, mis, mis, not_delivered, mis, on_request, not_delivered]),
    ] {
        app.sql(format!("UPDATE school SET mis = '{mis_name}', settings = '{settings}'")).await;
        let wanted = wanted.map(|(owner, rule)| (owner.to_owned(), rule.to_owned()));
        assert_eq!(owners().await, wanted, "{mis_name} {settings}");
    }
}

#[tokio::test]
async fn the_table_of_mis_can_be_another() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    app.sql("UPDATE school SET mis = 'SIMS'".to_owned()).await;
    let person = linked_person(&app, &oak, &json!({})).await;
    let table = r#"
        [[mis]]
        id = "sims"
        name = "SIMS"
        spellings = []
        unsupported = ["roles"]
    "#;
    let table = Arc::new(MisTable::parse(table).unwrap());
    let router = router(app.state.clone().with_mis(table));
    let shown = send(&router, Ask::get(&path(person)).key(&app.admin)).await.json();
    assert_eq!(field(&shown, "job_title")["owner"], "ip");
    assert_eq!(field(&show(&app, person).await, "job_title")["owner"], "mis");
}

#[tokio::test]
async fn a_field_was_last_set_by_the_latest_sync_that_changed_it() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = linked_person(&app, &oak, &json!({})).await;
    let other = app.person(&oak).await;
    let third = finished_job(&app, &oak, "2026-09-03T01:00:00Z").await;
    let second = finished_job(&app, &oak, "2026-09-02T01:00:00Z").await;
    let first = finished_job(&app, &oak, "2026-09-01T01:00:00Z").await;
    let dry_run = finished_job(&app, &oak, "2026-09-04T01:00:00Z").await;
    app.sql(format!("UPDATE job SET options = '{{\"dry_run\": true}}' WHERE id = '{dry_run}'"))
        .await;
    note_change(&app, third, person, "surname").await;
    note_change(&app, third, other, "initials").await;
    note_change(&app, second, person, "surname").await;
    note_change(&app, second, person, "job_title").await;
    note_change(&app, first, person, "created").await;
    note_change(&app, dry_run, person, "surname").await;
    note_change(&app, dry_run, person, "job_title").await;

    let shown = show(&app, person).await;
    for (name, at, job) in [
        ("surname", json!("2026-09-03T01:00:00.000Z"), third),
        ("job_title", json!("2026-09-02T01:00:00.000Z"), second),
        ("initials", shown["created_at"].clone(), first),
        ("photo_hash", shown["created_at"].clone(), first),
    ] {
        let found = field(&shown, name);
        assert_eq!(found["last_set_at"], at, "{name}");
        assert_eq!(found["last_set_by_job"], job.to_string(), "{name}");
    }

    // If the history is no longer kept, the time of creation remains.
    app.sql("DELETE FROM job".to_owned()).await;
    let shown = show(&app, person).await;
    for found in shown["fields"].as_array().unwrap() {
        assert_eq!(found["last_set_at"], shown["created_at"]);
        assert_eq!(found["last_set_by_job"], Value::Null);
    }
}

#[tokio::test]
async fn a_person_is_found_in_their_own_school_only() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    app.school("elm").await;
    for (path, code) in [
        (format!("/v1/schools/fir/staff/{person}"), "unknown-school"),
        (format!("/v1/schools/elm/staff/{person}"), "unknown-staff"),
        (path(StaffId::new()), "unknown-staff"),
        ("/v1/schools/oak/staff/A1".to_owned(), "unknown-staff"),
    ] {
        app.admin(Ask::get(&path)).await.problem(404, code);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_not_quoted() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = linked_person(&app, &oak, &json!({"surname": ["Quoted"]})).await;
    let answer = app.admin(Ask::get(&path(person))).await;
    answer.problem(500, "internal");
    assert!(!answer.text.contains("Quoted"), "{}", answer.text);
}
