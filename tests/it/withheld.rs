//! Schools that withdraw a permission: iP's values stay, and the school gets an issue.

use std::collections::BTreeSet;

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Feature, Mis, Scenario, ScenarioName, SimulatorOptions, Unsupported};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, issues, sync, sync_job},
    rows::texts,
};

fn everything() -> Value {
    json!({ "import_classes": true, "import_subjects": true, "import_photos": true })
}

async fn one_school(unsupported: Unsupported, settings: Value) -> (TestApp, SchoolId) {
    let simulator = SimulatorOptions { schools: 1, unsupported, ..SimulatorOptions::default() };
    let app = TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let school = app.connect_school_with(0, settings).await;
    (app, school)
}

/// Everything that a sync may write, as text.
async fn held(app: &TestApp) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for what in [
        "SELECT concat_ws('|', wonde_id, email, first_name, surname, initials, job_title,
            non_teaching, line_manager_id, photo_hash, active) FROM staff ORDER BY wonde_id",
        "SELECT concat_ws('|', wonde_id, name, description, subject_id, active) FROM class
            ORDER BY wonde_id",
        "SELECT concat_ws('|', wonde_id, name, active) FROM subject ORDER BY wonde_id",
        "SELECT concat_ws('|', class_id, staff_id, position) FROM class_staff ORDER BY 1",
        "SELECT concat_ws('|', subject_id, staff_id) FROM subject_staff ORDER BY 1",
    ] {
        all.push(texts(app, what).await);
    }
    all
}

fn scope(name: ScenarioName, feature: Feature) -> Scenario {
    Scenario { scope: Some(feature), ..name.into() }
}

#[tokio::test]
async fn a_withdrawn_scope_keeps_what_ip_has_and_is_reported_however_it_looks() {
    let table = [
        (Feature::Roles, "roles_withheld"),
        (Feature::LineManager, "line_managers_withheld"),
        (Feature::Photo, "photos_withheld"),
        (Feature::StaffLinks, "class_staff_withheld"),
        (Feature::Classes, "classes_withheld"),
        (Feature::Subjects, "subjects_withheld"),
    ];
    for look in [Unsupported::Empty, Unsupported::Null, Unsupported::Forbidden] {
        let (app, school) = one_school(look, everything()).await;
        sync(&app, &school).await;
        assert_equal_to_truth(&app, &school).await;
        let before = held(&app).await;
        assert!(before.iter().all(|rows| !rows.is_empty()), "nothing to lose proves nothing");
        for (feature, code) in table {
            apply(&app, &school, scope(ScenarioName::WithdrawScope, feature));
            let (job, report) = sync_job(&app, &school).await;
            assert_eq!(held(&app).await, before, "{feature:?} {look:?}: {report}");
            let of_school: Vec<String> = issues(&app, &job)
                .await
                .into_iter()
                .filter(|(_, wonde_id)| wonde_id.is_none())
                .map(|(code, _)| code)
                .collect();
            assert_eq!(of_school, [code], "{feature:?} {look:?}");
            apply(&app, &school, scope(ScenarioName::GrantScope, feature));
            let (job, _) = sync_job(&app, &school).await;
            assert!(issues(&app, &job).await.iter().all(|(_, wonde_id)| wonde_id.is_some()));
            assert_eq!(held(&app).await, before);
        }
    }
}

#[tokio::test]
async fn without_employment_nobody_is_taken_for_a_leaver() {
    for look in [Unsupported::Empty, Unsupported::Null] {
        let (app, school) = one_school(look, json!({})).await;
        sync(&app, &school).await;
        let before = held(&app).await;
        apply(&app, &school, scope(ScenarioName::WithdrawScope, Feature::EmploymentDetails));
        let (job, report) = sync_job(&app, &school).await;
        assert_eq!(report["deactivated"], 0, "{report}");
        assert_eq!(held(&app).await, before);
        let said = ("employment_withheld".to_owned(), None);
        assert!(issues(&app, &job).await.contains(&said));
    }
}

#[tokio::test]
async fn without_contact_details_everybody_stays_and_has_an_issue() {
    let (app, school) = one_school(Unsupported::Empty, json!({})).await;
    sync(&app, &school).await;
    let before = held(&app).await;
    apply(&app, &school, scope(ScenarioName::WithdrawScope, Feature::ContactDetails));
    let (job, report) = sync_job(&app, &school).await;
    assert_eq!(held(&app).await, before);
    assert_eq!((&report["created"], &report["updated"]), (&json!(0), &json!(0)), "{report}");
    assert!(issues(&app, &job).await.iter().any(|(code, _)| code == "no_work_email"));
}

#[tokio::test]
async fn what_is_asked_of_wonde_is_what_the_settings_need() {
    type Names = &'static [&'static str];
    // Other includes of people, and those of classes if they are requested.
    let table: [(Mis, Value, Names, Option<Names>); 5] = [
        (Mis::Sims, json!({ "import_classes": false }), &["roles", "hierarchy"], None),
        (Mis::Sims, json!({}), &["roles", "hierarchy"], Some(&["employees"])),
        (Mis::Sims, everything(), &["roles", "hierarchy", "photo"], Some(&["employees"])),
        (Mis::RmIntegris, everything(), &[], Some(&[])),
        (Mis::Wcbs, json!({ "import_photos": true }), &["photo"], Some(&["employees"])),
    ];
    for (mis, settings, more, classes) in table {
        let app = TestApp::start().await;
        let index = Mis::ALL.iter().position(|known| *known == mis).unwrap();
        let school = app.connect_school_with(index, settings.clone()).await;
        sync(&app, &school).await;
        let requests = app.simulator.simulator().requests();
        let asked = |list: &str| -> BTreeSet<String> {
            let path = format!("schools/{{id}}/{list}");
            requests.includes.get(&path).into_iter().flat_map(|all| all.keys().cloned()).collect()
        };
        let wanted = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let always: Names = &["contact_details", "employment_details"];
        let of_people: BTreeSet<String> = wanted(&[always, more].concat());
        assert_eq!(asked("employees"), of_people, "{mis} {settings}");
        let is_asked = requests.by_path.contains_key("schools/{id}/classes");
        assert_eq!(is_asked, classes.is_some(), "{mis} {settings}");
        assert_eq!(asked("classes"), wanted(classes.unwrap_or_default()), "{mis} {settings}");
    }
}

#[tokio::test]
async fn an_unknown_mis_works_and_is_reported() {
    let (app, school) = one_school(Unsupported::Empty, json!({ "import_subjects": true })).await;
    let summary = app.simulated_school(0);
    let body = json!({
        "name": summary.name, "wonde_school_id": summary.id, "token": summary.token,
        "mis": "Zebra MIS 9",
    });
    let put = app.put(&format!("/v1/schools/{school}")).json(&body).send().await.unwrap();
    assert!(put.status().is_success());
    let (job, _) = sync_job(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
    assert!(issues(&app, &job).await.contains(&("unknown_mis".to_owned(), None)));
}
