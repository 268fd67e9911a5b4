//! Classes and subjects, from the button to the tables.

use mis_sync_domain::SchoolId;
use mis_sync_testing::TestApp;
use mis_sync_wonde_sim::{Feature, Mis, Scenario, ScenarioName};
use serde_json::{Value, json};

use crate::{
    people::assert_equal_to_truth,
    press::{apply, issues, one_school, sync},
    rows::{execute, number, texts},
};

/// Everything that can be imported but photos.
fn all() -> Value {
    json!({ "import_classes": true, "import_subjects": true })
}

/// The active records of one kind in iP, in the simulator's form.
async fn held(app: &TestApp, school: &SchoolId, kind: &str) -> Vec<Value> {
    let (subject, order) = match kind {
        "class" => (
            "'subject_wonde_id', (SELECT s.wonde_id FROM subject s WHERE s.id = r.subject_id),",
            "l.position",
        ),
        _ => ("", "p.wonde_id COLLATE \"C\""),
    };
    let description = if kind == "class" { "'description', r.description," } else { "" };
    let sql = format!(
        "SELECT json_build_object('wonde_id', r.wonde_id, 'name', r.name, 'code', r.code,
            {description} {subject} 'staff', (
                SELECT coalesce(json_agg(p.wonde_id ORDER BY {order}), '[]')
                FROM {kind}_staff l JOIN staff p ON p.id = l.staff_id WHERE l.{kind}_id = r.id
            ))::text
        FROM {kind} r
        WHERE r.school_id = '{school}' AND r.active AND r.wonde_id IS NOT NULL
        ORDER BY r.wonde_id COLLATE \"C\""
    );
    let rows = texts(app, &sql).await;
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// Asserts that iP's classes and subjects match the simulator's, with their staff in order.
async fn assert_taught_as_in_the_mis(app: &TestApp, school: &SchoolId) {
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let wanted = |list: Value| list.as_array().unwrap().clone();
    assert_eq!(held(app, school, "class").await, wanted(json!(truth.classes)));
    assert_eq!(held(app, school, "subject").await, wanted(json!(truth.subjects)));
}

#[tokio::test]
async fn classes_and_subjects_of_every_mis_arrive() {
    let app = TestApp::start().await;
    for index in 0..Mis::ALL.len() {
        let school = app.connect_school_with(index, all()).await;
        let report = sync(&app, &school).await;
        assert_taught_as_in_the_mis(&app, &school).await;
        let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
        assert_eq!(report["classes"]["created"], truth.classes.len(), "{report}");
        assert_eq!(report["subjects"]["created"], truth.subjects.len(), "{report}");

        let again = sync(&app, &school).await;
        assert_eq!(again["classes"]["unchanged"], truth.classes.len(), "{again}");
        assert_eq!(again["subjects"]["unchanged"], truth.subjects.len(), "{again}");
    }
}

#[tokio::test]
async fn the_simulated_schools_have_all_that_matters() {
    let (app, school) = one_school(all()).await;
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    assert!(truth.classes.iter().any(|class| class.staff.len() > 1), "a class with two teachers");
    assert!(truth.classes.iter().any(|class| class.subject_wonde_id.is_none()), "no subject");
    let groups_only = Mis::ALL.iter().position(|mis| *mis == Mis::ScholarPack).unwrap();
    let app = TestApp::start().await;
    let primary = app.simulated_school(groups_only).id;
    assert!(app.simulator.simulator().truth(&primary).unwrap().classes.is_empty());
    drop((app, school));
}

