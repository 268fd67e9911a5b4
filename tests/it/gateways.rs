//! Another server answers instead of Wonde, or a part of the request is refused.

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Fault, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, issues, one_school, sync, sync_job},
    rows::{number, texts},
};

const HTML: &str = "<html><head><title>Just a moment</title></head><body>blocked</body></html>";

/// Answers the next `count` requests whose path contains `path` like this.
fn answer(app: &TestApp, path: &str, status: u16, body: &str, count: u32) {
    let content_type = if body.starts_with('{') { "application/json" } else { "text/html" };
    app.simulator.simulator().add_fault(Fault {
        path: Some(path.into()),
        status: Some(status),
        body: Some(body.into()),
        content_type: Some(content_type.into()),
        location: (status / 100 == 3).then(|| "https://status.example/".into()),
        count,
        ..Fault::default()
    });
}

fn healed(app: &TestApp) {
    app.simulator.simulator().clear_faults();
}

fn not_found() -> String {
    json!({ "error": "resource_not_found", "error_description": "Resource not found" }).to_string()
}

fn invalid_include(description: &str) -> String {
    json!({ "error": "invalid_include", "error_description": description }).to_string()
}

fn everything() -> Value {
    json!({ "import_classes": true, "import_subjects": true, "import_photos": true,
        "refresh_freshness_minutes": 0 })
}

/// Everything that a sync writes about people and what they teach.
async fn held(app: &TestApp) -> Vec<String> {
    let mut all = Vec::new();
    for what in [
        "SELECT concat_ws('|', wonde_id, email, first_name, surname, job_title, line_manager_id,
            photo_hash, active) FROM staff ORDER BY wonde_id",
        "SELECT concat_ws('|', wonde_id, name, active) FROM class ORDER BY wonde_id",
        "SELECT concat_ws('|', wonde_id, name, active) FROM subject ORDER BY wonde_id",
        "SELECT concat_ws('|', class_id, staff_id) FROM class_staff ORDER BY 1",
    ] {
        all.extend(texts(app, what).await);
    }
    all
}

/// Codes of the issues that are about the whole school.
async fn of_school(app: &TestApp, job: &str) -> Vec<String> {
    let all = issues(app, job).await.into_iter();
    all.filter(|(_, wonde_id)| wonde_id.is_none()).map(|(code, _)| code).collect()
}

async fn login(app: &TestApp, school: &SchoolId, person: &str) -> Value {
    let path = format!("/v1/schools/{school}/staff/{person}/refresh?wait_ms=5000");
    app.post(&path).send().await.unwrap().json().await.unwrap()
}

async fn anybody(app: &TestApp) -> String {
    let sql = "SELECT id::text FROM staff WHERE active AND job_title IS NOT NULL ORDER BY id";
    texts(app, sql).await.remove(0)
}

#[tokio::test]
async fn a_gateway_that_answers_in_wondes_place_costs_one_more_request() {
    let (app, school) = one_school(everything()).await;
    for (path, status) in [
        ("employees", 403),
        ("employees", 404),
        ("employees", 302),
        ("employees", 421),
        ("employees", 400),
        ("employees", 409),
        ("employees", 204),
        ("page=2", 403),
        ("subjects", 404),
        ("classes", 403),
        ("photo", 307),
    ] {
        answer(&app, path, status, if status == 204 { "" } else { HTML }, 1);
        let (job, _) = sync_job(&app, &school).await;
        assert_eq!(app.job(&job).await["attempt"], 1, "{path} {status}");
        assert!(of_school(&app, &job).await.is_empty(), "{path} {status}");
        healed(&app);
    }
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_gateway_that_lasts_is_wonde_being_away_and_no_permission_withdrawn() {
    let (app, school) = one_school(everything()).await;
    sync(&app, &school).await;
    let before = held(&app).await;
    answer(&app, "subjects", 403, HTML, 1000);
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    let ended = (&job["state"], &job["error"]["type"], &job["attempt"]);
    assert_eq!(ended, (&json!("failed"), &json!("wonde_unavailable"), &json!(5)));
    assert_eq!(held(&app).await, before);
}

#[tokio::test]
async fn a_list_that_wonde_does_not_have_is_left_out_and_said() {
    let (app, school) = one_school(everything()).await;
    sync(&app, &school).await;
    let before = held(&app).await;
    for (path, code) in [
        ("/subjects", "subjects_withheld"),
        ("/classes", "classes_withheld"),
        ("photo", "photos_withheld"),
    ] {
        for body in [not_found(), "{}".to_owned()] {
            answer(&app, path, 404, &body, 1000);
            let (job, _) = sync_job(&app, &school).await;
            assert_eq!(of_school(&app, &job).await, [code], "{path} {body}");
            assert_eq!(held(&app).await, before, "{path} {body}");
            healed(&app);
        }
    }
    let (job, _) = sync_job(&app, &school).await;
    assert!(of_school(&app, &job).await.is_empty());
}

#[tokio::test]
async fn a_missing_list_of_deletions_does_not_fail_a_delta() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    answer(&app, "/deletions", 404, &not_found(), 1000);
    let delta = json!({ "mode": "delta" });
    crate::press::sync_with(&app, &school, delta).await;
}

