//! The commands of an operator: schools, syncs, jobs and explanations, as a shell sees them.

use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{ScenarioName, SimulatorOptions};
use serde_json::{Value, json};

use crate::{
    press::{apply, one_school, sync},
    rows::{number, texts},
    shell::{assert_has, command, done, json_of},
};

async fn without_worker() -> TestApp {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { worker: false, simulator, ..TestAppOptions::default() };
    TestApp::start_with(options).await
}

#[tokio::test]
async fn a_school_is_connected_shown_changed_and_disconnected() {
    let app = without_worker().await;
    assert_has(&done(&app, &["schools", "list"]).await, &["No schools yet", "schools connect"]);
    let connect =
        ["schools", "connect", "oak", "--name", "Oakfield High", "--wonde-school-id", "A193"];
    let (code, _, said) = command(&app, &connect, Some("")).await;
    assert_eq!(code, 2, "{said}");
    assert_has(&said, &["no token yet", "--token-file"]);
    let (code, printed, said) = command(&app, &connect, Some("s3cret-t0ken\n")).await;
    assert_eq!(code, 0, "{said}");
    assert_has(&printed, &["Oakfield High is connected", "mis-sync sync oak"]);

    let listed = done(&app, &["schools", "list"]).await;
    assert_has(&listed, &["oak", "held", "never", "Oakfield High"]);
    let shown = done(&app, &["schools", "show", "oak"]).await;
    assert_has(&shown, &["A193", "the configured address", "teachers_only=false"]);
    let mut over_http: Value =
        app.get("/v1/schools/oak").send().await.unwrap().json().await.unwrap();
    // The commands of a test know nothing about a scheduler.
    over_http["next_sync_at"] = Value::Null;
    assert_eq!(json_of(&app, &["schools", "show", "oak"]).await, over_http);
    assert_eq!(json_of(&app, &["schools", "list"]).await, json!([over_http]));
    assert!(!format!("{listed}{shown}{over_http}").contains("t0ken"));

    let changed = ["schools", "settings", "oak", "teachers_only=true", "leaver_policy=keep"];
    assert_has(&done(&app, &changed).await, &["teachers_only=true", "leaver_policy=keep"]);
    let settings = json_of(&app, &["schools", "settings", "oak", "import_subjects=true"]).await;
    assert_eq!(settings["teachers_only"], true, "other settings stay");
    assert_eq!(settings["import_subjects"], true);
    for (change, parts) in [
        ("teachers_only", ["wanted name=value", "teachers_only"]),
        ("teachers_only=maybe", ["`settings.teachers_only`", "true or false"]),
        ("nonsense=1", ["`settings.nonsense`", "is not known"]),
    ] {
        let (code, _, said) = command(&app, &["schools", "settings", "oak", change], None).await;
        assert_eq!(code, 2, "{said}");
        assert_has(&said, &parts);
    }

    let with = async |option: &[&str]| {
        let (code, _, said) = command(&app, &[&connect[..], option].concat(), Some("")).await;
        assert_eq!(code, 0, "{said}");
        json_of(&app, &["schools", "show", "oak"]).await["mis"].clone()
    };
    assert_eq!(with(&["--mis", "Arbor"]).await, "Arbor");
    assert_eq!(with(&[]).await, "Arbor");
    assert_eq!(with(&["--forget-mis"]).await, Value::Null);

    assert_has(&done(&app, &["schools", "disconnect", "oak"]).await, &["destroyed"]);
    assert_has(&done(&app, &["schools", "list"]).await, &["missing"]);
    let (code, _, said) = command(&app, &["sync", "oak"], None).await;
    assert_eq!(code, 1);
    assert_has(&said, &["no Wonde token", "mis-sync schools connect"]);
    for unknown in
        [&["schools", "show", "elm"][..], &["schools", "disconnect", "elm"], &["sync", "elm"]]
    {
        let (code, _, said) = command(&app, unknown, None).await;
        assert_eq!(code, 1, "{unknown:?}");
        assert_has(&said, &["no school elm", "schools list"]);
    }
}

