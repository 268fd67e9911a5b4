//! A whole sync with photos and classes, undone over the API.

use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, one_school, sync, sync_job},
    rows::texts,
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
