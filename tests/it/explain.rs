//! Why is this person here, missing or different? A verdict for each case of the MIS and of iP,
//! through the API.

mod evidence;

use std::collections::BTreeMap;

use mis_sync_domain::{Role, SchoolId};
use mis_sync_store::{api_keys, audit::Actor};
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{
    Feature, Reason, Scenario, ScenarioName, SimulatorOptions, StaffTruth, Unsupported,
};
use serde_json::{Value, json};

use crate::{
    press::{apply, dry_run, one_school, sync, sync_job, sync_with},
    rows::{execute, number, texts},
};

/// The explanation for `question`, for example `wonde_id=A1`.
pub(crate) async fn explain(app: &TestApp, school: &SchoolId, question: &str) -> Value {
    let answer = app.get(&format!("/v1/schools/{school}/explain?{question}")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{question}");
    answer.json().await.unwrap()
}

async fn of_record(app: &TestApp, school: &SchoolId, wonde_id: &str) -> Value {
    explain(app, school, &format!("wonde_id={wonde_id}")).await
}

#[track_caller]
fn assert_verdict(explanation: &Value, verdict: &str, end: &str) {
    assert_eq!(explanation["verdict"], verdict, "{explanation}");
    let sentence = explanation["sentence"].as_str().unwrap();
    assert!(sentence.ends_with(end), "`{sentence}` does not end with `{end}`");
}

/// The outcome of each step.
fn steps(explanation: &Value) -> BTreeMap<&str, &str> {
    let steps = explanation["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect()
}

fn field<'a>(explanation: &'a Value, name: &str) -> &'a Value {
    explanation["fields"].as_array().unwrap().iter().find(|field| field["field"] == name).unwrap()
}

/// An imported person whose line manager is imported too.
fn a_person(app: &TestApp, school: &SchoolId) -> StaffTruth {
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    truth.staff.into_iter().find(|person| person.line_manager_wonde_id.is_some()).unwrap()
}

/// One school that a sync has read, in which something then happened and was synced.
async fn after(settings: Value, scenario: ScenarioName) -> (TestApp, SchoolId, String) {
    let (app, school) = one_school(settings).await;
    sync(&app, &school).await;
    let touched = apply(&app, &school, scenario).remove(0);
    sync(&app, &school).await;
    (app, school, touched)
}

#[tokio::test]
async fn whoever_is_as_the_mis_says_is_found_by_each_key() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let person = a_person(&app, &school);
    let id = format!("SELECT id::text FROM staff WHERE wonde_id = '{}'", person.wonde_id);
    let id = texts(&app, &id).await.remove(0);
    for question in [
        format!("wonde_id={}", person.wonde_id),
        format!("staff_id={id}"),
        format!("email={}", person.email.to_uppercase().replace('+', "%2B")),
    ] {
        let explanation = explain(&app, &school, &question).await;
        assert_verdict(&explanation, "as_in_mis", "is in iP and matches the MIS.");
        assert_eq!(explanation["staff_id"], id, "{question}");
        assert_eq!(explanation["wonde_id"], person.wonde_id);
        let steps = steps(&explanation);
        for (step, outcome) in [
            ("fetched", "passed"),
            ("current", "passed"),
            ("in_scope", "not_applicable"),
            ("work_email", "passed"),
            ("matched", "passed"),
            ("fields", "passed"),
        ] {
            assert_eq!(steps[step], outcome, "{step}");
        }
        let surname = field(&explanation, "surname");
        assert_eq!(
            (&surname["ip_value"], &surname["outcome"]),
            (&surname["mis_value"], &json!("passed"))
        );
        for link in ["school", "staff", "job"] {
            let path = explanation["links"][link].as_str().unwrap();
            assert_eq!(app.get(path).send().await.unwrap().status(), 200, "{path}");
        }
    }
}

