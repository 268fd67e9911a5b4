//! The rules of a sync apply at the login too.

use mis_sync_wonde_sim::{HierarchyDirection, Mis, ScenarioName, SimulatorOptions};

use super::*;

#[tokio::test]
async fn what_the_school_keeps_in_its_own_hands_stays() {
    let table = [
        ("job_title_editable", "job_title", "'By hand'"),
        ("initials_managed_in_ip", "initials", "'ZZ9'"),
        ("line_manager_editable", "line_manager_id", "NULL::uuid"),
    ];
    for (setting, column, value) in table {
        for on in [true, false] {
            let (app, school) = synced_school_with(json!({ setting: on })).await;
            let filled =
                format!("SELECT id::text FROM staff WHERE active AND {column} IS NOT NULL");
            let person = texts(&app, &filled).await.remove(0);
            let edit = format!("UPDATE staff SET {column} = {value} WHERE id = '{person}'");
            execute(&app, &edit).await;
            let (outcome, _) = refreshed(&app, &school, &person).await;
            let kept = format!(
                "SELECT count(*) FROM staff
                 WHERE id = '{person}' AND {column} IS NOT DISTINCT FROM {value}"
            );
            assert_eq!(number(&app, &kept).await == 1, on, "{setting}: {on}");
            assert_eq!(outcome, if on { "unchanged" } else { "updated" }, "{setting}: {on}");
        }
    }
}

#[tokio::test]
async fn what_a_mis_does_not_deliver_survives_the_login() {
    let app = TestApp::start().await;
    for (index, mis) in Mis::ALL.into_iter().enumerate() {
        let settings = json!({ "refresh_freshness_minutes": 0 });
        let school = app.connect_school_with(index, settings).await;
        sync(&app, &school).await;
        let person = texts(
            &app,
            &format!("SELECT id::text FROM staff WHERE active AND school_id = '{school}'"),
        )
        .await
        .remove(0);
        let edit = format!(
            "UPDATE staff SET job_title = 'By hand', line_manager_id = id WHERE id = '{person}'"
        );
        execute(&app, &edit).await;
        refreshed(&app, &school, &person).await;
        let kept = |condition: &str| {
            format!("SELECT count(*) FROM staff WHERE id = '{person}' AND {condition}")
        };
        let titles = number(&app, &kept("job_title = 'By hand'")).await == 1;
        assert_eq!(titles, !mis.supports(mis_sync_wonde_sim::Feature::Roles), "{mis}");
        let managers = number(&app, &kept("line_manager_id = id")).await == 1;
        assert_eq!(managers, !mis.supports(mis_sync_wonde_sim::Feature::LineManager), "{mis}");
    }
}

#[tokio::test]
async fn a_login_that_someone_else_holds_is_an_issue_and_not_taken() {
    let (app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::SharedEmail);
    let person = staff_id(&app, &touched[touched.len() - 1]).await;
    let before = texts(&app, &format!("SELECT email FROM staff WHERE id = '{person}'")).await;
    let (outcome, job) = refreshed(&app, &school, &person).await;
    assert_eq!(outcome, "unchanged");
    let codes: Vec<String> = issues(&app, &job).await.into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["work_email_in_use"]);
    assert_eq!(
        texts(&app, &format!("SELECT email FROM staff WHERE id = '{person}'")).await,
        before
    );
}

#[tokio::test]
async fn a_refresh_creates_nobody_and_clears_no_department() {
    let (app, school) = synced_school_with(json!({ "clear_departments": true })).await;
    let person = anybody(&app).await;
    for statement in [
        format!("INSERT INTO department (school_id, name) VALUES ('{school}', 'Science')"),
        format!("INSERT INTO department_staff SELECT id, '{person}' FROM department"),
    ] {
        execute(&app, &statement).await;
    }
    let staff = number(&app, "SELECT count(*) FROM staff").await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged");
    let archived = "SELECT count(*) FROM department_staff WHERE archived_at IS NOT NULL";
    assert_eq!(number(&app, archived).await, 0, "that is for syncs");
    assert_eq!(number(&app, "SELECT count(*) FROM staff").await, staff);
}