#[tokio::test]
async fn a_token_comes_from_a_file_and_is_no_argument() {
    let app = without_worker().await;
    let school = app.simulated_school(0);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &school.token).unwrap();
    let path = file.path().to_str().unwrap();
    let connect = ["schools", "connect", "oak", "--name", "N", "--wonde-school-id", &school.id];
    let with_file = [&connect[..], &["--token-file", path]].concat();
    done(&app, &with_file).await;
    let (code, _, said) =
        command(&app, &[&connect[..], &["--token-file", "/nowhere"]].concat(), None).await;
    assert_eq!(code, 2);
    assert_has(&said, &["--token-file /nowhere"]);
    let (code, _, _) = command(&app, &[&connect[..], &["--token", "t"]].concat(), None).await;
    assert_eq!(code, 2);
    // The rules of the API apply here as well.
    for (address, token, part) in [
        ("https://thief.example", "t", "`wonde_base_url` names a host that is not allowed"),
        ("https://169.254.169.254", "t", "`wonde_base_url` names a host that is not allowed"),
        ("https://eu.wonde.com/v1.0", "", "is for another Wonde address"),
    ] {
        let elsewhere = [&connect[..], &["--wonde-base-url", address]].concat();
        let (code, _, said) = command(&app, &elsewhere, Some(token)).await;
        assert_eq!(code, 2, "{address}: {said}");
        assert_has(&said, &[part]);
    }
    let twice = ["schools", "connect", "elm", "--name", "N", "--wonde-school-id", &school.id];
    let (code, _, said) = command(&app, &twice, Some("t")).await;
    assert_eq!(code, 2);
    assert_has(&said, &["another connected school has the Wonde id"]);
}

#[tokio::test]
async fn a_sync_is_followed_to_its_end_and_told_in_words() {
    let (app, school) = one_school(json!({})).await;
    let id = school.as_str();
    let text = done(&app, &["sync", id, "--dry-run", "--follow"]).await;
    assert_has(&text, &["nothing was changed", "people would be new in iP", "staff records read"]);
    assert_eq!(number(&app, "SELECT count(*) FROM staff").await, 0);
    let text = done(&app, &["sync", id, "--follow"]).await;
    let name = app.simulated_school(0).name;
    assert_has(
        &text,
        &[
            "succeeded",
            &format!("{name} has in iP what its MIS says"),
            "people are new in iP",
            "classes are new in iP",
            "This person has no work email in the MIS",
        ],
    );
    let job = json_of(&app, &["sync", id, "--delta", "--follow"]).await;
    assert_eq!((&job["state"], &job["report"]["mode"]), (&json!("succeeded"), &json!("delta")));
    let photos = json_of(&app, &["sync", id, "--photos", "--follow"]).await;
    assert!(photos["report"]["photos"]["updated"].as_u64() > Some(0));

    apply(&app, &school, ScenarioName::RotateToken);
    let (code, _, said) = command(&app, &["sync", id, "--follow"], None).await;
    assert_eq!(code, 1, "a sync that fails is a failure");
    assert_has(&said, &["ended as failed", "token"]);
    // Another press is accepted, and tries the token first.
    let (code, _, said) = command(&app, &["sync", id, "--follow"], None).await;
    assert_eq!(code, 1);
    assert_has(&said, &["ended as failed", "token"]);
}

#[tokio::test]
async fn a_press_that_is_not_followed_gives_the_job() {
    let app = without_worker().await;
    let school = app.connect_school(0).await;
    let first = done(&app, &["sync", school.as_str()]).await;
    assert_has(&first, &["queued", "mis-sync jobs show"]);
    let again = json_of(&app, &["sync", school.as_str()]).await;
    assert!(first.starts_with(again["id"].as_str().unwrap()), "a second press finds the first");
    assert_eq!(again["requested_by"], "command line");
}

#[tokio::test]
async fn jobs_are_listed_shown_and_taken_apart() {
    let (app, school) = one_school(json!({})).await;
    assert_has(&done(&app, &["jobs", "list"]).await, &["No jobs"]);
    sync(&app, &school).await;
    let renamed = apply(&app, &school, ScenarioName::Rename).remove(0);
    sync(&app, &school).await;

    let listed = json_of(&app, &["jobs", "list", "--school", school.as_str()]).await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(json_of(&app, &["jobs", "show", id]).await, app.job(id).await);
    assert_has(&done(&app, &["jobs", "list"]).await, &[id, "sync-school", "succeeded", "test"]);
    let one = json_of(&app, &["jobs", "list", "--limit", "1"]).await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(json_of(&app, &["jobs", "list", "--state", "failed"]).await, json!([]));
    let shown = done(&app, &["jobs", "show", id]).await;
    assert_has(&shown, &["attempts   1 of 5", "people changed"]);

    let surname = format!("SELECT surname FROM staff WHERE wonde_id = '{renamed}'");
    let surname = texts(&app, &surname).await.remove(0);
    let changes = done(&app, &["jobs", "changes", id]).await;
    assert_has(&changes, &["BEFORE", &renamed, "surname", &surname]);
    let changes = json_of(&app, &["jobs", "changes", id]).await;
    assert_eq!((changes.as_array().unwrap().len(), &changes[0]["new"]), (1, &json!(surname)));
    let issues = done(&app, &["jobs", "issues", id]).await;
    assert_has(&issues, &["no_work_email", "This person has no work email in the MIS"]);
    assert!(json_of(&app, &["jobs", "issues", id]).await.as_array().unwrap().len() > 1);

    let nobody = "01890000-0000-7000-8000-000000000000";
    for command_of in ["show", "changes", "issues"] {
        let (code, _, said) = command(&app, &["jobs", command_of, nobody], None).await;
        assert_eq!(code, 1);
        assert_has(&said, &["no job", "jobs list"]);
        let (code, _, _) = command(&app, &["jobs", command_of, "x"], None).await;
        assert_eq!(code, 2);
    }
    let (code, _, said) = command(&app, &["jobs", "list", "--state", "done"], None).await;
    assert_eq!(code, 2);
    assert_has(&said, &["`done` is not a valid job state"]);
}

