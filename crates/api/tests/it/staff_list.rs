//! The people of a school, a page at a time.

use mis_sync_domain::{Role, StaffId};
use serde_json::{Value, json};

use crate::support::{Answer, App, Ask};

const PATH: &str = "/v1/schools/oak/staff";

async fn list(app: &App, query: &str) -> Value {
    app.admin(Ask::get(&format!("{PATH}{query}"))).await.json()
}

fn ids(page: &Value) -> Vec<&str> {
    page["staff"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// Three people of oak in the order of their ids, and one of another school.
async fn people(app: &App) -> [String; 3] {
    let oak = app.school("oak").await;
    let mut ids = [(); 3].map(|()| StaffId::new().to_string());
    ids.sort();
    for (id, email, wonde_id, active) in [
        (&ids[0], "Ada@Oak.example", "A1", true),
        (&ids[1], "ida@oak.example", "A2", true),
        (&ids[2], "ADA@oak.example", "A3", false),
    ] {
        app.sql(format!(
            "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash, wonde_id,
                 active, updated_at)
             VALUES ('{id}', '{oak}', '{email}', 'Ada', 'Day', 'x', '{wonde_id}', {active},
                 now() - interval '1 day')"
        ))
        .await;
    }
    app.person(&app.school("elm").await).await;
    ids
}

#[tokio::test]
async fn a_person_is_shown_as_ip_holds_them() {
    let app = App::start().await;
    let [ada, ida, _] = people(&app).await;
    app.photo(ada.parse().unwrap(), "image/webp", b"RIFF....WEBP").await;
    app.sql(format!(
        "UPDATE staff SET upi = 'U1', initials = 'AD', job_title = 'Head', non_teaching = true,
             line_manager_id = '{ida}', password_reset_required = false,
             created_at = '2026-09-01T06:30:00Z', updated_at = '2026-09-02T06:30:00Z'
         WHERE id = '{ada}'"
    ))
    .await;
    let page = list(&app, "?wonde_id=A1").await;
    let wanted = json!({
        "id": ada, "school_id": "oak", "wonde_id": "A1", "upi": "U1", "email": "Ada@Oak.example",
        "first_name": "Ada", "surname": "Day", "initials": "AD", "job_title": "Head",
        "non_teaching": true, "line_manager_id": ida, "active": true,
        "password_reset_required": false, "created_at": "2026-09-01T06:30:00.000Z",
        "updated_at": "2026-09-02T06:30:00.000Z",
        "links": {
            "self": format!("{PATH}/{ada}"),
            "school": "/v1/schools/oak",
            "photo": format!("{PATH}/{ada}/photo"),
        },
    });
    assert_eq!(page["staff"], json!([wanted]));
    for link in wanted["links"].as_object().unwrap().values() {
        assert_eq!(app.admin(Ask::get(link.as_str().unwrap())).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn a_body_filters_like_a_query() {
    let app = App::start().await;
    let [ada, ida, former] = &people(&app).await;
    app.sql(format!("UPDATE staff SET surname = 'Dale' WHERE id = '{ida}'")).await;
    for (query, body, wanted) in [
        ("", json!({}), vec![ada, ida, former]),
        ("?email=ADA%40oak.EXAMPLE", json!({"email": " ADA@oak.EXAMPLE "}), vec![ada, former]),
        (
            "?email=ada%40oak.example&active=true",
            json!({"email": "ada@oak.example", "active": true}),
            vec![ada],
        ),
        ("?active=false", json!({"active": false, "email": null}), vec![former]),
        ("?wonde_id=A2", json!({"wonde_id": "A2"}), vec![ida]),
        ("?email=nobody%40oak.example", json!({"email": "nobody@oak.example"}), vec![]),
        ("?limit=2&active=true", json!({"limit": 2, "active": true}), vec![ada, ida]),
    ] {
        let listed = list(&app, query).await;
        assert_eq!(ids(&listed), wanted, "{query}");
        let search = Ask::post(&format!("{PATH}/search")).json(&body);
        assert_eq!(app.admin(search).await.json()["staff"], listed["staff"], "{query}");
    }
    // The database dates a change of a writer who does not.
    let since = list(&app, "?limit=1").await["next_updated_since"].as_str().unwrap().to_owned();
    assert_eq!(ids(&list(&app, &format!("?updated_since={since}")).await), [ida]);
    assert_eq!(
        app.admin(Ask::post(&format!("{PATH}/search"))).await.json()["staff"][2]["id"],
        **former
    );
}

#[tokio::test]
async fn what_changes_while_pages_are_read_is_in_the_next_reading() {
    let app = App::start().await;
    let [ada, ida, former] = &people(&app).await;
    let mut writing = app.pool.begin().await.unwrap();
    // A transaction that began early ends late: its change is dated by its start.
    let mut seen = Vec::new();
    let mut query = "?limit=1".to_owned();
    let since = loop {
        let page = list(&app, &query).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let since = page["next_updated_since"].as_str().unwrap().to_owned();
        let Some(cursor) = page["next_cursor"].as_str() else { break since };
        query = format!("?limit=1&cursor={cursor}");
    };
    assert_eq!(seen, [ada, ida, former].map(ToString::to_string));
    let change = "UPDATE staff SET surname = 'Dale', updated_at = now() WHERE wonde_id = 'A1'";
    sqlx::raw_sql(change).execute(&mut *writing).await.unwrap();
    let path = format!("?updated_since={since}");
    assert_eq!(ids(&list(&app, &path).await), Vec::<&str>::new(), "not committed");
    writing.commit().await.unwrap();
    assert_eq!(ids(&list(&app, &path).await), [ada]);
}

#[tokio::test]
async fn a_long_transaction_holds_the_next_reading_back() {
    let app = App::start().await;
    people(&app).await;
    let writing = app.pool.begin().await.unwrap();
    let since = async || -> chrono::DateTime<chrono::Utc> {
        list(&app, "").await["next_updated_since"].as_str().unwrap().parse().unwrap()
    };
    let first = since().await;
    // The beginning of the transaction is a millisecond that does not come again.
    app.sql("SELECT pg_sleep(0.01)".to_owned()).await;
    assert_eq!(since().await, first, "the transaction is still open");
    writing.commit().await.unwrap();
    assert!(since().await > first);
}

#[tokio::test]
async fn wrong_filters_are_refused_without_their_values() {
    let app = App::start().await;
    let school = app.school("oak").await;
    for (parameter, value, wanted) in [
        ("active", "yes", "true or false"),
        ("updated_since", "monday", "a time like 2026-09-01T06:30:00Z (RFC 3339)"),
        ("limit", "0", "a whole number from 1 to 200"),
        ("cursor", "1", "`next_cursor` of the page before"),
        ("email", " ", "a text without control characters"),
    ] {
        let query = format!("{PATH}?{parameter}={}", value.replace(' ', "+"));
        let problem = app.admin(Ask::get(&query)).await.problem(400, "invalid-parameter");
        assert_eq!(
            (&problem["parameter"], &problem["wanted"]),
            (&json!(parameter), &json!(wanted))
        );
        let search = Ask::post(&format!("{PATH}/search")).json(&json!({ parameter: value }));
        let problem = app.admin(search).await.problem(400, "malformed-body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("`{parameter}` has to be {wanted}")), "{detail}");
    }
    let elm = app.key(Role::App, Some("elm")).await;
    for ask in [Ask::get(PATH), Ask::post(&format!("{PATH}/search"))] {
        app.send(ask.key(&elm)).await.problem(404, "unknown-school");
    }
    app.admin(Ask::get("/v1/schools/fir/staff")).await.problem(404, "unknown-school");
    assert_eq!(ids(&list(&app, "").await).len(), 0, "{school}");
}

#[tokio::test]
async fn an_email_is_found_however_it_is_typed() {
    let app = App::start().await;
    let [ada, ..] = &people(&app).await;
    app.sql(format!("UPDATE staff SET email = 'zo\u{e9}@oak.example' WHERE id = '{ada}'")).await;
    // With a combining accent, as some keyboards and files have it.
    for typed in ["zo%C3%A9%40oak.example", "ZOe%CC%81%40oak.example"] {
        assert_eq!(ids(&list(&app, &format!("?email={typed}")).await), [ada], "{typed}");
        let explain = format!("/v1/schools/oak/explain?email={typed}");
        let explained = app.admin(Ask::get(&explain)).await.json();
        assert_eq!(explained["staff_id"], **ada, "{typed}: {explained}");
    }
}

async fn file(app: &App, query: &str) -> Answer {
    app.admin(Ask::get(&format!("{PATH}{query}")).header("accept", "text/csv")).await
}

#[tokio::test]
async fn a_file_has_everyone_who_matches() {
    let app = App::start().await;
    let [ada, ida, former] = &people(&app).await;
    app.sql(format!(
        "UPDATE staff SET upi = 'U1', initials = 'AD', job_title = 'Head, Maths',
             line_manager_id = '{ida}', created_at = '2026-09-01T06:30:00Z',
             updated_at = '2026-09-02T06:30:00Z' WHERE id = '{ada}'"
    ))
    .await;
    let answer = file(&app, "?email=ada%40oak.example&active=true").await;
    let wanted = format!(
        "\u{feff}Surname,Forename,Initials,Work email,Job title,Teaching staff,Can log in,\
         Needs Forgot Password,Line manager's iP id,Wonde id,UPI,iP id,Created,Changed\r\n\
         Day,Ada,AD,Ada@Oak.example,\"Head, Maths\",yes,yes,yes,{ida},A1,U1,{ada},\
         2026-09-01T06:30:00.000Z,2026-09-02T06:30:00.000Z\r\n"
    );
    assert_eq!((answer.status, answer.text.as_str()), (200, wanted.as_str()));
    let disposition = "attachment; filename=\"staff-oak.csv\"";
    assert_eq!(answer.header("content-disposition"), disposition);
    for (query, parameter) in [("?limit=2&active=true", "limit"), ("?cursor=1", "cursor")] {
        let problem = file(&app, query).await.problem(400, "invalid-parameter");
        assert_eq!(problem["parameter"], parameter);
    }

    // More than are read at a time.
    app.sql(
        "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
         SELECT gen_random_uuid(), 'oak', n || '@oak.example', 'Ada', 'Day', 'x'
         FROM generate_series(1, 2000) n"
            .to_owned(),
    )
    .await;
    let text = file(&app, "").await.text;
    let mut ids: Vec<_> = text.lines().skip(1).filter_map(|line| line.rsplit(',').nth(2)).collect();
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 2003);
    assert!(ids.contains(&former.as_str()));
}
