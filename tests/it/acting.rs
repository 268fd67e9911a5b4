//! What an operator does to jobs, matches and people, as commands.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Mis, Scenario, ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::{apply, one_school, sync, sync_job},
    rows::{execute, number, texts},
    shell::{assert_has, command, done, json_of},
};

const NOBODY: &str = "01890000-0000-7000-8000-000000000000";

/// A command that fails with exit code 1; returns what it prints and says.
async fn refused(app: &TestApp, arguments: &[&str]) -> String {
    let (code, printed, said) = command(app, arguments, None).await;
    assert_eq!(code, 1, "{arguments:?}: {printed}{said}");
    format!("{printed}{said}")
}

/// A job that is held because of leavers and new logins.
async fn held(app: &TestApp, school: &SchoolId) -> String {
    sync(app, school).await;
    for (scenario, count) in [(ScenarioName::Leaver, 20), (ScenarioName::EmailChange, 60)] {
        apply(app, school, Scenario { count: Some(count), ..scenario.into() });
    }
    let (code, _, said) = command(app, &["sync", school.as_str(), "--follow"], None).await;
    assert_eq!(code, 1);
    assert_has(&said, &["ended as held", "sign-in emails would change", "jobs approve"]);
    let jobs = json_of(app, &["jobs", "list", "--state", "held"]).await;
    jobs[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_action_says_what_it_needs() {
    let (app, school) = one_school(json!({})).await;
    let (id, _) = sync_job(&app, &school).await;
    for (action, needs) in [
        ("cancel", "an unfinished job"),
        ("retry", "a retrying, failed or cancelled job"),
        ("approve", "a held job"),
        ("reject", "a held job"),
    ] {
        let said = refused(&app, &["jobs", action, &id]).await;
        assert_has(&said, &[&format!("The job is succeeded; this needs {needs}.")]);
    }
    for action in ["cancel", "retry", "approve", "reject", "undo"] {
        let said = refused(&app, &["jobs", action, NOBODY]).await;
        assert_has(&said, &["there is no job", "jobs list"]);
        let (code, _, _) = command(&app, &["jobs", action, "x"], None).await;
        assert_eq!(code, 2);
    }
    let acted = "SELECT count(*) FROM audit_log WHERE job_id IS NOT NULL";
    assert_eq!(number(&app, acted).await, 0);
}

#[tokio::test]
async fn a_job_is_called_off_and_done_again() {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { worker: false, simulator, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    let first = app.press_sync(&school).await;
    let text = done(&app, &["jobs", "cancel", &first, "--reason", "too early"]).await;
    assert_has(&text, &[&format!("job {first} is cancelled")]);
    let shown = done(&app, &["jobs", "show", &first]).await;
    assert_has(&shown, &["By command line: too early"]);

    let again = json_of(&app, &["jobs", "retry", &first]).await;
    assert_eq!(again["state"], "queued");
    assert_eq!(again["links"]["retry_of"], format!("/v1/jobs/{first}"));
    let second = again["id"].as_str().unwrap();
    let cancelled = json_of(&app, &["jobs", "cancel", second]).await;
    assert_eq!((&cancelled["id"], &cancelled["state"]), (&again["id"], &json!("cancelled")));
    assert_has(&done(&app, &["jobs", "retry", second]).await, &["is queued"]);
    let lines = json_of(&app, &["audit", "list", "--job", &first]).await;
    let said = |at: usize| (lines[at]["action"].clone(), lines[at]["reason"].clone());
    assert_eq!(said(0), (json!("retry"), Value::Null));
    assert_eq!(said(1), (json!("cancel"), json!("too early")));
}

#[tokio::test]
async fn a_held_job_is_approved_in_part() {
    let (app, school) = one_school(json!({})).await;
    let id = held(&app, &school).await;
    let approve = ["jobs", "approve", &id, "--only"];
    let said = refused(&app, &[&approve[..], &["deactivated,new_ids"]].concat()).await;
    assert_has(&said, &["The job is not held for new_ids", "jobs show"]);
    let (code, _, said) = command(&app, &[&approve[..], &["logins"]].concat(), None).await;
    assert_eq!(code, 2);
    assert_has(&said, &["`logins` is not a valid category of the guard"]);

    let before = texts(&app, "SELECT email FROM staff ORDER BY id").await;
    let text = done(&app, &[&approve[..], &["deactivated"]].concat()).await;
    let parts = ["to be applied:\n  deactivated ", "left unchanged in iP:\n  emails_changed"];
    assert_has(&text, &parts);
    let job = app.wait_until_finished(&id).await;
    assert_eq!(job["state"], "succeeded", "{job}");
    assert_eq!(texts(&app, "SELECT email FROM staff ORDER BY id").await, before);
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 20);
    let shown = json_of(&app, &["jobs", "show", &id]).await;
    assert_eq!(shown["approval"]["approved"][0]["category"], "deactivated");
    assert_eq!(shown["approval"]["left_out"][0]["category"], "emails_changed");
    assert_has(&done(&app, &["jobs", "issues", &id]).await, &["emails_not_approved"]);
}

#[tokio::test]
async fn a_held_job_is_rejected_or_approved_as_a_whole() {
    let (app, school) = one_school(json!({})).await;
    let first = held(&app, &school).await;
    let rejected = json_of(&app, &["jobs", "reject", &first, "--reason", "not yet"]).await;
    assert_eq!(
        (&rejected["state"], &rejected["error"]["type"]),
        (&json!("cancelled"), &json!("rejected"))
    );
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);

    let second = app.press_sync(&school).await;
    app.wait_for_job(&second, "the job is held", |job| job["state"] == "held").await;
    let approved = json_of(&app, &["jobs", "approve", &second]).await;
    assert_eq!(approved["approval"]["approved"], approved["report"]["guard"]);
    assert_eq!(approved["approval"]["left_out"], json!([]));
    let job = app.wait_until_finished(&second).await;
    assert_eq!((&job["state"], &job["report"]["deactivated"]), (&json!("succeeded"), &json!(20)));
}

#[tokio::test]
async fn what_a_job_changed_is_taken_back_unless_it_changed_since() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let renamed = apply(&app, &school, ScenarioName::Rename).remove(0);
    let surname = format!("SELECT surname FROM staff WHERE wonde_id = '{renamed}'");
    let before = texts(&app, &surname).await;
    let (id, _) = sync_job(&app, &school).await;
    assert_ne!(texts(&app, &surname).await, before);
    let by_hand = format!("UPDATE staff SET surname = 'Hand' WHERE wonde_id = '{renamed}'");
    let after = texts(&app, &surname).await.remove(0);
    execute(&app, &by_hand).await;
    let said = refused(&app, &["jobs", "undo", &id]).await;
    assert_has(
        &said,
        &[
            "surname: changed by hand",
            "1 of the job's fields cannot be restored, so nothing was reversed.",
        ],
    );

    let back = format!("UPDATE staff SET surname = '{after}' WHERE wonde_id = '{renamed}'");
    execute(&app, &back).await;
    let undo = json_of(&app, &["jobs", "undo", &id]).await;
    assert_eq!(undo["links"]["undo_of"], format!("/v1/jobs/{id}"));
    assert_eq!(texts(&app, &surname).await, before);
    assert_has(&refused(&app, &["jobs", "undo", &id]).await, &["has already been undone"]);
    let again = done(&app, &["jobs", "undo", undo["id"].as_str().unwrap()]).await;
    assert_has(&again, &["is succeeded"]);
    assert_eq!(texts(&app, &surname).await, [after]);
}