#[tokio::test]
async fn changes_of_classes_and_subjects_arrive_and_nothing_else_is_touched() {
    let (app, school) = one_school(all()).await;
    sync(&app, &school).await;
    let scenarios = [
        (ScenarioName::ClassRename, "classes", "updated"),
        (ScenarioName::ClassTeacherChange, "classes", "updated"),
        (ScenarioName::ClassAdded, "classes", "created"),
        (ScenarioName::ClassDeleted, "classes", "archived"),
        (ScenarioName::ClassRestored, "classes", "restored"),
        (ScenarioName::SubjectAdded, "subjects", "created"),
        (ScenarioName::SubjectRenamed, "subjects", "updated"),
    ];
    for (scenario, kind, counted_as) in scenarios {
        let touched = apply(&app, &school, scenario);
        let report = sync(&app, &school).await;
        assert_eq!(report[kind][counted_as], touched.len(), "{scenario:?}: {report}");
        assert_eq!((&report["updated"], &report["created"]), (&json!(0), &json!(0)));
        assert_taught_as_in_the_mis(&app, &school).await;
    }
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_deleted_subject_is_archived_and_its_classes_lose_it() {
    let (app, school) = one_school(all()).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::SubjectDeleted);
    let report = sync(&app, &school).await;
    assert_eq!(report["subjects"]["archived"], 1, "{report}");
    assert_taught_as_in_the_mis(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM subject WHERE NOT active").await, 1);
}

#[tokio::test]
async fn a_rollover_archives_the_old_classes_and_brings_the_new() {
    let (app, school) = one_school(all()).await;
    let first = sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Rollover);
    let report = sync(&app, &school).await;
    assert_eq!(report["classes"]["archived"], first["classes"]["created"], "{report}");
    assert_taught_as_in_the_mis(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_school_without_classes_for_a_while_keeps_them() {
    let (app, school) = one_school(all()).await;
    sync(&app, &school).await;
    let before = held(&app, &school, "class").await;
    apply(&app, &school, ScenarioName::NoClasses);
    let (job, report) = crate::press::sync_job(&app, &school).await;
    assert_eq!(report["classes"]["archived"], 0, "{report}");
    assert_eq!(held(&app, &school, "class").await, before);
    assert!(issues(&app, &job).await.contains(&("classes_withheld".to_owned(), None)));
}

#[tokio::test]
async fn classes_that_all_lose_their_teachers_at_once_keep_them() {
    let (app, school) = one_school(all()).await;
    sync(&app, &school).await;
    let before = held(&app, &school, "class").await;
    apply(&app, &school, ScenarioName::ClassesEmptied);
    let (job, report) = crate::press::sync_job(&app, &school).await;
    assert_eq!(report["classes"]["updated"], 0, "{report}");
    assert_eq!(held(&app, &school, "class").await, before);
    assert!(issues(&app, &job).await.contains(&("class_staff_withheld".to_owned(), None)));
}

#[tokio::test]
async fn what_was_made_by_hand_is_left_alone() {
    let (app, school) = one_school(all()).await;
    sync(&app, &school).await;
    let by_hand = format!(
        "INSERT INTO class (school_id, name) VALUES ('{school}', 'Chess club');
         INSERT INTO subject (school_id, name) VALUES ('{school}', 'Chess');
         INSERT INTO class_staff (class_id, staff_id)
            SELECT c.id, s.id FROM (SELECT id FROM class WHERE wonde_id IS NOT NULL LIMIT 1) c,
                staff s ON CONFLICT DO NOTHING;
         UPDATE class SET description = 'By hand' WHERE description IS NULL"
    );
    for statement in by_hand.split(';') {
        execute(&app, statement).await;
    }
    let links = "SELECT count(*) FROM class_staff WHERE NOT from_mis";
    let before = number(&app, links).await;
    apply(&app, &school, ScenarioName::ClassTeacherChange);
    apply(&app, &school, ScenarioName::ClassDeleted);
    sync(&app, &school).await;
    assert_eq!(number(&app, links).await, before);
    for table in ["class", "subject"] {
        let kept = format!("SELECT count(*) FROM {table} WHERE wonde_id IS NULL AND active");
        assert_eq!(number(&app, &kept).await, 1);
    }
}

#[tokio::test]
async fn links_that_a_mis_does_not_deliver_survive() {
    let app = TestApp::start().await;
    for (index, mis) in Mis::ALL.into_iter().enumerate() {
        if mis.supports(Feature::StaffLinks) || mis == Mis::ScholarPack {
            continue;
        }
        let school = app.connect_school_with(index, all()).await;
        sync(&app, &school).await;
        for kind in ["class", "subject"] {
            let link = format!(
                "INSERT INTO {kind}_staff ({kind}_id, staff_id)
                 SELECT r.id, (SELECT id FROM staff WHERE school_id = '{school}' LIMIT 1)
                 FROM {kind} r WHERE r.school_id = '{school}'"
            );
            execute(&app, &link).await;
        }
        let links =
            "SELECT (SELECT count(*) FROM class_staff) + (SELECT count(*) FROM subject_staff)";
        let before = number(&app, links).await;
        assert!(before > 0);
        let report = sync(&app, &school).await;
        assert_eq!(number(&app, links).await, before, "{mis}");
        assert_eq!(report["classes"]["updated"], 0, "{mis}: {report}");
    }
}

#[tokio::test]
async fn each_import_can_be_switched_off() {
    for (settings, classes, subjects) in [
        (json!({}), true, false),
        (json!({ "import_classes": false, "import_subjects": true }), false, true),
        (json!({ "import_classes": false }), false, false),
    ] {
        let (app, school) = one_school(settings.clone()).await;
        let report = sync(&app, &school).await;
        let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
        let is_there =
            async |table: &str| number(&app, &format!("SELECT count(*) FROM {table}")).await > 0;
        assert_eq!(is_there("class").await, classes, "{settings}");
        assert_eq!(is_there("subject").await, subjects, "{settings}");
        if subjects {
            // The teachers of a subject follow from its classes, imported or not.
            assert_eq!(
                held(&app, &school, "subject").await,
                *json!(truth.subjects).as_array().unwrap()
            );
        }
        assert_eq!(report["classes"]["created"] != 0, classes);
        // What is switched off is not requested either.
        let requests = app.simulator.simulator().requests();
        let asked = |list: &str| requests.by_path.contains_key(&format!("schools/{{id}}/{list}"));
        assert_eq!(asked("subjects"), subjects, "{settings}");
        assert_eq!(asked("classes"), classes || subjects, "{settings}");
    }
}

#[tokio::test]
async fn departments_are_cleared_where_the_school_says_so() {
    for clears in [true, false] {
        let (app, school) = one_school(json!({ "clear_departments": clears })).await;
        sync(&app, &school).await;
        for statement in [
            format!("INSERT INTO department (school_id, name) VALUES ('{school}', 'Science')"),
            "INSERT INTO department_staff SELECT d.id, s.id FROM department d, staff s".to_owned(),
        ] {
            execute(&app, &statement).await;
        }
        let report = sync(&app, &school).await;
        let staff = number(&app, "SELECT count(*) FROM staff").await;
        let archived = "SELECT count(*) FROM department_staff WHERE archived_at IS NOT NULL";
        assert_eq!(number(&app, archived).await, if clears { staff } else { 0 });
        assert_eq!(report["updated"], if clears { staff } else { 0 }, "{report}");
        // Once is enough.
        assert_eq!(sync(&app, &school).await["updated"], 0);
    }
}

#[tokio::test]
async fn a_dry_run_tells_of_classes_and_makes_none() {
    let (app, school) = one_school(all()).await;
    let would = crate::press::dry_run(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM class").await, 0);
    let does = sync(&app, &school).await;
    assert_eq!((&would["classes"], &would["subjects"]), (&does["classes"], &does["subjects"]));

    apply(&app, &school, ScenarioName::ClassTeacherChange);
    apply(&app, &school, Scenario { count: Some(2), ..ScenarioName::ClassDeleted.into() });
    let would = crate::press::dry_run(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM class WHERE NOT active").await, 0);
    assert_eq!(would["classes"], sync(&app, &school).await["classes"]);
}