#[tokio::test]
async fn everybody_whom_the_simulator_counts_out_has_the_reason_it_names() {
    let simulator = SimulatorOptions { schools: 1, staff: 150, ..SimulatorOptions::default() };
    let app = TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let school = app.connect_school(0).await;
    sync(&app, &school).await;
    let truth = app.simulator.simulator().truth(school.as_str()).unwrap();
    let mut seen = BTreeMap::new();
    for person in truth.not_imported {
        let explanation = of_record(&app, &school, &person.wonde_id).await;
        let verdict = explanation["verdict"].as_str().unwrap().to_owned();
        let fits: &[&str] = match person.reason {
            Reason::NotCurrent => &["ended", "not_started", "not_current", "employment_unknown"],
            Reason::NoWorkEmail => &["no_work_email"],
            Reason::InvalidWorkEmail => &["invalid_work_email"],
            Reason::NameMissing => &["name_missing"],
            Reason::SharedWorkEmail => &["shared_work_email"],
        };
        assert!(fits.contains(&verdict.as_str()), "{:?}: {explanation}", person.reason);
        assert!(explanation["sentence"].as_str().unwrap().ends_with("so they are not imported."));
        assert_eq!((&explanation["staff_id"], &explanation["fields"]), (&Value::Null, &json!([])));
        *seen.entry(verdict).or_insert(0) += 1;
    }
    for verdict in [
        "ended",
        "not_started",
        "employment_unknown",
        "no_work_email",
        "invalid_work_email",
        "name_missing",
        "shared_work_email",
    ] {
        assert!(seen.contains_key(verdict), "no one was `{verdict}`: {seen:?}");
    }
    for person in truth.staff {
        let explanation = of_record(&app, &school, &person.wonde_id).await;
        let verdict = explanation["verdict"].as_str().unwrap();
        assert!(["as_in_mis", "differs"].contains(&verdict), "{explanation}");
    }
}

#[tokio::test]
async fn a_leaver_and_a_starter_are_told_the_day() {
    let (app, school, leaver) = after(json!({}), ScenarioName::Leaver).await;
    let ended =
        texts(&app, "SELECT to_char(current_date - 1, 'FMDD FMMonth YYYY')").await.remove(0);
    let explanation = of_record(&app, &school, &leaver).await;
    let end = format!("their employment ended on {ended}, so they cannot log in to iP.");
    assert_verdict(&explanation, "ended", &end);
    assert_eq!(
        (steps(&explanation)["current"], steps(&explanation)["matched"]),
        ("failed", "passed")
    );

    let starter = apply(&app, &school, ScenarioName::FutureStarter).remove(0);
    sync_with(&app, &school, json!({ "mode": "delta" })).await;
    let starts =
        texts(&app, "SELECT to_char(current_date + 30, 'FMDD FMMonth YYYY')").await.remove(0);
    let end = format!("their employment starts on {starts}, so they are not imported.");
    assert_verdict(&of_record(&app, &school, &starter).await, "not_started", &end);
}

#[tokio::test]
async fn a_leaver_of_a_school_that_keeps_leavers_stays_active() {
    let (app, school, leaver) =
        after(json!({ "leaver_policy": "keep" }), ScenarioName::Leaver).await;
    let end = "and the school keeps leavers active in iP.";
    assert_verdict(&of_record(&app, &school, &leaver).await, "ended", end);
}

#[tokio::test]
async fn a_lost_work_email_keeps_the_login_as_it_was() {
    let (app, school, person) = after(json!({}), ScenarioName::EmailLost).await;
    let explanation = of_record(&app, &school, &person).await;
    assert_verdict(&explanation, "no_work_email", "so they keep their present login in iP.");
    assert_eq!(steps(&explanation)["work_email"], "failed");
    // A question by the login finds them too.
    let login = format!("SELECT email FROM staff WHERE wonde_id = '{person}'");
    let login = texts(&app, &login).await.remove(0);
    assert_eq!(explain(&app, &school, &format!("email={login}")).await, explanation);
}

#[tokio::test]
async fn a_shared_work_email_names_the_others() {
    let (app, school, _) = after(json!({}), ScenarioName::SharedEmail).await;
    let second = "SELECT wonde_id FROM mis_person WHERE outcome = 'shared_work_email'
        AND staff_id IS NOT NULL";
    let second = texts(&app, second).await.remove(0);
    let explanation = of_record(&app, &school, &second).await;
    assert_verdict(&explanation, "shared_work_email", "so they are left unchanged in iP.");
    let email = format!("SELECT email_key FROM mis_person WHERE wonde_id = '{second}'");
    let email = texts(&app, &email).await.remove(0);
    let first = explain(&app, &school, &format!("email={email}")).await;
    assert_eq!(first["verdict"], "as_in_mis", "who holds it keeps it: {first}");
    assert_eq!(first["others"], json!([second]));
}