#[tokio::test]
async fn only_the_schools_own_404_says_that_wonde_does_not_know_it() {
    let (app, school) = one_school(json!({})).await;
    answer(&app, "/employees", 404, &not_found(), 1);
    let (job, _) = sync_job(&app, &school).await;
    assert_eq!(app.job(&job).await["attempt"], 2, "it passed");

    answer(&app, "", 404, &not_found(), 1000);
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(
        (&job["error"]["type"], &job["attempt"]),
        (&json!("wonde_school_unknown"), &json!(1))
    );
    healed(&app);
    answer(&app, "", 404, HTML, 1000);
    let job = app.press_sync(&school).await;
    let job = app.wait_until_finished(&job).await;
    assert_eq!(job["error"]["type"], "wonde_unavailable", "a gateway cannot know");
}

#[tokio::test]
async fn nobody_is_gone_for_a_404_that_is_not_wondes() {
    let (app, school) = one_school(json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    let person = anybody(&app).await;
    for body in [HTML, "", "{}", r#"{"message":"no Route matched with those values"}"#] {
        answer(&app, "/employees/", 404, body, 1);
        let said = login(&app, &school, &person).await;
        assert_eq!(said["outcome"], "unchanged", "{body}: {said}");
    }
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
    answer(&app, "/employees/", 404, &not_found(), 1);
    assert_eq!(login(&app, &school, &person).await["outcome"], "no_longer_current");
}

#[tokio::test]
async fn a_refused_include_keeps_what_ip_has_and_is_said_once() {
    for description in ["", "roles", "Roles", "roles.contract", "registration_group"] {
        let (app, school) = one_school(everything()).await;
        sync(&app, &school).await;
        let before = held(&app).await;
        answer(&app, "roles", 400, &invalid_include(description), 1000);
        let (job, report) = sync_job(&app, &school).await;
        assert_eq!(of_school(&app, &job).await, ["roles_withheld"], "{description:?}: {report}");
        assert_eq!(held(&app).await, before, "{description:?}");
        healed(&app);
    }
}

#[tokio::test]
async fn several_refused_includes_are_left_out_together_and_the_rest_is_synced() {
    let (app, school) = one_school(everything()).await;
    let both = invalid_include("hierarchy.employment_details, roles");
    answer(&app, "roles", 400, &both, 1000);
    let (job, report) = sync_job(&app, &school).await;
    let mut said = of_school(&app, &job).await;
    said.sort();
    assert_eq!(said, ["line_managers_withheld", "roles_withheld"]);
    assert!(report["created"].as_u64().unwrap() > 0, "{report}");
    healed(&app);
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn includes_of_other_lists_are_refused_as_well() {
    let (app, school) = one_school(everything()).await;
    sync(&app, &school).await;
    let before = held(&app).await;
    for (path, code) in
        [("classes?include=employees", "class_staff_withheld"), ("photo", "photos_withheld")]
    {
        for body in [invalid_include("whatever"), "{\"message\":\"Invalid includes\"}".to_owned()] {
            answer(&app, path, 400, &body, 1000);
            let (job, _) = sync_job(&app, &school).await;
            assert_eq!(of_school(&app, &job).await, [code], "{path} {body}");
            assert_eq!(held(&app).await, before, "{path} {body}");
            healed(&app);
        }
    }
}

#[tokio::test]
async fn without_contact_details_or_employment_everybody_stays_as_they_are() {
    for (include, code) in [
        ("contact_details", "contact_details_withheld"),
        ("employment_details", "employment_withheld"),
    ] {
        let (app, school) = one_school(json!({})).await;
        sync(&app, &school).await;
        let before = held(&app).await;
        apply(&app, &school, ScenarioName::Joiner);
        for description in [include, ""] {
            answer(&app, include, 400, &invalid_include(description), 1000);
            let (job, report) = sync_job(&app, &school).await;
            assert_eq!(of_school(&app, &job).await, [code], "{report}");
            let of_people = issues(&app, &job).await;
            assert!(of_people.iter().all(|(code, _)| code != "no_work_email"), "{of_people:?}");
            assert_eq!((&report["created"], &report["deactivated"]), (&json!(0), &json!(0)));
            assert_eq!(held(&app).await, before, "{include} {description:?}");
            healed(&app);
        }
        sync(&app, &school).await;
        assert_equal_to_truth(&app, &school).await;
    }
}

#[tokio::test]
async fn a_login_does_without_what_is_refused() {
    let (app, school) = one_school(everything()).await;
    sync(&app, &school).await;
    let before = held(&app).await;
    let person = anybody(&app).await;
    for include in ["roles", "hierarchy", "classes", "contact_details", "employment_details"] {
        for description in [include, "", "campus"] {
            answer(&app, include, 400, &invalid_include(description), 1000);
            let said = login(&app, &school, &person).await;
            assert_eq!(said["outcome"], "unchanged", "{include} {description:?}: {said}");
            healed(&app);
        }
    }
    assert_eq!(held(&app).await, before);
}