#[tokio::test]
async fn a_person_says_whom_a_new_record_means() {
    let (app, school) = one_school(json!({"guard": {"enabled": false}})).await;
    sync(&app, &school).await;
    let list = ["schools", "matches", school.as_str()];
    assert_has(&done(&app, &list).await, &["No record waits for a decision"]);
    let moved = Scenario { count: Some(3), ..ScenarioName::EmailChange.into() };
    apply(&app, &school, moved);
    apply(&app, &school, Scenario { mis: Some(Mis::Arbor), ..ScenarioName::MisMigration.into() });
    sync(&app, &school).await;
    let found = json_of(&app, &list).await;
    assert!(found.as_array().unwrap().len() >= 3, "{found}");
    let (wonde_id, staff_id) =
        (found[0]["wonde_id"].as_str().unwrap(), found[0]["staff_id"].as_str().unwrap());
    let text = done(&app, &list).await;
    assert_has(&text, &["IN THE MIS", wonde_id, staff_id]);

    let decide = ["schools", "match", school.as_str(), wonde_id];
    let said = refused(&app, &[&decide[..], &["--staff-id", NOBODY]].concat()).await;
    assert_has(&said, &["no such possible match", "schools matches"]);
    let text = done(&app, &[&decide[..], &["--staff-id", staff_id]].concat()).await;
    assert_has(&text, &["The next full sync will apply it"]);
    let line = &json_of(&app, &["audit", "list", "--action", "match"]).await[0];
    assert_eq!((&line["staff_id"], &line["subject"]), (&json!(staff_id), &json!(wonde_id)));
    sync(&app, &school).await;
    let linked = format!("SELECT id::text FROM staff WHERE wonde_id = '{wonde_id}'");
    assert_eq!(texts(&app, &linked).await, [staff_id]);
    for unknown in [["schools", "matches", "elm"].as_slice(), &["schools", "match", "elm", "A1"]] {
        assert_has(&refused(&app, unknown).await, &["no school elm"]);
    }
}

#[tokio::test]
async fn one_person_is_brought_up_to_date() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let renamed = apply(&app, &school, ScenarioName::Rename).remove(0);
    let id = format!("SELECT id::text FROM staff WHERE wonde_id = '{renamed}'");
    let id = texts(&app, &id).await.remove(0);
    let refresh = ["refresh", school.as_str(), &id];
    assert_has(&done(&app, &refresh).await, &["The person was brought up to date."]);
    assert_has(&done(&app, &refresh).await, &["Nothing about the person changed in iP."]);
    let job = json_of(&app, &refresh).await;
    assert_eq!(
        (&job["kind"], &job["report"]["outcome"]),
        (&json!("refresh-user"), &json!("unchanged"))
    );

    assert_has(&refused(&app, &["refresh", "elm", &id]).await, &["no school elm"]);
    assert_has(
        &refused(&app, &["refresh", school.as_str(), NOBODY]).await,
        &["no person with the id"],
    );
    execute(&app, &format!("UPDATE staff SET wonde_id = NULL WHERE id = '{id}'")).await;
    assert_has(&refused(&app, &refresh).await, &["not linked to a record in Wonde", "explain"]);
    apply(&app, &school, ScenarioName::RotateToken);
    let other = texts(&app, "SELECT id::text FROM staff WHERE wonde_id IS NOT NULL LIMIT 1").await;
    let said = refused(&app, &["refresh", school.as_str(), &other[0]]).await;
    assert_has(&said, &["ended as failed"]);
    let (code, _, _) = command(&app, &["refresh", school.as_str()], None).await;
    assert_eq!(code, 2);
}
