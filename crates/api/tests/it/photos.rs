//! Pictures of staff.

use axum::{
    body::to_bytes,
    http::{HeaderMap, StatusCode},
};
use mis_sync_domain::StaffId;
use serde_json::Value;

use crate::support::{App, Ask};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture";
const WEBP: &[u8] = b"RIFF....WEBP a picture";

fn path(person: StaffId) -> String {
    format!("/v1/schools/oak/staff/{person}/photo")
}

/// An answer that is not text.
async fn ask(app: &App, method: &str, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = app.begin(Ask::new(method, path).key(&app.admin)).await;
    let (head, body) = response.into_parts();
    (head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn a_picture_is_sent_as_what_it_is() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    for (content_type, file) in [("image/jpeg", JPEG), ("image/png", PNG), ("image/webp", WEBP)] {
        let person = app.person(&oak).await;
        app.photo(person, content_type, file).await;
        let (status, headers, body) = ask(&app, "GET", &path(person)).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, file));
        let shown = app.admin(Ask::get(&format!("/v1/schools/oak/staff/{person}"))).await.json();
        let hash = field(&shown, "photo_hash")["ip_value"].as_str().unwrap().to_owned();
        for (name, value) in [
            ("content-type", content_type),
            ("content-length", &file.len().to_string()),
            ("etag", &format!("\"{hash}\"")),
            ("cache-control", "private, no-cache"),
            ("x-content-type-options", "nosniff"),
            ("content-disposition", "inline"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }

        let (status, mut head, body) = ask(&app, "HEAD", &path(person)).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0));
        head.insert("x-request-id", headers["x-request-id"].clone());
        assert_eq!(head, headers);
    }
}

fn field<'a>(person: &'a Value, name: &str) -> &'a Value {
    person["fields"].as_array().unwrap().iter().find(|field| field["field"] == name).unwrap()
}

#[tokio::test]
async fn an_unchanged_picture_is_neither_sent_nor_read() {
    let app = App::start().await;
    let person = app.person(&app.school("oak").await).await;
    app.photo(person, "image/webp", WEBP).await;
    let ask = || Ask::get(&path(person));
    let known = |tag: &str| ask().header("if-none-match", tag);
    let first = app.admin(ask()).await;
    let etag = first.header("etag").to_owned();
    assert_eq!(app.admin(known("\"another\"")).await.text, first.text);

    // From here on it cannot be read.
    app.sql("ALTER TABLE staff_photo RENAME COLUMN content TO hidden".to_owned()).await;
    app.admin(known("\"another\"")).await.problem(500, "internal");
    for tag in [etag.clone(), format!("W/{etag}"), format!("\"another\", {etag}"), "*".to_owned()] {
        let unchanged = app.admin(known(&tag)).await;
        assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""), "{tag}");
        assert_eq!(unchanged.header("etag"), etag);
        assert_eq!(unchanged.header("cache-control"), "private, no-cache");
    }
    app.sql("ALTER TABLE staff_photo RENAME COLUMN hidden TO content".to_owned()).await;

    app.photo(person, "image/webp", b"RIFF....WEBP another").await;
    let changed = app.admin(known(&etag)).await;
    assert_eq!((changed.status, changed.text.as_str()), (200, "RIFF....WEBP another"));
    assert_ne!(changed.header("etag"), etag);
}

#[tokio::test]
async fn without_a_picture_there_is_nothing_to_keep() {
    let app = App::start().await;
    let person = app.person(&app.school("oak").await).await;
    app.admin(Ask::get(&path(person))).await.problem(404, "no-photo");
    let any = Ask::get(&path(person)).header("if-none-match", "*");
    app.admin(any).await.problem(404, "no-photo");

    // A hash alone is not a picture.
    let hash = "0a".repeat(32);
    app.sql(format!("UPDATE staff SET photo_hash = '{hash}' WHERE id = '{person}'")).await;
    let known = Ask::get(&path(person)).header("if-none-match", &format!("\"{hash}\""));
    app.admin(known).await.problem(404, "no-photo");
}

#[tokio::test]
async fn a_picture_is_found_in_the_persons_own_school_only() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let person = app.person(&oak).await;
    app.photo(person, "image/webp", WEBP).await;
    app.school("elm").await;
    for (path, code) in [
        (format!("/v1/schools/fir/staff/{person}/photo"), "unknown-school"),
        (format!("/v1/schools/o%20k/staff/{person}/photo"), "unknown-school"),
        (format!("/v1/schools/elm/staff/{person}/photo"), "unknown-staff"),
        (path(StaffId::new()), "unknown-staff"),
        ("/v1/schools/oak/staff/nonsense/photo".to_owned(), "unknown-staff"),
        ("/v1/schools/oak/staff/%ff/photo".to_owned(), "not-found"),
    ] {
        app.admin(Ask::get(&path)).await.problem(404, code);
    }
}
