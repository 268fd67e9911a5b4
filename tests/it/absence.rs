//! A list that changes while it is read loses records between two pages. No one is locked out
//! because of that, and nothing is archived: missing records are asked for first.

use std::{collections::HashSet, num::NonZeroU8, time::Duration};

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions, eventually, http_client};
use mis_sync_wonde_sim::{Scenario, ScenarioName, SimulatorOptions};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, issues, sync, sync_job, sync_with},
    process::MIS_SYNC,
    rows::{number, texts},
};

/// Records on a page.
const PAGE: usize = 5;

/// A school of this size, with everything imported and synced once.
async fn synced_school(staff: usize) -> (TestApp, SchoolId) {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff, ..SimulatorOptions::default() },
        page_size: PAGE.try_into().unwrap(),
        // What changes after a page was served should show on the next page.
        parallel_requests: NonZeroU8::MIN,
        lease: Duration::from_secs(2),
        ..TestAppOptions::default()
    })
    .await;
    let settings = json!({ "import_classes": true, "import_subjects": true });
    let school = app.connect_school_with(0, settings).await;
    sync(&app, &school).await;
    app.simulator.simulator().reset_requests();
    (app, school)
}

/// The ids of a whole list of Wonde's, in its order.
async fn listed(app: &TestApp, list: &str) -> Vec<String> {
    let school = app.simulated_school(0);
    let url = format!("{}/schools/{}/{list}?per_page=500", app.simulator.base_url(), school.id);
    let answer = http_client().get(url).bearer_auth(school.token).send().await.unwrap();
    let page: Value = answer.json().await.unwrap();
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    let ids = page["data"].as_array().unwrap().iter().map(id).collect();
    app.simulator.simulator().reset_requests();
    ids
}

/// Wonde ids of what is active in iP.
async fn active(app: &TestApp, table: &str) -> HashSet<String> {
    let sql = format!("SELECT wonde_id FROM {table} WHERE active AND wonde_id IS NOT NULL");
    texts(app, &sql).await.into_iter().collect()
}

fn fault(app: &TestApp, fault: Value) {
    app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
}

/// Deletes records of a page after it was served, so that as many of the next are on no page.
/// Returns the deleted ones, and those of the lost ones that are active in iP, of which there is at
/// least one.
async fn shift(app: &TestApp, of: &str) -> (Vec<String>, Vec<String>) {
    shift_later(app, of, 0).await
}

/// The same, once the list has been read this many times.
async fn shift_later(app: &TestApp, of: &str, readings: u32) -> (Vec<String>, Vec<String>) {
    let (table, scenario, named) = match of {
        "employees" => ("staff", "deleted", "staff"),
        "classes" => ("class", "class_deleted", "classes"),
        _ => ("subject", "subject_deleted", "subjects"),
    };
    let (ids, held) = (listed(app, of).await, active(app, table).await);
    // Others would miss a manager.
    let managers = "SELECT m.wonde_id FROM staff m JOIN staff s ON s.line_manager_id = m.id";
    let managers = texts(app, managers).await;
    let pages: Vec<&[String]> = ids.chunks(PAGE).collect();
    let shifts = |(at, two): (usize, &[&[String]])| {
        let count = two[1].iter().position(|id| held.contains(id))? + 1;
        let can_go = two[0].iter().filter(|id| !managers.contains(id));
        let removed: Vec<String> = can_go.take(count).cloned().collect();
        let lost = two[1][..count].iter().filter(|id| held.contains(*id)).cloned().collect();
        (removed.len() == count).then_some((at + 1, removed, lost))
    };
    // A path that matches page 1 matches all others too, so it is for the first request only.
    let first = usize::from(readings > 0);
    let (page, removed, lost) = pages.windows(2).enumerate().skip(first).find_map(shifts).unwrap();
    let path = if page == 1 { format!("{of}?") } else { format!("{of}?*page={page}") };
    for _ in 0..readings {
        fault(app, json!({ "path": path, "hang_ms": 1 }));
    }
    let then = json!({ "name": scenario, named: removed });
    fault(app, json!({ "path": path, "then": then }));
    (removed, lost)
}

/// How often Wonde was asked for one record of a list, and for a page of it.
fn asked(app: &TestApp, list: &str) -> (u64, u64) {
    let requests = app.simulator.simulator().requests();
    let of = |path: String| requests.by_path.get(&path).copied().unwrap_or_default();
    (of(format!("schools/{{id}}/{list}/{{id}}")), of(format!("schools/{{id}}/{list}")))
}

