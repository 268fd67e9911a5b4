//! Syncs that read only what changed.

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Fault, Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, one_school, sync, sync_with},
    rows::{execute, number, texts},
};

async fn delta(app: &TestApp, school: &SchoolId) -> Value {
    sync_with(app, school, json!({ "mode": "delta" })).await.1
}

#[tokio::test]
async fn a_delta_reads_what_changed_and_comes_to_the_same() {
    let (app, school) = one_school(json!({ "import_subjects": true })).await;
    let first = sync(&app, &school).await;
    let nothing = delta(&app, &school).await;
    assert_eq!((&nothing["mode"], &nothing["fetched"]), (&json!("delta"), &json!(0)));
    assert_eq!(nothing["classes"]["fetched"], 0, "{nothing}");
    assert!(nothing["requests"].as_u64() < first["requests"].as_u64());

    let scenarios = [
        (ScenarioName::Rename, "updated"),
        (ScenarioName::EmailChange, "updated"),
        (ScenarioName::EmailSwap, "updated"),
        (ScenarioName::NewInitials, "updated"),
        (ScenarioName::RoleChange, "updated"),
        (ScenarioName::ManagerChange, "updated"),
        (ScenarioName::ReAdded, "updated"),
        (ScenarioName::Joiner, "created"),
        (ScenarioName::Leaver, "deactivated"),
        (ScenarioName::Restored, "restored"),
        (ScenarioName::Deleted, "deactivated"),
    ];
    let mut leaver = Vec::new();
    for (scenario, counted_as) in scenarios {
        let staff = if scenario == ScenarioName::Restored { leaver.clone() } else { Vec::new() };
        let touched = apply(&app, &school, Scenario { staff, ..scenario.into() });
        if scenario == ScenarioName::Leaver {
            leaver.clone_from(&touched);
        }
        let report = delta(&app, &school).await;
        assert_eq!(report[counted_as], touched.len(), "{scenario:?}: {report}");
        assert_eq!(report["mode"], "delta");
        assert_equal_to_truth(&app, &school).await;
    }
    // And a full sync finds nothing left to do.
    let full = sync(&app, &school).await;
    for field in ["created", "updated", "deactivated", "restored"] {
        assert_eq!(full[field], 0, "{full}");
    }
}

#[tokio::test]
async fn a_delta_rebuilds_the_links_of_changed_classes_only() {
    let (app, school) = one_school(json!({ "import_subjects": true })).await;
    sync(&app, &school).await;
    let links = "SELECT class_id::text || staff_id::text || position::text || xmin::text
        FROM class_staff ORDER BY 1";
    let subjects = "SELECT subject_id::text || staff_id::text FROM subject_staff ORDER BY 1";
    let (links_before, subjects_before) = (texts(&app, links).await, texts(&app, subjects).await);
    let changed = apply(&app, &school, ScenarioName::ClassTeacherChange);
    let report = delta(&app, &school).await;
    assert_eq!(report["classes"]["fetched"], 1, "{report}");
    assert_eq!(report["classes"]["updated"], 1, "{report}");
    let links_after = texts(&app, links).await;
    let id = format!("SELECT id::text FROM class WHERE wonde_id = '{}'", changed[0]);
    let id = texts(&app, &id).await.remove(0);
    let others = |links: &[String]| -> Vec<String> {
        links.iter().filter(|link| !link.starts_with(&id)).cloned().collect()
    };
    assert_eq!(others(&links_after), others(&links_before), "no other class is touched");
    assert_eq!(texts(&app, subjects).await, subjects_before, "subjects wait for a full sync");

    apply(&app, &school, ScenarioName::ClassDeleted);
    let report = delta(&app, &school).await;
    assert_eq!(report["classes"]["archived"], 1, "{report}");
}

#[tokio::test]
async fn a_delta_never_concludes_that_someone_is_gone() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, Scenario { keep: Some(5), ..ScenarioName::Shrink.into() });
    let report = delta(&app, &school).await;
    assert_eq!(report["deactivated"], 0, "{report}");
    apply(&app, &school, ScenarioName::NoClasses);
    let report = delta(&app, &school).await;
    assert_eq!(report["classes"]["archived"], 0, "{report}");
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
}

#[tokio::test]
async fn a_first_sync_and_one_after_a_change_of_settings_read_everything() {
    let (app, school) = one_school(json!({})).await;
    assert_eq!(delta(&app, &school).await["mode"], "full");
    assert_eq!(delta(&app, &school).await["mode"], "delta");
    app.connect_school_with(0, json!({ "import_subjects": true })).await;
    let report = delta(&app, &school).await;
    assert_eq!(report["mode"], "full", "subjects did not change, and are wanted now");
    assert!(report["subjects"]["created"].as_u64() > Some(0));
    assert_eq!(delta(&app, &school).await["mode"], "delta");
}

#[tokio::test]
async fn a_delta_looks_back_further_than_the_last_fetch() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    // The change happens before the last fetch began, by Wonde's clock, and shows late.
    apply(&app, &school, ScenarioName::Rename);
    execute(&app, "UPDATE school SET changes_seen_until = now() + interval '5 hours'").await;
    let report = delta(&app, &school).await;
    assert_eq!(report["updated"], 1, "{report}");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_delta_that_fails_is_taken_up_where_it_stopped() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, Scenario { count: Some(25), ..ScenarioName::Rename.into() });
    apply(&app, &school, ScenarioName::Deleted);
    let fault: Fault =
        serde_json::from_value(json!({ "path": "deletions", "status": 500, "count": 4 })).unwrap();
    app.simulator.simulator().add_fault(fault);
    let report = delta(&app, &school).await;
    assert_eq!(report["deactivated"], 1, "{report}");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn without_deletions_a_delta_goes_on_and_a_full_sync_mends_it() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Deleted);
    let refused: Fault =
        serde_json::from_value(json!({ "path": "deletions", "status": 403, "count": 1 })).unwrap();
    app.simulator.simulator().add_fault(refused);
    let report = delta(&app, &school).await;
    assert_eq!(report["deactivated"], 0, "{report}");
    assert_eq!(sync(&app, &school).await["deactivated"], 1);
    assert_equal_to_truth(&app, &school).await;
}