/// Withdraws a scope so that its include is delivered empty.
fn withdraw(app: &TestApp, school: &SchoolId, scope: &str, look: &str) {
    let scenario = json!({ "name": "withdraw_scope", "scope": scope, "look": look });
    let scenario: Scenario = serde_json::from_value(scenario).unwrap();
    apply(app, school, scenario);
}

#[tokio::test]
async fn access_that_was_withdrawn_empties_nothing() {
    for look in ["empty", "null", "forbidden"] {
        let (app, school) = synced_school().await;
        let person = texts(
            &app,
            "SELECT s.id::text FROM staff s WHERE active AND job_title IS NOT NULL
                AND line_manager_id IS NOT NULL
                AND EXISTS (SELECT FROM class_staff l WHERE l.staff_id = s.id)",
        )
        .await
        .remove(0);
        for scope in ["roles", "line_manager", "staff_links"] {
            withdraw(&app, &school, scope, look);
        }
        let kept = format!(
            "SELECT concat_ws(' ', job_title, line_manager_id,
                (SELECT count(*) FROM class_staff l WHERE l.staff_id = s.id))
             FROM staff s WHERE id = '{person}'"
        );
        let before = texts(&app, &kept).await;
        assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged", "{look}");
        assert_eq!(texts(&app, &kept).await, before, "{look}");
    }
}

#[tokio::test]
async fn what_one_person_really_lost_is_gone() {
    let (app, school) = synced_school().await;
    for scenario in [ScenarioName::RolesEmptied, ScenarioName::ManagersLost] {
        let column = match scenario {
            ScenarioName::RolesEmptied => "job_title",
            _ => "line_manager_id",
        };
        let filled = format!("SELECT wonde_id FROM staff WHERE active AND {column} IS NOT NULL");
        let staff = vec![texts(&app, &filled).await.remove(0)];
        let touched = apply(&app, &school, Scenario { staff, ..scenario.into() });
        let person = staff_id(&app, &touched[0]).await;
        assert_eq!(refreshed(&app, &school, &person).await.0, "updated", "{scenario:?}");
        assert_equal_to_truth(&app, &school).await;
    }
}

#[tokio::test]
async fn where_lists_name_reports_managers_wait_for_a_full_sync() {
    let simulator = SimulatorOptions {
        schools: 1,
        hierarchy: HierarchyDirection::Reports,
        ..SimulatorOptions::default()
    };
    let app =
        TestApp::start_with(mis_sync_testing::TestAppOptions { simulator, ..Default::default() })
            .await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    let touched = apply(&app, &school, ScenarioName::ManagerChange);
    let managers = "SELECT concat_ws(' ', id, line_manager_id) FROM staff ORDER BY id";
    let before = texts(&app, managers).await;
    let person = staff_id(&app, &touched[0]).await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged");
    assert_eq!(texts(&app, managers).await, before);
    sync(&app, &school).await;
    assert_equal_to_truth(&app, &school).await;
}

#[tokio::test]
async fn a_school_that_changes_its_mis_is_not_locked_out_login_by_login() {
    let (app, school) = synced_school().await;
    apply(&app, &school, ScenarioName::MisMigration);
    let people = everybody(&app).await;
    for person in &people[..5] {
        let (outcome, job) = refreshed(&app, &school, person).await;
        assert_eq!(outcome, "no_longer_current");
        assert!(issues(&app, &job).await.is_empty());
    }
    for person in &people[5..] {
        let (outcome, job) = refreshed(&app, &school, person).await;
        assert_eq!(outcome, "unchanged", "the account is as active as before");
        let [(code, Some(_))] = &issues(&app, &job).await[..] else { panic!("one issue") };
        assert_eq!(code, "leaver_left_active");
    }
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 5);
    // The answer says so for people who cannot log in, however often it is requested.
    assert_eq!(refreshed(&app, &school, &people[0]).await.0, "no_longer_current");
}

#[tokio::test]
async fn a_leaver_whom_the_policy_keeps_is_no_issue() {
    let (app, school) = synced_school_with(json!({ "leaver_policy": "keep" })).await;
    apply(&app, &school, ScenarioName::MisMigration);
    for person in everybody(&app).await.iter().take(7) {
        let (outcome, job) = refreshed(&app, &school, person).await;
        assert_eq!(outcome, "unchanged");
        assert!(issues(&app, &job).await.is_empty());
    }
}