fn total(app: &TestApp) -> u64 {
    app.simulator.simulator().requests().total
}

#[tokio::test]
async fn a_sync_in_which_nobody_is_missing_asks_for_no_single_record() {
    let (app, school) = synced_school(40).await;
    let report = sync(&app, &school).await;
    for list in ["employees", "classes", "subjects"] {
        assert_eq!(asked(&app, list).0, 0, "{list}");
    }
    assert_eq!(report["requests"], total(&app));
}

#[tokio::test]
async fn a_person_lost_between_two_pages_stays_and_one_who_is_gone_goes() {
    let (app, school) = synced_school(40).await;
    let before = active(&app, "staff").await;
    let (removed, lost) = shift(&app, "employees").await;
    let (job, report) = sync_job(&app, &school).await;
    assert_eq!(report["deactivated"], 0, "{report}");
    assert_eq!(report["updated"], 0, "{report}");
    assert_eq!(active(&app, "staff").await, before);
    assert_eq!(asked(&app, "employees").0, lost.len() as u64, "each was asked for");
    assert_eq!(report["requests"], total(&app), "and that is in the report");
    assert!(issues(&app, &job).await.iter().all(|(code, _)| code != "possible_match"));

    let gone = removed.iter().filter(|id| before.contains(*id)).count();
    let report = sync(&app, &school).await;
    assert_eq!(report["deactivated"], gone, "{report}");
    assert_eq!(asked(&app, "employees").0, (lost.len() + gone) as u64);
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn someone_lost_who_left_is_a_leaver_by_their_own_flag() {
    let (app, school) = synced_school(40).await;
    let (_, lost) = shift(&app, "employees").await;
    let staff = vec![lost[0].clone()];
    apply(&app, &school, Scenario { staff, ..ScenarioName::Leaver.into() });
    let report = sync(&app, &school).await;
    assert_eq!(report["deactivated"], 1, "{report}");
    assert!(!active(&app, "staff").await.contains(&lost[0]));
}

#[tokio::test]
async fn a_change_of_someone_lost_arrives_all_the_same() {
    let (app, school) = synced_school(40).await;
    let (_, lost) = shift(&app, "employees").await;
    let staff = vec![lost[0].clone()];
    apply(&app, &school, Scenario { staff, ..ScenarioName::RoleChange.into() });
    let report = sync(&app, &school).await;
    assert_eq!((&report["updated"], &report["deactivated"]), (&json!(1), &json!(0)), "{report}");
}

#[tokio::test]
async fn classes_and_subjects_lost_between_two_pages_stay_with_who_teaches_them() {
    for (list, table) in [("classes", "class"), ("subjects", "subject")] {
        let (app, school) = synced_school(60).await;
        let (removed, lost) = shift(&app, list).await;
        let of_lost = format!(
            "SELECT concat_ws(' ', r.wonde_id, r.active, l.staff_id) FROM {table} r
             LEFT JOIN {table}_staff l ON l.{table}_id = r.id
             WHERE r.wonde_id IN ('{}') ORDER BY 1",
            lost.join("', '")
        );
        let before = texts(&app, &of_lost).await;
        let (held, report) = (active(&app, table).await, sync(&app, &school).await);
        assert_eq!(report[list]["archived"], 0, "{report}");
        assert_eq!(active(&app, table).await, held);
        assert_eq!(texts(&app, &of_lost).await, before);
        assert_eq!(asked(&app, list).0, lost.len() as u64);
        assert_eq!(report["requests"], total(&app));

        let report = sync(&app, &school).await;
        assert_eq!(report[list]["archived"], removed.len(), "{report}");
        let held = active(&app, table).await;
        assert!(removed.iter().all(|id| !held.contains(id)) && held.contains(&lost[0]));
    }
}

#[tokio::test]
async fn where_many_are_missing_the_list_is_read_once_more() {
    let (app, school) = synced_school(100).await;
    app.connect_school_with(0, json!({ "import_classes": false })).await;
    let before = active(&app, "staff").await;
    // While page 1 is read, the list shrinks to it; once page 2 is read, it is complete again.
    fault(&app, json!({ "path": "employees?", "then": { "name": "shrink", "keep": PAGE } }));
    fault(&app, json!({ "path": "employees?*page=2", "then": { "name": "refill" } }));
    let report = sync(&app, &school).await;
    assert_eq!((&report["deactivated"], &report["updated"]), (&json!(0), &json!(0)), "{report}");
    assert_eq!(active(&app, "staff").await, before);
    assert_eq!(asked(&app, "employees"), (0, 2 + 20), "no record is asked for by its id");
    assert_eq!(report["fetched"], 100, "each counts once: {report}");
    assert_eq!(report["requests"], total(&app));
}

#[tokio::test]
async fn classes_are_read_once_more_too() {
    let (app, school) = synced_school(60).await;
    let (held, classes) = (active(&app, "class").await, listed(&app, "classes").await.len());
    let pages = classes.div_ceil(PAGE) as u64;
    fault(&app, json!({ "path": "classes?", "then": { "name": "no_classes" } }));
    fault(&app, json!({ "path": "classes?", "then": { "name": "classes_back" } }));
    let report = sync(&app, &school).await;
    assert_eq!(report["classes"]["archived"], 0, "{report}");
    assert_eq!(report["classes"]["unchanged"], classes, "{report}");
    assert_eq!(active(&app, "class").await, held);
    assert_eq!(asked(&app, "classes"), (0, 2 + pages));
}

#[tokio::test]
async fn who_is_missing_from_both_readings_is_gone_and_who_only_from_the_second_is_asked_for() {
    let (app, school) = synced_school(50).await;
    // Seven of fifty, some of them managers, would be held; and the pages of other lists have the
    // same numbers.
    let settings = json!({ "guard": { "enabled": false }, "import_classes": false });
    app.connect_school_with(0, settings).await;
    let held = active(&app, "staff").await;
    let ids = listed(&app, "employees").await;
    let staff: Vec<String> =
        ids[25..].iter().filter(|id| held.contains(*id)).take(7).cloned().collect();
    apply(&app, &school, Scenario { staff: staff.clone(), ..ScenarioName::Deleted.into() });
    let (_, lost) = shift_later(&app, "employees", 1).await;
    let report = sync(&app, &school).await;
    assert_eq!(report["deactivated"], 7, "{report}");
    let left = active(&app, "staff").await;
    assert!(staff.iter().all(|id| !left.contains(id)), "missing twice");
    assert_eq!(left.len(), held.len() - 7);
    assert_eq!(asked(&app, "employees").0, lost.len() as u64, "missing once");
    assert_eq!(report["requests"], total(&app));
}

#[tokio::test]
async fn an_empty_list_is_read_twice_and_then_held() {
    let (app, school) = synced_school(40).await;
    apply(&app, &school, ScenarioName::Empty);
    let job = app.press_sync(&school).await;
    let job = app.wait_for_job(&job, "the job is held", |job| job["state"] == "held").await;
    assert_eq!(asked(&app, "employees"), (0, 2), "{job}");
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);

    // Being empty once proves nothing.
    let (app, school) = synced_school(40).await;
    apply(&app, &school, ScenarioName::Empty);
    fault(&app, json!({ "path": "employees?", "then": { "name": "refill" } }));
    let report = sync(&app, &school).await;
    assert_eq!((&report["deactivated"], &report["fetched"]), (&json!(0), &json!(40)), "{report}");
}

