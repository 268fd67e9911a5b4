//! A whole sync with photos and classes, undone over the API.

use mis_sync_domain::{Clock, ManualClock, SchoolId};
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::{Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, one_school, sync, sync_job},
    rows::{execute, number, texts},
};

/// Everything that a sync writes, without the people that the second sync created.
async fn everything(app: &TestApp) -> Vec<String> {
    let mut rows = Vec::new();
    for sql in [
        "SELECT concat_ws('|', id, wonde_id, email, first_name, surname, initials, job_title,
            non_teaching, line_manager_id, photo_hash, active) FROM staff ORDER BY id",
        "SELECT concat_ws('|', id, name, code, description, subject_id, active) FROM class
            ORDER BY id",
        "SELECT concat_ws('|', id, name, active) FROM subject ORDER BY id",
        "SELECT concat_ws('|', class_id, staff_id, position, is_main_teacher) FROM class_staff
            JOIN class ON class.id = class_id WHERE class.active ORDER BY 1",
        "SELECT concat_ws('|', subject_id, staff_id, position, is_main_teacher) FROM subject_staff
            JOIN subject ON subject.id = subject_id WHERE subject.active ORDER BY 1",
    ] {
        rows.extend(texts(app, sql).await);
    }
    rows
}

#[tokio::test]
async fn people_pictures_classes_and_managers_are_as_they_were() {
    let (app, school) = one_school(json!({ "import_subjects": true, "import_photos": true })).await;
    sync(&app, &school).await;
    let before = everything(&app).await;
    for (scenario, count) in [
        (ScenarioName::Rename, 2),
        (ScenarioName::EmailSwap, 1),
        (ScenarioName::Leaver, 1),
        (ScenarioName::RoleChange, 2),
        (ScenarioName::ManagerChange, 2),
        (ScenarioName::NewPhoto, 2),
        (ScenarioName::ClassRename, 1),
        (ScenarioName::ClassDeleted, 1),
        (ScenarioName::ClassTeacherChange, 2),
        (ScenarioName::SubjectRenamed, 1),
    ] {
        apply(&app, &school, Scenario { count: Some(count), ..scenario.into() });
    }
    let (job, _) = sync_job(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
    assert_ne!(everything(&app).await, before);
    let main_teachers =
        "SELECT field FROM job_change WHERE field = 'main_teachers' AND old_value <> ''";
    assert!(!texts(&app, main_teachers).await.is_empty(), "a class lost its main teacher");

    let answer = app.post(&format!("/v1/jobs/{job}/undo")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let undo: Value = answer.json().await.unwrap();
    assert_eq!(everything(&app).await, before, "{undo}");

    // The MIS still says the same, and the next sync applies it again.
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_paused_school_does_not_redo_what_was_undone_until_the_pause_ends() {
    let clock = ManualClock::at("2037-01-10T12:00:00Z".parse().unwrap());
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 2, staff: 12, ..SimulatorOptions::default() },
        clock: clock.clone().into(),
        scheduler: true,
        ..TestAppOptions::default()
    })
    .await;
    let off = || json!({ "schedule": { "enabled": false } });
    let (oak, elm) =
        (app.connect_school_with(0, off()).await, app.connect_school_with(1, off()).await);
    sync(&app, &oak).await;
    apply(&app, &oak, ScenarioName::Leaver);
    let (wrong, _) = sync_job(&app, &oak).await;
    let left = "SELECT count(*) FROM staff WHERE NOT active";
    assert_eq!(number(&app, left).await, 1);

    let path = format!("/v1/jobs/{wrong}/undo");
    let past = app.post(&path).json(&json!({ "pause_until": "2020-01-01T00:00:00Z" }));
    assert_eq!(past.send().await.unwrap().status(), 400, "that is over");
    let until = Clock::system().now() + chrono::TimeDelta::days(1);
    let undo = app.post(&path).json(&json!({ "pause_until": until, "reason": "not yet" }));
    assert_eq!(undo.send().await.unwrap().status(), 200);
    assert_eq!(number(&app, left).await, 0);

    // Of two schools whose night passes, only the other one is synced.
    let noon = "2037-01-10T12:00:00Z";
    for (index, school) in [&oak, &elm].into_iter().enumerate() {
        execute(
            &app,
            &format!("INSERT INTO school_schedule VALUES ('{school}', '{noon}', '{noon}')"),
        )
        .await;
        let nightly = json!({ "nightly_from": "02:00", "nightly_until": "02:01" });
        app.connect_school_with(index, json!({ "schedule": nightly })).await;
    }
    clock.set("2037-01-11T02:01:00Z".parse().unwrap());
    let scheduled = |school: &SchoolId| {
        format!(
            "SELECT count(*) FROM job WHERE requested_by = 'schedule' AND state = 'succeeded' \
             AND school_id = '{school}'"
        )
    };
    let runs = async |school: &SchoolId| {
        let sql = scheduled(school);
        eventually("the nightly sync runs", async || (number(&app, &sql).await > 0).then_some(()))
            .await;
    };
    runs(&elm).await;
    assert_eq!(number(&app, &scheduled(&oak)).await, 0);
    assert_eq!(number(&app, left).await, 0, "nothing is redone");

    execute(&app, "UPDATE pause SET until = now() - interval '1 second'").await;
    runs(&oak).await;
    assert_eq!(number(&app, left).await, 1);
    let ends = "SELECT actor FROM audit_log WHERE action = 'resume'";
    assert_eq!(texts(&app, ends).await, ["schedule"]);
}
