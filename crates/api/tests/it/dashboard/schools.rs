//! A school's page, the list of schools, and how a school is connected.

use mis_sync_domain::Role;
use mis_sync_store::audit::{self, AuditFilter};
use sqlx::Row;

use super::{SignedIn, between, place};
use crate::support::{App, Ask};

const OAK: &str = "/dashboard/schools/oak";

/// The latest lines of the audit log: action and subject.
async fn noted(app: &App, lines: i64) -> Vec<String> {
    let lines = audit::list(&app.pool, &AuditFilter::default(), lines).await.unwrap();
    let text = |line: &audit::AuditLine| {
        format!("{} {}", line.action, line.subject.clone().unwrap_or_default())
    };
    lines.iter().map(text).collect()
}

async fn settings(app: &App) -> serde_json::Value {
    app.admin(Ask::get("/v1/schools/oak")).await.json()["settings"].clone()
}

#[tokio::test]
async fn the_limits_of_the_guard_are_set_and_go_back_to_their_default() {
    let app = App::start().await;
    app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let path = format!("{OAK}/settings");
    let page = who.get(&app, OAK).await.text;
    assert!(page.contains("Hold if more people would no longer be able to log in"), "{page}");
    assert!(page.contains("default: 3 and 15 %"), "{page}");

    let fields = [
        ("guard", "on"),
        ("guard.deactivated.count", "7"),
        ("guard.deactivated.percent", "30"),
        ("guard.new_ids.count", ""),
        ("nightly_from", "02:30"),
        ("blackout_dates", "2026-12-21 to 2027-01-03, 2027-02-15"),
        ("blackout_hours", "08:00 to 09:30"),
    ];
    assert_eq!(place(&who.post(&app, &path, &fields).await), OAK);
    let saved = settings(&app).await;
    assert_eq!(saved["guard"]["deactivated"]["count"], 7);
    assert_eq!(saved["guard"]["deactivated"]["percent"], 30);
    assert_eq!(saved["guard"]["new_ids"]["count"], 3, "an empty field takes the default");
    assert_eq!(saved["schedule"]["nightly_from"], "02:30");
    assert_eq!(saved["schedule"]["blackout_dates"][1]["until"], "2027-02-15");
    assert_eq!(saved["schedule"]["blackout_hours"][0]["until"], "09:30");
    assert_eq!(noted(&app, 1).await, ["change_school "]);

    let wrong = [
        ("guard.deactivated.percent", "101"),
        ("guard.deactivated.count", "many"),
        ("nightly_from", "25:00"),
        ("blackout_hours", "late"),
    ];
    let answer = who.post(&app, &path, &wrong).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("It has to be a whole number from 0 to 100."), "{}", answer.text);
    assert!(answer.text.contains("It has to be a time of day like 01:00."), "{}", answer.text);
    assert!(answer.text.contains(r#"value="many""#), "what was typed stays: {}", answer.text);
    assert_eq!(answer.text.matches("class=\"wrong\"").count(), 4, "{}", answer.text);
    assert_eq!(settings(&app).await["guard"]["deactivated"]["count"], 7);

    let back = [("guard", "on"), ("what", "default-limits"), ("guard.deactivated.count", "9")];
    who.post(&app, &path, &back).await;
    assert_eq!(settings(&app).await["guard"]["deactivated"]["count"], 3);
}

#[tokio::test]
async fn settings_that_another_person_changed_come_back_with_the_change() {
    let app = App::start().await;
    app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let page = who.get(&app, OAK).await.text;
    let version = between(&page, "name=\"version\" value=\"", "\"");
    let seen = between(&page, "name=\"seen\" value=\"", "\"").replace("&quot;", "\"");
    let path = format!("{OAK}/settings");
    who.post(&app, &path, &[("teachers_only", "on"), ("freshness", "5")]).await;

    let mine = [
        ("version", version.as_str()),
        ("seen", &seen),
        ("import_subjects", "on"),
        ("freshness", "9"),
    ];
    let answer = who.post(&app, &path, &mine).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("Another person changed this school"), "{}", answer.text);
    assert!(answer.text.contains("Teachers only: <strong>on</strong>"), "{}", answer.text);
    assert!(answer.text.contains("A login is fresh for: <strong>5 min</strong>"));
    assert!(answer.text.contains(r#"name="freshness" value="9""#), "{}", answer.text);
    assert_eq!(settings(&app).await["import_subjects"], false, "nothing was saved");

    let version = between(&answer.text, "name=\"version\" value=\"", "\"");
    let again = [("version", version.as_str()), ("import_subjects", "on"), ("freshness", "9")];
    assert_eq!(place(&who.post(&app, &path, &again).await), OAK);
    assert_eq!(settings(&app).await["import_subjects"], true);
}

#[tokio::test]
async fn the_name_the_ids_and_the_callback_address_are_changed_on_the_page() {
    let app = App::start().await;
    app.school("oak").await;
    app.school("elm").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let path = format!("{OAK}/settings");
    let page = who.get(&app, OAK).await.text;
    let version = between(&page, "name=\"version\" value=\"", "\"");
    let seen = between(&page, "name=\"seen\" value=\"", "\"").replace("&quot;", "\"");
    let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1u";
    let new = [
        ("name", "Oak Park"),
        ("wonde_school_id", "A77"),
        ("mis", "SIMS"),
        ("callback_url", "https://app.ip.example/hooks"),
        ("callback_secret", secret),
    ];
    assert_eq!(place(&who.post(&app, &path, &new).await), OAK);
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    for (field, value) in &new[..4] {
        assert_eq!(school[field], *value);
    }
    assert_eq!(noted(&app, 1).await, ["change_school "]);
    let page = who.get(&app, OAK).await.text;
    assert!(page.contains("Oak Park") && page.contains(new[3].1), "{page}");
    assert!(!page.contains("whsec_MD"), "{page}");

    let old = [("version", version.as_str()), ("seen", &seen), ("name", "Mine")];
    let answer = who.post(&app, &path, &old).await;
    assert_eq!(answer.status, 409);
    for now in
        ["Name: <strong>Oak Park<", "Callback address: <strong>https://app.ip.example/hooks<"]
    {
        assert!(answer.text.contains(now), "{now}: {}", answer.text);
    }
    assert!(answer.text.contains(r#"name="name" value="Mine""#), "{}", answer.text);

    let elm = "/dashboard/schools/elm/settings";
    for (fields, says) in [
        (("name", ""), "It has to be 1 to 200 characters."),
        (("wonde_school_id", "A/1"), "It has to be 1 to 32 letters and digits"),
        (("wonde_school_id", "A77"), "It is connected already, as another school in iP."),
        (("callback_url", "https://evil.example/"), "It "),
        (("callback_url", "https://app.ip.example/"), "It is needed with"),
        (("callback_secret", "whsec_short"), "It has to be one that can sign"),
    ] {
        let answer = who.post(&app, elm, &[fields]).await;
        assert_eq!(answer.status, 422, "{fields:?}");
        assert_eq!(
            answer.text.matches("class=\"wrong\"").count(),
            1,
            "{fields:?}: {}",
            answer.text
        );
        let wrong = between(&answer.text, "class=\"wrong\"", "</span>");
        assert!(wrong.contains(says), "{fields:?}: {wrong}");
        assert!(!answer.text.contains("whsec_short"), "a secret is never shown");
    }

    who.post(&app, &path, &[("mis", ""), ("callback_url", "")]).await;
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert!(school["mis"].is_null() && school["callback_url"].is_null(), "{school}");
    assert_eq!(school["name"], "Oak Park", "what the form lacks stays");

    // A sync may note the MIS while a person fills in the form, which showed none.
    let page = who.get(&app, OAK).await.text;
    let seen = between(&page, "name=\"seen\" value=\"", "\"").replace("&quot;", "\"");
    app.sql("UPDATE school SET mis = 'Arbor' WHERE id = 'oak'".into()).await;
    who.post(&app, &path, &[("seen", &seen), ("mis", ""), ("name", "Oak")]).await;
    let school = app.admin(Ask::get("/v1/schools/oak")).await.json();
    assert_eq!((&school["mis"], &school["name"]), (&"Arbor".into(), &"Oak".into()));
}

#[tokio::test]
async fn possible_matches_are_decided_taken_back_and_decided_all_at_once() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let mut people = Vec::new();
    for record in ["A1", "A2", "A3"] {
        let person = app.person(&oak).await.to_string();
        app.possible_match("oak", record, &person).await;
        people.push(person);
    }
    app.sql(
        "UPDATE match_candidate SET score = 60, reasons = '{work_email,first_name}'
         WHERE wonde_id <> 'A1';
         UPDATE school SET migrating_from = 'Bromcom', migrating_to = 'Arbor',
            migration_noted_at = now()"
            .into(),
    )
    .await;
    let operator = SignedIn::of_role(&app, Role::Operator).await;
    let page = operator.get(&app, OAK).await.text;
    assert!(page.contains("Wonde: Bromcom → Arbor; "), "{page}");
    assert!(page.contains("3 possible matches"), "{page}");

    let path = format!("{OAK}/matches");
    let page = operator.get(&app, &path).await.text;
    assert!(page.contains("ada@new.example") && page.contains("3 records are open"), "{page}");
    assert!(page.contains("ADY, Teacher, SENCO") && page.contains("no job title"), "{page}");
    assert_eq!(noted(&app, 1).await, ["reveal matches"]);
    let viewer = SignedIn::of_role(&app, Role::Viewer).await;
    let masked = viewer.get(&app, &path).await.text;
    assert!(!masked.contains("ada@new.example") && !masked.contains("Same person"), "{masked}");
    assert!(!masked.contains("SENCO"), "{masked}");

    let ask = format!("{path}?page=0");
    assert!(page.contains("All 2 certain ones"), "{page}");
    assert_eq!(place(&operator.post(&app, &ask, &[("decide", "certain")]).await), ask);
    assert_eq!(noted(&app, 2).await, ["match A3", "match A2"]);
    let page = operator.get(&app, &path).await.text;
    assert!(page.contains("1 record is open") && !page.contains("certain ones"), "{page}");

    operator.post(&app, &ask, &[("decide", "open.A2")]).await;
    let ticks: Vec<String> = people
        .iter()
        .zip(["A1", "A2"])
        .map(|(who, record)| format!("tick.{record}.{who}"))
        .collect();
    let fields = [("decide", "new"), (ticks[0].as_str(), "on"), (ticks[1].as_str(), "on")];
    operator.post(&app, &ask, &fields).await;
    let page = operator.get(&app, &path).await.text;
    assert_eq!(page.matches("</span>someone new").count(), 2, "{page}");
    let left = operator.get(&app, OAK).await.text;
    assert!(!left.contains("possible match"), "{left}");

    app.sql("DELETE FROM match_decision; DELETE FROM match_candidate".into()).await;
    let answer = operator.post(&app, &ask, &[("decide", "new.A1")]).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("a sync has changed the list"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_school_is_said_at_the_field() {
    let app = App::start().await;
    app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let new = "/dashboard/connect";
    let wrong = [("token", "not a token"), ("wonde_base_url", "https://evil.example/v1.0")];
    let answer = who.post(&app, new, &wrong).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.text.matches("class=\"wrong\"").count(), 2, "{}", answer.text);
    assert!(!answer.text.contains("not a token"), "a token is never shown: {}", answer.text);

    let draft = place(&who.post(&app, new, &[("token", "the-token")]).await);
    assert!(draft.starts_with(new), "{draft}");
    let page = who.get(&app, &draft).await.text;
    assert!(page.contains("Wonde is being asked"), "no worker has answered: {page}");
    let carried = sqlx::raw_sql("SELECT string_agg(j::text, '') FROM job j");
    let carried: String = carried.fetch_one(&app.pool).await.unwrap().get(0);
    assert!(carried.contains("list-approved-schools") && !carried.contains("the-token"));
    app.sql("UPDATE connection_draft SET problem = 'Wonde lists no schools.'".into()).await;
    assert!(who.get(&app, &draft).await.text.contains("type the school's Wonde id instead"));

    for (id, wonde_id, says) in [
        ("no id", "A1", "It has to be 1 to 64 letters"),
        ("elm", "A/1", "It has to be 1 to 32 letters and digits"),
        ("oak", "A1", "It is the id of a school that exists already."),
    ] {
        let fields = [("school_id", id), ("wonde_school_id", wonde_id), ("name", "Elm")];
        let answer = who.post(&app, &draft, &fields).await;
        assert_eq!(answer.status, 422, "{id} {wonde_id}");
        assert!(answer.text.contains(says), "{says}: {}", answer.text);
    }
    let other = SignedIn::of_role(&app, Role::Admin).await;
    assert!(other.get(&app, &draft).await.text.contains("no longer kept"), "another key's draft");

    let fields = [("school_id", "elm"), ("wonde_school_id", "A7"), ("name", "Elm")];
    assert_eq!(place(&who.post(&app, &draft, &fields).await), "/dashboard/schools/elm");
    let page = who.get(&app, "/dashboard/schools/elm").await.text;
    assert!(page.contains("First dry run") && page.contains("is being tested"), "{page}");
    assert!(who.get(&app, &draft).await.text.contains("no longer kept"), "the token is gone");
    assert_eq!(noted(&app, 1).await, ["connect_school "]);
}

#[tokio::test]
async fn the_last_sync_in_the_list_is_no_dry_run_and_no_undo() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let who = SignedIn::with(&app, &app.admin).await;
    let sync = app.job(&oak).await.id.to_string();
    app.put_in_state(&sync, "failed").await;
    for later in ["options = '{\"dry_run\": true}'", "unique_key = 'undo:1'"] {
        let job = app.job(&oak).await.id.to_string();
        app.put_in_state(&job, "succeeded").await;
        app.sql(format!("UPDATE job SET {later} WHERE id = '{job}'")).await;
    }
    let page = who.get(&app, "/dashboard/schools?show=attention&sort=-last_sync").await.text;
    assert!(page.contains(&format!("/dashboard/jobs/{sync}")), "{page}");
    let page = who.get(&app, OAK).await.text;
    assert!(page.contains("The last sync failed"), "{page}");
    for wrong in ["?sort=size", "?show=all", "?trouble=on"] {
        assert_eq!(who.get(&app, &format!("/dashboard/schools{wrong}")).await.status, 400);
    }
}

#[tokio::test]
async fn a_paused_school_says_so_and_is_resumed_on_its_page() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    app.job(&oak).await;
    let who = SignedIn::of_role(&app, Role::Operator).await;
    let fields = [("school", "oak"), ("reason", "its MIS is moving")];
    who.post(&app, "/dashboard/queues/pause", &fields).await;
    let page = who.get(&app, OAK).await.text;
    assert!(page.contains("This school is paused") && page.contains("its MIS is moving"), "{page}");
    assert!(page.contains("A sync waits because the school is paused."), "{page}");
    assert!(who.get(&app, "/dashboard/schools?show=paused").await.text.contains("1 school<"));
    assert_eq!(place(&who.post(&app, &format!("{OAK}/resume"), &[]).await), OAK);
    let page = who.get(&app, OAK).await.text;
    assert!(page.contains("A sync waits for a worker; none is running."), "{page}");
    assert!(!page.contains("is paused"), "{page}");
}

#[tokio::test]
async fn a_school_and_a_job_say_the_same_about_what_a_sync_waits_for() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id;
    app.sql("UPDATE job SET created_at = now() - interval '1 minute'".into()).await;
    let who = SignedIn::with(&app, &app.admin).await;
    let pause = "INSERT INTO pause (scope, target, actor) VALUES";
    for (change, why) in [
        ("SELECT", "for a worker; none is running"),
        (
            "INSERT INTO worker (name, host, pid, version, lanes, drain_requested_at)
             VALUES ('w', 'h', 1, '1', '{}', now())",
            "for a worker; all are being drained",
        ),
        ("UPDATE worker SET drain_requested_at = NULL", "for a worker"),
        (&format!("{pause} ('school', 'oak', 'Ada')"), "because the school is paused"),
        (&format!("{pause} ('lane', 'bulk', 'Ada')"), "because syncs are paused"),
        (
            "DELETE FROM pause;
             UPDATE job SET state = 'retrying', attempt = 1, next_attempt_at = now()",
            "for the next attempt",
        ),
    ] {
        app.sql("UPDATE worker SET seen_at = now()".into()).await;
        app.sql(change.into()).await;
        let page = who.get(&app, OAK).await.text;
        let says = [format!("A sync waits {why}."), format!("A sync failed and waits {why}<")];
        assert!(says.iter().any(|says| page.contains(says)), "{why}: {page}");
        let page = who.get(&app, &format!("/dashboard/jobs/{job}")).await.text;
        let timeline = between(&page, "<ol class=\"timeline\">", "</ol>");
        let wait = between(&timeline, "Waits", "</p>");
        assert!(wait.ends_with(why), "{why}: {timeline}");
    }
}

#[tokio::test]
async fn a_school_may_have_any_id_that_the_api_allows() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    for id in ["new", "connect"] {
        app.school(id).await;
        let page = who.get(&app, &format!("/dashboard/schools/{id}")).await.text;
        assert!(page.contains("Oakfield School") && page.contains("Sync now"), "{page}");
        let settings = format!("/dashboard/schools/{id}/settings");
        let back = place(&who.post(&app, &settings, &[]).await);
        assert_eq!(back, format!("/dashboard/schools/{id}"));
    }
}