#[tokio::test]
async fn a_question_that_fails_is_asked_again_and_deactivates_nobody() {
    for status in [500, 503, 429] {
        let (app, school) = synced_school(40).await;
        let before = active(&app, "staff").await;
        let (_, lost) = shift(&app, "employees").await;
        fault(&app, json!({ "path": "employees/", "status": status, "count": 10_000 }));
        let job = app.press_sync(&school).await;
        let failed = |job: &Value| !job["error"].is_null() && job["state"] != "running";
        let failed = app.wait_for_job(&job, "an attempt fails", failed).await;
        assert_ne!(failed["state"], "succeeded", "{failed}");
        assert_eq!(active(&app, "staff").await, before);
        if status == 429 {
            assert_eq!((&failed["state"], &failed["attempt"]), (&json!("retrying"), &json!(0)));
            continue;
        }
        let pages = asked(&app, "employees").1;
        app.simulator.simulator().clear_faults();
        let done = app.wait_until_finished(&job).await;
        assert_eq!(done["state"], "succeeded", "{done}");
        assert_eq!(done["report"]["deactivated"], 0);
        assert_eq!(active(&app, "staff").await, before);
        assert!(asked(&app, "employees").0 > lost.len() as u64, "and asked again");
        assert_eq!(asked(&app, "employees").1, pages, "the list was staged already");
    }
}

