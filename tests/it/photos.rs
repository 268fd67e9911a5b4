//! Pictures: only on request, each image once, and served with its hash.

use std::collections::BTreeMap;

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Feature, Mis, ScenarioName};
use serde_json::{Value, json};

use crate::{
    press::{apply, dry_run, issues, one_school, sync, sync_with},
    rows::{execute, number, select, texts},
};

async fn sync_photos(app: &TestApp, school: &SchoolId) -> (String, Value) {
    sync_with(app, school, json!({ "photos": true })).await
}

/// Picture hashes by Wonde id, in iP and in the simulator.
async fn held_and_wanted(
    app: &TestApp,
    school: &SchoolId,
) -> [BTreeMap<String, Option<String>>; 2] {
    let sql =
        format!("SELECT wonde_id, photo_hash FROM staff WHERE school_id = '{school}' AND active");
    let rows = select(app, &sql).await;
    let held = rows.iter().map(|row| (sqlx::Row::get(row, 0), sqlx::Row::get(row, 1)));
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let wanted = truth.staff.into_iter().map(|person| (person.wonde_id, person.photo_hash));
    [held.collect(), wanted.collect()]
}

#[tokio::test]
async fn photos_of_every_mis_arrive_when_asked_for() {
    let app = TestApp::start().await;
    for (index, mis) in Mis::ALL.into_iter().enumerate() {
        let school = app.connect_school(index).await;
        let report = sync(&app, &school).await;
        assert_eq!(report["photos"]["fetched"], 0, "{mis}: not requested");
        let (_, report) = sync_photos(&app, &school).await;
        let [held, wanted] = held_and_wanted(&app, &school).await;
        assert_eq!(held, wanted, "{mis}");
        let pictures = held.values().flatten().count();
        assert_eq!(pictures > 0, mis.supports(Feature::Photo), "{mis}");
        assert_eq!(report["photos"]["updated"], pictures, "{mis}: {report}");
    }
    let of_other_content = "SELECT hash FROM staff_photo
        WHERE hash <> encode(sha256(content), 'hex')";
    assert!(texts(&app, of_other_content).await.is_empty());
}

#[tokio::test]
async fn photos_are_not_asked_for_unless_wanted() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let asked = |app: &TestApp| {
        let requests = app.simulator.simulator().requests();
        requests.includes.values().any(|includes| includes.contains_key("photo"))
    };
    assert!(!asked(&app));
    app.connect_school_with(0, json!({ "import_photos": true })).await;
    let report = sync(&app, &school).await;
    assert!(asked(&app));
    assert!(report["photos"]["updated"].as_u64() > Some(0), "{report}");
}

#[tokio::test]
async fn an_unchanged_photo_is_not_written_and_a_new_one_is() {
    let (app, school) = one_school(json!({ "import_photos": true })).await;
    let first = sync(&app, &school).await;
    let versions = "SELECT hash || xmin::text FROM staff_photo ORDER BY hash";
    let staff = "SELECT id::text || xmin::text FROM staff ORDER BY id";
    let before = [texts(&app, versions).await, texts(&app, staff).await];
    let again = sync(&app, &school).await;
    assert_eq!(again["photos"]["unchanged"], first["photos"]["updated"], "{again}");
    assert_eq!([texts(&app, versions).await, texts(&app, staff).await], before);

    let touched = apply(&app, &school, ScenarioName::NewPhoto);
    let report = sync(&app, &school).await;
    assert_eq!(report["photos"]["updated"], touched.len(), "{report}");
    assert_eq!(report["updated"], touched.len());
    let [held, wanted] = held_and_wanted(&app, &school).await;
    assert_eq!(held, wanted);
}

#[tokio::test]
async fn an_odd_photo_is_an_issue_and_the_rest_arrives() {
    let (app, school) = one_school(json!({})).await;
    sync_photos(&app, &school).await;
    let odd = apply(&app, &school, ScenarioName::OddPhotos);
    let (job, report) = sync_photos(&app, &school).await;
    let found = issues(&app, &job).await;
    for (person, code) in odd.iter().zip(["photo_unreadable", "photo_too_large"]) {
        assert!(found.contains(&(code.to_owned(), Some(person.clone()))), "{code}: {found:?}");
    }
    assert_eq!(report["photos"]["skipped"], 2, "{report}");
    assert_eq!(report["photos"]["updated"], 0, "they keep the picture they had: {report}");
}

#[tokio::test]
async fn a_photo_that_is_gone_from_the_mis_goes_but_one_made_in_ip_stays() {
    let (app, school) = one_school(json!({})).await;
    sync_photos(&app, &school).await;
    let touched = apply(&app, &school, ScenarioName::PhotoRemoved);
    execute(&app, "UPDATE staff SET photo_hash = 'by hand' WHERE photo_hash IS NULL").await;
    let (_, report) = sync_photos(&app, &school).await;
    assert_eq!(report["photos"]["removed"], touched.len(), "{report}");
    let removed = format!(
        "SELECT count(*) FROM staff WHERE wonde_id = '{}' AND photo_hash IS NULL",
        touched[0]
    );
    assert_eq!(number(&app, &removed).await, 1);
    let by_hand = "SELECT count(*) FROM staff WHERE photo_hash = 'by hand'";
    assert!(number(&app, by_hand).await > 0);
}

#[tokio::test]
async fn a_dry_run_stores_no_image() {
    let (app, school) = one_school(json!({ "import_photos": true })).await;
    let would = dry_run(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM staff_photo").await, 0);
    assert_eq!(would["photos"], sync(&app, &school).await["photos"]);
}

#[tokio::test]
async fn the_picture_is_served_with_its_hash() {
    let (app, school) = one_school(json!({ "import_photos": true })).await;
    sync(&app, &school).await;
    let person = "SELECT id::text FROM staff WHERE photo_hash IS NOT NULL LIMIT 1";
    let person = texts(&app, person).await.remove(0);
    let path = format!("/v1/schools/{school}/staff/{person}/photo");
    let answer = app.get(&path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("image/"));
    let content = answer.bytes().await.unwrap();
    let stored = format!(
        "SELECT p.hash, p.content FROM staff s JOIN staff_photo p ON p.hash = s.photo_hash
        WHERE s.id = '{person}'"
    );
    let stored = select(&app, &stored).await.remove(0);
    assert_eq!(tag, format!("\"{}\"", sqlx::Row::get::<String, _>(&stored, 0)));
    assert_eq!(content, sqlx::Row::get::<Vec<u8>, _>(&stored, 1));
    let again = app.get(&path).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}
