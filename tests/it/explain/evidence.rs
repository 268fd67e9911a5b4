//! Explanations of differences between iP and the MIS, and of the evidence that a run leaves.

use mis_sync_wonde_sim::ScenarioName;
use serde_json::json;

use super::{a_person, assert_verdict, explain, field, of_record};
use crate::{
    press::{apply, dry_run, one_school, sync, sync_with},
    rows::{execute, number, texts},
};

#[tokio::test]
async fn who_is_inactive_in_ip_is_told_whether_a_sync_restores_them() {
    for (restores, end) in
        [(false, "do not restore people."), (true, "will make them active again.")]
    {
        let (app, school) = one_school(json!({ "restore_inactive": restores })).await;
        sync(&app, &school).await;
        let person = a_person(&app, &school).wonde_id;
        execute(&app, &format!("UPDATE staff SET active = false WHERE wonde_id = '{person}'"))
            .await;
        assert_verdict(&of_record(&app, &school, &person).await, "inactive_in_ip", end);
    }
}

#[tokio::test]
async fn a_hand_edit_differs_by_right_or_until_the_next_sync() {
    let (app, school) = one_school(json!({ "job_title_editable": true })).await;
    sync(&app, &school).await;
    let person = a_person(&app, &school).wonde_id;
    let edit = format!("UPDATE staff SET job_title = 'By hand' WHERE wonde_id = '{person}'");
    execute(&app, &edit).await;
    sync(&app, &school).await;
    let explanation = of_record(&app, &school, &person).await;
    assert_verdict(&explanation, "differs", "except for Roles (the school keeps it in iP).");
    let title = field(&explanation, "job_title");
    assert_eq!((&title["ip_value"], &title["outcome"]), (&json!("By hand"), &json!("failed")));
    assert!(title["mis_value"].is_string() && title["owner"] == "ip", "{title}");

    execute(&app, &format!("UPDATE staff SET surname = 'X' WHERE wonde_id = '{person}'")).await;
    let explanation = of_record(&app, &school, &person).await;
    assert!(
        explanation["sentence"]
            .as_str()
            .unwrap()
            .contains("Surname (the next sync will correct it)")
    );
}

#[tokio::test]
async fn a_dry_run_leaves_evidence_and_changes_nobody() {
    let (app, school) = one_school(json!({})).await;
    dry_run(&app, &school).await;
    let person = a_person(&app, &school);
    let explanation = of_record(&app, &school, &person.wonde_id).await;
    assert_verdict(&explanation, "would_be_created", "that is applied will create them.");
    assert_eq!(explanation["last_run"]["dry_run"], true);
    assert_eq!(number(&app, "SELECT count(*) FROM staff").await, 0);

    let by_hand = format!(
        "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
         VALUES (gen_random_uuid(), '{school}', '{}', '{}', 'Day', 'x')",
        person.email,
        person.first_name.replace('\'', "''")
    );
    execute(&app, &by_hand).await;
    dry_run(&app, &school).await;
    let id = texts(&app, "SELECT id::text FROM staff").await.remove(0);
    let explanation = explain(&app, &school, &format!("staff_id={id}")).await;
    assert_eq!(explanation["verdict"], "would_change", "{explanation}");
    let sentence = explanation["sentence"].as_str().unwrap();
    assert!(sentence.contains("link them to Wonde and change Surname"), "{sentence}");
    assert_eq!(field(&explanation, "surname")["mis_value"], person.surname);

    sync(&app, &school).await;
    let renamed = apply(&app, &school, ScenarioName::Rename).remove(0);
    dry_run(&app, &school).await;
    let explanation = of_record(&app, &school, &renamed).await;
    assert_verdict(
        &explanation,
        "would_change",
        "the next sync that is applied will change Surname.",
    );
    let surname = field(&explanation, "surname");
    assert_ne!(surname["ip_value"], surname["mis_value"]);
}

#[tokio::test]
async fn the_account_made_by_hand_is_told_that_it_was_found_by_work_email() {
    let (app, school) = one_school(json!({})).await;
    let person = a_person(&app, &school);
    let by_hand = format!(
        "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
         VALUES (gen_random_uuid(), '{school}', '{}', '{}', 'Day', 'x')",
        person.email,
        person.first_name.replace('\'', "''")
    );
    execute(&app, &by_hand).await;
    for _ in 0..2 {
        sync(&app, &school).await;
        let explanation = of_record(&app, &school, &person.wonde_id).await;
        let matched = explanation["steps"][4]["sentence"].as_str().unwrap().to_owned();
        assert!(matched.contains("by the work email of an account"), "{matched}");
    }
}

#[tokio::test]
async fn evidence_that_stays_the_same_is_not_written_again() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let rows = "SELECT wonde_id || xmin::text FROM mis_person ORDER BY 1";
    let before = texts(&app, rows).await;
    for options in [json!({}), json!({ "dry_run": true }), json!({ "mode": "delta" })] {
        let (job, _) = sync_with(&app, &school, options).await;
        assert_eq!(texts(&app, rows).await, before);
        let read = texts(&app, "SELECT job_id::text FROM mis_reading").await;
        assert_eq!(read, [job], "that the school was read is noted");
    }
}