#[tokio::test]
async fn an_email_of_another_school_is_unknown_here_and_in_use_when_wanted() {
    let app = TestApp::start().await;
    // Everyone at elm gets a new login here.
    let no_guard = json!({ "guard": { "enabled": false } });
    let (oak, elm) = (app.connect_school(0).await, app.connect_school_with(1, no_guard).await);
    sync(&app, &oak).await;
    let person = a_person(&app, &oak);
    let by_hand = format!(
        "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
         VALUES (gen_random_uuid(), '{elm}', 'by.hand@elm.example', 'Ada', 'Day', 'x')"
    );
    execute(&app, &by_hand).await;
    sync(&app, &elm).await;

    let unknown = explain(&app, &elm, &format!("email={}", person.email)).await;
    assert_verdict(&unknown, "not_listed", "access settings in Wonde hide them.");
    let nobody = explain(&app, &elm, "email=nobody@nowhere.example").await;
    assert_eq!(unknown, nobody, "the answer is the same as for an unknown address");
    assert_eq!(explain(&app, &oak, "email=by.hand@elm.example").await["verdict"], "not_listed");
    let known = explain(&app, &elm, "email=by.hand@elm.example").await;
    assert_verdict(&known, "only_in_ip", "no record in the MIS is linked to them.");
    let elsewhere = of_record(&app, &elm, &person.wonde_id).await;
    assert_eq!(
        (&elsewhere["verdict"], &elsewhere["staff_id"]),
        (&json!("not_listed"), &Value::Null)
    );

    let wanted = a_person(&app, &elm);
    execute(&app, &format!("UPDATE staff SET email = 'x' || email WHERE school_id = '{elm}'"))
        .await;
    let taken = format!(
        "UPDATE staff SET email = '{}' WHERE school_id = '{oak}' AND wonde_id = '{}'",
        wanted.email, person.wonde_id
    );
    execute(&app, &taken).await;
    let (job, _) = sync_job(&app, &elm).await;
    let explanation = of_record(&app, &elm, &wanted.wonde_id).await;
    assert_verdict(&explanation, "work_email_in_use", "so they are left unchanged in iP.");
    let sentence = explanation["sentence"].as_str().unwrap();
    assert!(sentence.contains("a login at another school of this installation"), "{sentence}");
    assert_eq!(explanation["login_used_at_school"], json!(oak.as_str()));

    // The issue says so too, and names the school to callers who may know of it.
    let actor = Actor::command("test", None);
    let (_, only_elm) = api_keys::create(
        &app.pool,
        &api_keys::NewApiKey {
            school_id: Some(&elm),
            ..api_keys::NewApiKey::new("elm", Role::Admin)
        },
        &actor,
    )
    .await
    .unwrap();
    let path = format!("/v1/jobs/{job}/issues?limit=200");
    let answers =
        [(app.get(&path), json!(oak.as_str())), (app.get_with(&only_elm, &path), Value::Null)];
    for (request, school) in answers {
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        let all = page["issues"].as_array().unwrap();
        let issue = all.iter().find(|issue| issue["code"] == "work_email_in_use").unwrap();
        assert_eq!(issue["login_used_at_school"], school);
        let sentence = issue["sentence"].as_str().unwrap();
        assert!(sentence.ends_with("at another school of this installation."), "{sentence}");
    }
}

#[tokio::test]
async fn a_school_of_teachers_only_says_who_is_out_of_scope() {
    let (app, school) = one_school(json!({ "teachers_only": true })).await;
    sync(&app, &school).await;
    let out = "SELECT wonde_id FROM mis_person WHERE outcome = 'not_teaching' AND NOT teaching";
    let explanation = of_record(&app, &school, &texts(&app, out).await[0]).await;
    assert_verdict(&explanation, "not_teaching", "so they are not imported.");
    assert_eq!(
        (steps(&explanation)["current"], steps(&explanation)["in_scope"]),
        ("passed", "failed")
    );
    let teacher = "SELECT wonde_id FROM mis_person WHERE outcome = 'imported'";
    let explanation = of_record(&app, &school, &texts(&app, teacher).await[0]).await;
    assert_eq!(steps(&explanation)["in_scope"], "passed");
}

