//! Connecting, changing and disconnecting schools.

use mis_sync_store::schools;
use serde_json::{Value, json};

use crate::support::{App, Ask, TOKEN};

fn connection() -> Value {
    json!({
        "name": "Oakfield School",
        "wonde_school_id": "A1930499544",
        "token": TOKEN,
        "mis": "Arbor",
        "wonde_base_url": "https://eu.wonde.com/v1.0/",
        "settings": {"teachers_only": true},
    })
}

fn without(mut connection: Value, field: &str) -> Value {
    connection.as_object_mut().unwrap().remove(field);
    connection
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut connection = connection();
    connection[field] = value.into();
    connection
}

fn put(body: &Value) -> Ask {
    Ask::put("/v1/schools/oak").json(body)
}

#[tokio::test]
async fn a_school_is_connected_and_shown_without_its_token() {
    let app = App::start().await;
    let answer = app.admin(put(&connection())).await;
    assert_eq!((answer.status, answer.header("location")), (201, "/v1/schools/oak"));
    let mut school = answer.json();
    assert_eq!(app.admin(Ask::get("/v1/schools/oak")).await.json(), school);
    for time in ["created_at", "updated_at"] {
        assert!(school[time].take().as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(
        school,
        json!({
            "id": "oak",
            "name": "Oakfield School",
            "wonde_school_id": "A1930499544",
            "wonde_base_url": "https://eu.wonde.com/v1.0",
            "mis": "Arbor",
            "settings": {
                "teachers_only": true,
                "restore_inactive": true,
                "line_manager_editable": false,
                "hierarchy_lists": null,
                "job_title_editable": false,
                "initials_managed_in_ip": false,
                "clear_departments": false,
                "import_classes": true,
                "import_subjects": false,
                "import_photos": false,
                "leaver_policy": "deactivate",
                "guard": {
                    "enabled": true,
                    "deactivated": {"percent": 15, "count": 3},
                    "emails_changed": {"percent": 20, "count": 4},
                    "job_titles_emptied": {"percent": 20, "count": 4},
                    "line_managers_emptied": {"percent": 50, "count": 5},
                    "classes_emptied": {"percent": 25, "count": 4},
                    "new_ids": {"percent": 10, "count": 3},
                },
                "schedule": {
                    "enabled": true,
                    "time_zone": "Europe/London",
                    "nightly_from": "01:00",
                    "nightly_until": "05:00",
                    "hourly_delta": false,
                    "blackout_dates": [],
                    "blackout_hours": [],
                },
                "refresh_freshness_minutes": 1,
            },
            "token_state": "held",
            "callback_url": null,
            "last_check": null,
            "last_synced_at": null,
            "next_sync_at": null,
            "created_at": null,
            "updated_at": null,
            "links": {
                "self": "/v1/schools/oak",
                "sync": "/v1/schools/oak/sync",
                "jobs": "/v1/jobs?school_id=oak",
            },
        })
    );
}

#[tokio::test]
async fn a_change_keeps_token_mis_and_settings_that_are_left_out() {
    let app = App::start().await;
    app.admin(put(&connection())).await;
    let body = json!({"name": " Oakfield Academy ", "wonde_school_id": "B2",
        "wonde_base_url": "https://eu.wonde.com/v2.0"});
    let answer = app.admin(put(&body)).await;
    assert_eq!(answer.status, 200);
    let school = answer.json();
    assert_eq!(school["name"], "Oakfield Academy");
    assert_eq!(school["wonde_school_id"], "B2");
    assert_eq!(school["wonde_base_url"], "https://eu.wonde.com/v2.0");
    assert_eq!(school["mis"], "Arbor");
    assert_eq!(school["token_state"], "held");
    assert_eq!(school["settings"]["teachers_only"], true);

    let settings = with("settings", json!({"leaver_policy": "keep"}));
    let school = app.admin(put(&settings)).await.json();
    assert_eq!(school["settings"]["leaver_policy"], "keep");
    assert_eq!(school["settings"]["teachers_only"], false, "left out settings take defaults");
}

#[tokio::test]
async fn a_refused_token_stays_refused_until_a_new_one_comes() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    reject_token(&app.pool, &oak).await;
    let unchanged = without(without(connection(), "token"), "wonde_base_url");
    let school = app.admin(put(&unchanged)).await.json();
    assert_eq!(school["token_state"], "rejected");
    let school = app.admin(put(&connection())).await.json();
    assert_eq!(school["token_state"], "held");
}

#[tokio::test]
async fn disconnecting_destroys_the_token_and_keeps_the_school() {
    let app = App::start().await;
    app.admin(Ask::delete("/v1/schools/oak")).await.problem(404, "unknown-school");
    app.school("oak").await;
    for _ in 0..2 {
        let answer = app.admin(Ask::delete("/v1/schools/oak")).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert_eq!(school["token_state"], "missing");

    app.admin(put(&without(connection(), "token"))).await.problem(422, "token-missing");
    assert_eq!(app.admin(put(&connection())).await.status, 200, "it was there before");
}

#[tokio::test]
async fn a_new_school_needs_a_token() {
    let app = App::start().await;
    for body in [without(connection(), "token"), with("token", Value::Null)] {
        app.admin(put(&body)).await.problem(422, "token-missing");
    }
    app.admin(Ask::get("/v1/schools/oak")).await.problem(404, "unknown-school");
}

#[tokio::test]
async fn each_field_that_is_not_valid_is_named_and_no_value_is_told_back() {
    let app = App::start().await;
    let too_long = "x".repeat(513);
    for (body, field) in [
        (with("name", ""), "name"),
        (with("name", "   "), "name"),
        (with("name", "x".repeat(201)), "name"),
        (with("name", "a\u{0}b"), "name"),
        (with("name", 1), "name"),
        (without(connection(), "name"), "name"),
        (with("wonde_school_id", ""), "wonde_school_id"),
        (with("wonde_school_id", "A/1"), "wonde_school_id"),
        (with("wonde_school_id", "x".repeat(33)), "wonde_school_id"),
        (without(connection(), "wonde_school_id"), "wonde_school_id"),
        (with("token", ""), "token"),
        (with("token", "with space"), "token"),
        (with("token", "tökén"), "token"),
        (with("token", too_long.as_str()), "token"),
        (with("token", json!([TOKEN])), "token"),
        (with("mis", ""), "mis"),
        (with("wonde_base_url", "http://eu.wonde.com"), "wonde_base_url"),
        (with("wonde_base_url", "nonsense"), "wonde_base_url"),
        (with("settings", TOKEN), "settings"),
        (with("settings", json!([true])), "settings"),
        (
            with("settings", json!({"guard": {"new_ids": {"percent": 101, "count": 1}}})),
            "settings.guard.new_ids.percent",
        ),
        (with("settings", json!({"teachers_only": TOKEN})), "settings.teachers_only"),
        (with("settings", json!({"leaver_policy": TOKEN})), "settings.leaver_policy"),
        (with("settings", json!({"teacher_only": true})), "settings.teacher_only"),
        (with("settings", json!({TOKEN: true})), "settings.(a field)"),
        (with("tokn", TOKEN), "tokn"),
        (with(TOKEN, "token"), "(a field)"),
    ] {
        let answer = app.admin(put(&body)).await;
        let problem = answer.problem(422, "invalid-school");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["field"], field);
        for secret in ["with space", "tökén", &too_long, "teachers_only\": \""] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    app.admin(Ask::get("/v1/schools/oak")).await.problem(404, "unknown-school");
}

#[tokio::test]
async fn each_field_of_a_schedule_that_is_not_valid_is_named() {
    let app = App::start().await;
    for (schedule, field, message) in [
        (json!(true), "", "has to be an object"),
        (json!([true]), "", "has to be an object"),
        (json!({"enabled": "yes"}), ".enabled", "true or false"),
        (json!({"time_zone": "Atlantis/Capital"}), ".time_zone", "Europe/London"),
        (json!({"nightly_from": "1am"}), ".nightly_from", "01:00"),
        (json!({"nightly_until": 5}), ".nightly_until", "01:00"),
        (json!({"nightly_from": "05:00"}), ".nightly_until", "has to differ"),
        (json!({"blackout_dates": ["2026-12-25"]}), ".blackout_dates", "list of ranges"),
        (
            json!({"blackout_dates": [{"from": "2026-12-25", "until": "2026-12-24"}]}),
            ".blackout_dates",
            "before `from`",
        ),
        (json!({"blackout_hours": [{"from": "08:00"}]}), ".blackout_hours", "list of ranges"),
        (
            json!({"blackout_hours": [{"from": "08:00", "until": "08:00"}]}),
            ".blackout_hours",
            "equals `from`",
        ),
        (json!({"nightly": true}), ".nightly", "is not known"),
    ] {
        let answer = app.admin(put(&with("settings", json!({ "schedule": schedule })))).await;
        let problem = answer.problem(422, "invalid-school");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["field"], format!("settings.schedule{field}"));
        assert!(errors[0]["message"].as_str().unwrap().contains(message), "{problem}");
        assert!(!answer.text.contains("Atlantis") && !answer.text.contains("1am"));
    }
    let schedule = json!({"time_zone": "Europe/Dublin", "hourly_delta": true});
    let school = app.admin(put(&with("settings", json!({ "schedule": schedule })))).await.json();
    assert_eq!(school["settings"]["schedule"]["time_zone"], "Europe/Dublin");
    assert_eq!(school["settings"]["schedule"]["nightly_from"], "01:00");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let app = App::start().await;
    let problem = app.admin(put(&json!({"tokn": "x"}))).await.problem(422, "invalid-school");
    let fields: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert_eq!(fields, ["name", "wonde_school_id", "tokn"]);
    let problem = app.admin(Ask::put("/v1/schools/oak")).await.problem(422, "invalid-school");
    assert_eq!(
        problem["detail"],
        "The school is not valid: `name` has to be 1 to 200 characters; `wonde_school_id` has to be \
         1 to 32 letters and digits, like A1930499544."
    );
    let ask = Ask::put("/v1/schools/a%20b").json(&connection());
    let problem = app.admin(ask).await.problem(422, "invalid-school");
    assert_eq!(problem["errors"][0]["field"], "school_id");
}

#[tokio::test]
async fn broken_json_is_refused_without_being_quoted() {
    let app = App::start().await;
    for body in [
        format!(r#"{{"token": "{TOKEN}""#),
        format!(r#"{{"token": {TOKEN}}}"#),
        format!("\"{TOKEN}\""),
        format!(r#"["{TOKEN}"]"#),
    ] {
        let ask = Ask::put("/v1/schools/oak").text("application/json", body);
        app.admin(ask).await.problem(400, "malformed-body");
    }
}

#[tokio::test]
async fn schools_are_listed_in_order_page_by_page() {
    let app = App::start().await;
    for id in ["elm", "ash", "oak"] {
        app.school(id).await;
    }
    let mut pages = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = app.admin(Ask::get(&format!("/v1/schools{query}"))).await.json();
        let ids: Vec<_> =
            page["schools"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
        pages.push(ids);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(pages, [vec!["ash", "elm"], vec!["oak"]]);
}

/// Notes that Wonde refused the token which the school has now.
async fn reject_token(pool: &mis_sync_store::Pool, id: &mis_sync_domain::SchoolId) {
    let school = schools::get(pool, id).await.unwrap().unwrap();
    schools::mark_token_rejected(pool, &school).await.unwrap();
}