#[tokio::test]
async fn a_person_is_explained_in_words_and_as_json() {
    let (app, school) = one_school(json!({})).await;
    let explain =
        async |rest: &[&str]| done(&app, &[&["explain", school.as_str()], rest].concat()).await;
    assert_has(
        &explain(&["--wonde-id", "A1"]).await,
        &["there is nothing to explain", "mis-sync sync"],
    );
    sync(&app, &school).await;
    let person = app.simulator.simulator().truth(school.as_str()).unwrap().staff.remove(0);
    let text = explain(&["--email", &person.email]).await;
    assert_has(
        &text,
        &[
            "This person is in iP",
            "current     The person is current staff.",
            &person.surname,
            &format!("Teaching staff  {}", if person.non_teaching { "no" } else { "yes" }),
            "Work email",
            "The same as in the MIS.",
            &format!("Wonde id {}", person.wonde_id),
            "Worked out from a sync of",
        ],
    );
    let left_out = app.simulator.simulator().truth(school.as_str()).unwrap().not_imported;
    let text = explain(&["--wonde-id", &left_out[0].wonde_id]).await;
    assert_has(&text, &["so they are not imported.", "NO", "id in iP none"]);

    for key in ["wonde_id", "email"] {
        let value = if key == "email" { &person.email } else { &person.wonde_id };
        let flag = format!("--{}", key.replace('_', "-"));
        let path = format!("/v1/schools/{school}/explain?{key}={value}");
        let over_http: Value = app.get(&path).send().await.unwrap().json().await.unwrap();
        let here = json_of(&app, &["explain", school.as_str(), &flag, value]).await;
        assert_eq!(here, over_http);
    }
    let job = texts(&app, "SELECT id::text FROM job WHERE kind = 'sync-school'").await.remove(0);
    let undo = json_of(&app, &["jobs", "undo", &job]).await;
    let text = explain(&["--email", &person.email]).await;
    let id = undo["id"].as_str().unwrap();
    assert_has(&text, &["A sync was undone by", &format!("mis-sync jobs show {id}")]);
    refuses_what_names_nobody(&app, &school).await;
}

async fn refuses_what_names_nobody(app: &TestApp, school: &SchoolId) {
    let id = school.as_str();
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (rest, wanted, part) in [
        (&[][..], 2, "--email"),
        (&["--email", "a@b.example", "--wonde-id", "A1"], 2, "cannot be used with"),
        (&["--email", ""], 2, "--email"),
        (&["--staff-id", "A1"], 2, "--staff-id"),
        (&["--staff-id", nobody], 1, "iP's own key"),
    ] {
        let (code, _, said) = command(app, &[&["explain", id], rest].concat(), None).await;
        assert_eq!(code, wanted, "{rest:?}: {said}");
        assert_has(&said, &[part]);
    }
    let (code, _, _) = command(app, &["explain", "elm", "--wonde-id", "A1"], None).await;
    assert_eq!(code, 1);
}

#[tokio::test]
async fn a_live_explanation_looks_first_and_changes_nobody() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let leaver = apply(&app, &school, ScenarioName::Leaver).remove(0);
    let ask = ["explain", school.as_str(), "--wonde-id", &leaver];
    let before = json_of(&app, &ask).await;
    assert_ne!(before["verdict"], "ended", "the last run did not see it");
    let live = json_of(&app, &[&ask[..], &["--live"]].concat()).await;
    assert_eq!(live["verdict"], "ended");
    assert_eq!(live["last_run"]["dry_run"], true);
    let text = done(&app, &[&ask[..], &["--live"]].concat()).await;
    assert_has(&text, &["deactivate them in iP.", "a dry run of"]);
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
}