#[tokio::test]
async fn a_withheld_scope_is_named() {
    let simulator = SimulatorOptions {
        schools: 1,
        unsupported: Unsupported::Empty,
        ..SimulatorOptions::default()
    };
    let app = TestApp::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await;
    let school = app.connect_school(0).await;
    sync(&app, &school).await;
    let person = a_person(&app, &school);
    let withdraw = |scope| Scenario { scope: Some(scope), ..ScenarioName::WithdrawScope.into() };
    apply(&app, &school, withdraw(Feature::Roles));
    sync(&app, &school).await;
    let explanation = of_record(&app, &school, &person.wonde_id).await;
    assert_verdict(&explanation, "withheld", "so the value in iP is left unchanged.");
    assert_eq!(field(&explanation, "job_title")["outcome"], "unknown");

    apply(&app, &school, withdraw(Feature::EmploymentDetails));
    sync(&app, &school).await;
    let explanation = of_record(&app, &school, &person.wonde_id).await;
    assert_verdict(&explanation, "employment_withheld", "so they are left unchanged in iP.");
    assert_eq!(steps(&explanation)["current"], "unknown");
}

#[tokio::test]
async fn who_was_never_seen_is_told_apart_from_a_school_that_was_never_read() {
    let (app, school) = one_school(json!({})).await;
    let unread = of_record(&app, &school, "A1").await;
    assert_verdict(&unread, "never_synced", "so there is nothing to explain.");
    assert_eq!(unread["last_run"], Value::Null);
    sync(&app, &school).await;
    let never = of_record(&app, &school, "A1").await;
    assert_verdict(&never, "not_listed", "access settings in Wonde hide them.");
    assert_eq!(steps(&never)["fetched"], "failed");
    assert_eq!(never["last_run"]["mode"], "full");
}

#[tokio::test]
async fn who_was_deleted_is_gone_by_a_full_list_and_by_a_delta() {
    for mode in ["full", "delta"] {
        let (app, school) = one_school(json!({})).await;
        sync(&app, &school).await;
        let deleted = apply(&app, &school, ScenarioName::Deleted).remove(0);
        sync_with(&app, &school, json!({ "mode": mode })).await;
        let explanation = of_record(&app, &school, &deleted).await;
        assert_verdict(&explanation, "gone", "so they cannot log in to iP.");
        assert_eq!(explanation["last_run"]["mode"], mode);
        let others = "SELECT count(*) FROM mis_person WHERE outcome = 'gone'";
        assert_eq!(number(&app, others).await, 1);
    }
}

#[tokio::test]
async fn an_empty_list_proves_nobodys_absence() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    apply(&app, &school, ScenarioName::Empty);
    dry_run(&app, &school).await;
    assert_eq!(number(&app, "SELECT count(*) FROM mis_person WHERE outcome = 'gone'").await, 0);
}

#[tokio::test]
async fn who_was_added_again_is_found_under_the_old_id_too() {
    let (app, school) = one_school(json!({})).await;
    sync(&app, &school).await;
    let old = a_person(&app, &school).wonde_id;
    let again = Scenario { staff: vec![old.clone()], ..ScenarioName::ReAdded.into() };
    let new = apply(&app, &school, again).remove(0);
    sync(&app, &school).await;
    let explanation = of_record(&app, &school, &old).await;
    assert_verdict(&explanation, "new_wonde_id", "and no longer lists them under this one.");
    assert!(explanation["sentence"].as_str().unwrap().contains(&new));
    let explanation = of_record(&app, &school, &new).await;
    assert_eq!(explanation["verdict"], "as_in_mis", "{explanation}");
    let matched = &explanation["steps"][4]["sentence"];
    assert!(matched.as_str().unwrap().contains("(UPI)"), "{matched}");
}