/// The links of a class in iP: the person, main or not, from the MIS or not.
async fn links(app: &TestApp, class: &str) -> Vec<String> {
    let sql = format!(
        "SELECT concat_ws(' ', s.wonde_id, l.is_main_teacher, l.from_mis)
         FROM class_staff l JOIN class c ON c.id = l.class_id JOIN staff s ON s.id = l.staff_id
         WHERE c.wonde_id = '{class}' ORDER BY l.position"
    );
    texts(app, &sql).await
}

#[tokio::test]
async fn classes_follow_the_person_and_nobody_elses_links_are_touched() {
    let (app, school) = synced_school().await;
    let main_of = |truth: &mis_sync_wonde_sim::Truth, class: &str| {
        let class = truth.classes.iter().find(|known| known.wonde_id == class).unwrap();
        class.staff.clone()
    };
    let truth = || app.simulator.simulator().truth(school.as_str()).unwrap();
    let before = truth();
    let class = apply(&app, &school, ScenarioName::ClassTeacherChange).remove(0);
    let after = truth();
    let (old, new) = (main_of(&before, &class), main_of(&after, &class));
    let joined = new.iter().find(|id| !old.contains(id)).unwrap();
    let left = old.iter().find(|id| !new.contains(id)).unwrap();
    let all = "SELECT concat_ws(' ', class_id, staff_id, position, xmin) FROM class_staff l
        WHERE staff_id NOT IN (SELECT id FROM staff WHERE wonde_id IN ";
    let others = format!("{all} ('{joined}', '{left}')) ORDER BY 1");
    let others_before = texts(&app, &others).await;

    let (outcome, job) = refreshed(&app, &school, &staff_id(&app, joined).await).await;
    assert_eq!(outcome, "updated");
    assert!(links(&app, &class).await.contains(&format!("{joined} t t")));
    assert!(links(&app, &class).await.contains(&format!("{left} t t")), "not this person's link");
    let changes = app.get(&format!("/v1/jobs/{job}/changes")).send().await.unwrap();
    let changes: Value = changes.json().await.unwrap();
    let change = &changes["changes"][0];
    assert_eq!((&change["record"], &change["field"]), (&json!("class"), &json!("staff")));

    let (outcome, _) = refreshed(&app, &school, &staff_id(&app, left).await).await;
    assert_eq!(outcome, "updated");
    let wanted = new.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>();
    let held = links(&app, &class).await;
    let held = held.iter().map(|link| link.split(' ').next().unwrap()).collect();
    assert_eq!(wanted, held);
    assert_eq!(texts(&app, &others).await, others_before, "no one else is changed");
    assert_eq!(refreshed(&app, &school, &staff_id(&app, left).await).await.0, "unchanged");
}

#[tokio::test]
async fn links_made_by_hand_and_classes_that_ip_does_not_have_are_left_alone() {
    let (app, school) = synced_school().await;
    let class = apply(&app, &school, ScenarioName::ClassAdded).remove(0);
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let teacher = truth.classes.iter().find(|known| known.wonde_id == class).unwrap();
    let person = staff_id(&app, &teacher.staff[0]).await;
    execute(
        &app,
        &format!(
            "INSERT INTO class_staff (class_id, staff_id)
             SELECT c.id, '{person}' FROM class c WHERE NOT EXISTS (
                SELECT FROM class_staff l WHERE l.class_id = c.id AND l.staff_id = '{person}')
             LIMIT 1"
        ),
    )
    .await;
    let all =
        "SELECT concat_ws(' ', class_id, staff_id, from_mis, xmin) FROM class_staff ORDER BY 1";
    let before = texts(&app, all).await;
    assert_eq!(refreshed(&app, &school, &person).await.0, "unchanged");
    assert_eq!(texts(&app, all).await, before);
    assert_eq!(
        number(&app, &format!("SELECT count(*) FROM class WHERE wonde_id = '{class}'")).await,
        0
    );
}