#[tokio::test]
async fn where_wonde_refuses_to_say_people_stay_and_the_school_is_told() {
    let (app, school) = synced_school(40).await;
    let gone = apply(&app, &school, Scenario { count: Some(2), ..ScenarioName::Deleted.into() });
    fault(&app, json!({ "path": "employees/", "status": 403, "count": 10_000 }));
    let (job, report) = sync_job(&app, &school).await;
    assert_eq!(report["deactivated"], 0, "{report}");
    let told = issues(&app, &job).await;
    let told = told.iter().filter(|(code, _)| code == "absence_unproven");
    assert_eq!(told.collect::<Vec<_>>(), [&("absence_unproven".to_owned(), None)], "once");
    for wonde_id in &gone {
        let path = format!("/v1/schools/{school}/explain?wonde_id={wonde_id}");
        let verdict: Value = app.get(&path).send().await.unwrap().json().await.unwrap();
        assert_ne!(verdict["verdict"], "gone", "{verdict}");
    }
    app.simulator.simulator().clear_faults();
    assert_eq!(sync(&app, &school).await["deactivated"], 2);
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn who_is_shown_without_includes_only_is_there() {
    let (app, school) = synced_school(40).await;
    let before = active(&app, "staff").await;
    let (_, lost) = shift(&app, "employees").await;
    let refused = json!({ "path": format!("{}?include", lost[0]), "status": 403, "count": 100 });
    fault(&app, refused);
    let (job, report) = sync_job(&app, &school).await;
    assert_eq!(report["deactivated"], 0, "{report}");
    assert_eq!(active(&app, "staff").await, before);
    assert_eq!(asked(&app, "employees").0, lost.len() as u64 + 1);
    assert!(issues(&app, &job).await.iter().all(|(code, _)| code != "absence_unproven"));
}

#[tokio::test]
async fn a_dry_run_proves_as_a_sync_does() {
    let (app, school) = synced_school(40).await;
    let gone = apply(&app, &school, ScenarioName::Deleted).len();
    let (_, lost) = shift(&app, "employees").await;
    let (_, report) = sync_with(&app, &school, json!({ "dry_run": true })).await;
    assert_eq!(report["deactivated"], gone, "{report}");
    assert_eq!(asked(&app, "employees").0, (lost.len() + gone) as u64);
}

#[tokio::test]
async fn a_worker_that_dies_while_it_looks_is_replaced_by_another() {
    for stage in ["asking", "reading again"] {
        let (mut app, school) = synced_school(40).await;
        app.stop_worker().await;
        let before = active(&app, "staff").await;
        if stage == "asking" {
            shift(&app, "employees").await;
            fault(&app, json!({ "path": "employees/", "hang_ms": 600_000 }));
        } else {
            // Classes that are read while the list is short would have lost their teachers.
            app.connect_school_with(0, json!({ "import_classes": false })).await;
            let shrunk = json!({ "name": "shrink", "keep": PAGE });
            fault(&app, json!({ "path": "employees?", "then": shrunk }));
            fault(&app, json!({ "path": "employees?*page=2", "then": { "name": "refill" } }));
            fault(&app, json!({ "path": "employees?*page=6", "hang_ms": 600_000 }));
        }
        let worker = MIS_SYNC.start(&app, &["worker"], &[]);
        let job = app.press_sync(&school).await;
        let is_there = || match stage {
            "asking" => asked(&app, "employees").0 == 1,
            // Two pages of the first reading, and six of the second.
            _ => asked(&app, "employees").1 == 8,
        };
        eventually("the worker looks for them", async || is_there().then_some(())).await;
        worker.signal(Signal::KILL);
        let pages = asked(&app, "employees").1;
        app.start_worker();
        let job = app.wait_until_finished(&job).await;
        assert_eq!((&job["state"], &job["attempt"]), (&json!("succeeded"), &json!(2)), "{job}");
        assert_eq!(job["report"]["deactivated"], 0, "{stage}: {job}");
        assert_eq!(active(&app, "staff").await, before, "{stage}");
        let more = asked(&app, "employees").1 - pages;
        assert!(more <= if stage == "asking" { 0 } else { 4 }, "{stage}: {more} pages");
    }
}
