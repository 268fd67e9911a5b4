//! The school's own settings, each on and off, from the button to the table.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Feature, HierarchyDirection, Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, sync},
    rows::{execute, number, texts},
};

/// A first sync, a scenario in the MIS, and a second sync; returns the second report.
async fn after(app: &TestApp, school: &SchoolId, scenario: ScenarioName) -> Value {
    sync(app, school).await;
    apply(app, school, scenario);
    sync(app, school).await
}

/// A person leaves, a sync, the same person comes back, a sync; returns both reports.
async fn leave_and_return(app: &TestApp, school: &SchoolId) -> [Value; 2] {
    sync(app, school).await;
    let leaver = apply(app, school, ScenarioName::Leaver);
    let left = sync(app, school).await;
    assert_equal_to_truth(app, school).await;
    apply(app, school, Scenario { staff: leaver, ..ScenarioName::Restored.into() });
    [left, sync(app, school).await]
}

#[tokio::test]
async fn leavers_are_deactivated_and_restored_when_they_come_back() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let [left, returned] = leave_and_return(&app, &school).await;
    assert_eq!(left["deactivated"], 1, "{left}");
    assert_eq!((&returned["restored"], &returned["created"]), (&json!(1), &json!(0)), "{returned}");
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn whoever_is_deleted_in_the_mis_has_left() {
    let app = TestApp::start().await;
    let school = app.connect_school(0).await;
    let before = number(&app, "SELECT count(*) FROM staff").await;
    let report = after(&app, &school, ScenarioName::Deleted).await;
    assert_eq!(report["deactivated"], 1, "{report}");
    assert_equal_to_truth(&app, &school).await;
    assert!(number(&app, "SELECT count(*) FROM staff").await > before, "rows are kept");
}

#[tokio::test]
async fn leaver_policy_keep_keeps() {
    let app = TestApp::start().await;
    let school = app.connect_school_with(0, json!({ "leaver_policy": "keep" })).await;
    let report = after(&app, &school, ScenarioName::Leaver).await;
    assert_eq!(report["deactivated"], 0);
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
}

#[tokio::test]
async fn restore_inactive_off_leaves_people_inactive_and_says_so() {
    let app = TestApp::start().await;
    let school = app.connect_school_with(0, json!({ "restore_inactive": false })).await;
    let [_, returned] = leave_and_return(&app, &school).await;
    assert_eq!(returned["restored"], 0);
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 1);
    let said = "SELECT count(*) FROM job_issue WHERE code = 'inactive_in_ip'";
    assert_eq!(number(&app, said).await, 1);
}

#[tokio::test]
async fn teachers_only_imports_teaching_staff_and_drops_nobody() {
    let app = TestApp::start().await;
    let school = app.connect_school_with(0, json!({ "teachers_only": true })).await;
    let report = sync(&app, &school).await;
    assert!(report["created"].as_u64() > Some(0) && report["skipped"].as_u64() > Some(0));
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE non_teaching").await, 0);

    // A person who was imported before the setting was changed has not left.
    app.connect_school_with(0, json!({ "teachers_only": false })).await;
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
    app.connect_school_with(0, json!({ "teachers_only": true })).await;
    let report = sync(&app, &school).await;
    assert_eq!(report["deactivated"], 0);
    assert_equal_to_truth(&app, &school).await;
}

/// Writes a value by hand into a field of everyone, syncs, and returns who still has it.
async fn hand_edit_survives(app: &TestApp, school: &SchoolId, column: &str, value: &str) -> bool {
    sync(app, school).await;
    execute(app, &format!("UPDATE staff SET {column} = {value}")).await;
    sync(app, school).await;
    let kept = format!("SELECT count(*) FROM staff WHERE {column} IS NOT DISTINCT FROM {value}");
    let all = number(app, "SELECT count(*) FROM staff").await;
    number(app, &kept).await == all
}

#[tokio::test]
async fn each_editable_field_is_ips_when_the_school_says_so_and_the_miss_when_not() {
    // setting, column, a hand edit
    let table = [
        ("job_title_editable", "job_title", "'By hand'"),
        ("initials_managed_in_ip", "initials", "'ZZ9'"),
        ("line_manager_editable", "line_manager_id", "NULL::uuid"),
    ];
    for (setting, column, value) in table {
        for (index, on) in [(0, true), (1, false)] {
            let app = TestApp::start().await;
            let school = app.connect_school_with(index, json!({ setting: on })).await;
            let survives = hand_edit_survives(&app, &school, column, value).await;
            assert_eq!(survives, on, "{setting}: {on}");
        }
    }
}

#[tokio::test]
async fn what_a_mis_does_not_deliver_survives_in_ip() {
    let app = TestApp::start().await;
    for index in 0..11 {
        let school = app.connect_school(index).await;
        sync(&app, &school).await;
        let by_hand = format!(
            "UPDATE staff SET job_title = 'By hand', line_manager_id = id WHERE school_id = '{school}'"
        );
        execute(&app, &by_hand).await;
        sync(&app, &school).await;
        let mis = app.simulated_school(index).mis;
        let kept = |column: &str, value: &str| {
            format!(
                "SELECT count(*) FROM staff WHERE school_id = '{school}' AND {column} = {value}"
            )
        };
        let everybody =
            number(&app, &format!("SELECT count(*) FROM staff WHERE school_id = '{school}'")).await;
        let roles = mis.supports(Feature::Roles);
        let titles = number(&app, &kept("job_title", "'By hand'")).await;
        assert_eq!(titles == everybody, !roles, "{mis}: {titles} of {everybody} job titles");
        let reports_to = mis.supports(Feature::LineManager);
        let managers = number(&app, &kept("line_manager_id", "id")).await;
        assert_eq!(managers == everybody, !reports_to, "{mis}: {managers} of {everybody} managers");
    }
}

#[tokio::test]
async fn line_managers_arrive_whichever_way_wonde_lists_them() {
    for hierarchy in [HierarchyDirection::Manager, HierarchyDirection::Reports] {
        let simulator = SimulatorOptions { schools: 1, hierarchy, ..SimulatorOptions::default() };
        let options = TestAppOptions { simulator, ..TestAppOptions::default() };
        let app = TestApp::start_with(options).await;
        let school = app.connect_school(0).await;
        sync(&app, &school).await;
        assert_equal_to_truth(&app, &school).await;
        let linked = "SELECT id::text FROM staff WHERE line_manager_id IS NOT NULL";
        assert!(texts(&app, linked).await.len() > 10, "a school without managers proves nothing");

        let report = after(&app, &school, ScenarioName::ManagerChange).await;
        assert_eq!(report["updated"], 1, "{report}");
        assert_equal_to_truth(&app, &school).await;
    }
}
