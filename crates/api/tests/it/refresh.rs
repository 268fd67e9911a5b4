//! The login path as a caller sees it. There is no worker here: what one does is tested end to end.

use mis_sync_domain::{JobKind, JobState, RefreshOutcome, Report, Role, SchoolId, StaffId};
use mis_sync_testing::eventually;
use serde_json::{Value, json};

use crate::support::{App, Ask};

fn path(school: &SchoolId, person: StaffId) -> String {
    format!("/v1/schools/{school}/staff/{person}/refresh")
}

/// A school and one of its people who is linked to the MIS.
async fn linked() -> (App, SchoolId, StaffId) {
    let app = App::start().await;
    let school = app.school("oak").await;
    let person = app.person(&school).await;
    app.sql(format!("UPDATE staff SET wonde_id = 'A1' WHERE id = '{person}'")).await;
    (app, school, person)
}

async fn login(app: &App, path: &str) -> Value {
    app.admin(Ask::post(path)).await.json()
}

#[tokio::test]
async fn the_wait_has_a_limit_and_is_a_number() {
    let (app, school, person) = linked().await;
    let path = path(&school, person);
    for bad in ["5001", "-1", "1.5", "soon", ""] {
        let answer = app.admin(Ask::post(&format!("{path}?wait_ms={bad}"))).await;
        let problem = answer.problem(400, "invalid-parameter");
        assert_eq!(problem["parameter"], "wait_ms");
        assert_eq!(problem["wanted"], "a whole number from 0 to 5000");
    }
    app.admin(Ask::post(&format!("{path}?wait=1"))).await.problem(400, "invalid-parameter");
    assert!(app.all_jobs().await.is_empty());
    for good in ["", "?wait_ms=0", "?wait_ms=300"] {
        assert_eq!(app.admin(Ask::post(&format!("{path}{good}"))).await.status, 202, "{good}");
    }
}

#[tokio::test]
async fn a_person_is_found_in_their_own_school_only() {
    let (app, oak, person) = linked().await;
    let elm = app.school("elm").await;
    for (path, code) in [
        (format!("/v1/schools/fir/staff/{person}/refresh"), "unknown-school"),
        ("/v1/schools/fir/staff/A1/refresh".to_owned(), "unknown-school"),
        (path(&elm, person), "unknown-staff"),
        (path(&oak, StaffId::new()), "unknown-staff"),
        ("/v1/schools/oak/staff/A1/refresh".to_owned(), "unknown-staff"),
    ] {
        app.admin(Ask::post(&path)).await.problem(404, code);
    }
    let key = app.key(Role::App, Some("elm")).await;
    app.send(Ask::post(&path(&oak, person)).key(&key)).await.problem(404, "unknown-school");
    assert!(app.all_jobs().await.is_empty());
}

#[tokio::test]
async fn a_refresh_that_goes_on_is_accepted_with_what_ip_holds() {
    let (app, school, person) = linked().await;
    app.sql(format!(
        "INSERT INTO staff_refresh (staff_id, refreshed_at)
         VALUES ('{person}', now() - interval '2 hours')"
    ))
    .await;
    let path = path(&school, person);
    let answer = app.admin(Ask::post(&format!("{path}?wait_ms=50"))).await;
    assert_eq!(answer.status, 202);
    let body = answer.json();
    assert_eq!((&body["outcome"], &body["reason"]), (&json!("stale"), &json!("timed_out")));
    assert!((7200..7260).contains(&body["age_seconds"].as_u64().unwrap()), "{body}");
    let job = app.all_jobs().await.remove(0);
    assert_eq!(answer.header("location"), format!("/v1/jobs/{}", job.id));
    assert_eq!(body["job"]["id"], job.id.to_string());
    assert_eq!((job.kind, job.staff_id), (JobKind::RefreshUser, Some(person)));
    assert_eq!((job.state, job.max_attempts), (JobState::Queued, 2));
    assert_eq!(body["links"]["staff"], format!("/v1/schools/oak/staff/{person}"));

    // A second login finds the first one's job; another person gets a separate one.
    login(&app, &path).await;
    assert_eq!(app.all_jobs().await.len(), 1);
    let other = app.person(&school).await;
    app.sql(format!("UPDATE staff SET wonde_id = 'A2' WHERE id = '{other}'")).await;
    assert!(login(&app, &self::path(&school, other)).await["as_of"].is_null(), "never read");
    assert_eq!(app.all_jobs().await.len(), 2);
}

#[tokio::test]
async fn every_end_of_a_refresh_is_told_to_whoever_waits_even_without_a_wake_up() {
    let (mut app, school, person) = linked().await;
    // No wake-up can come, so waiting requests check for themselves.
    app.servers.redis.kill().unwrap();
    let path = path(&school, person);
    for outcome in RefreshOutcome::ALL.iter().copied() {
        let waiting = {
            let (router, key) = (app.router.clone(), app.admin.clone());
            let ask = Ask::post(&format!("{path}?wait_ms=5000")).key(&key);
            tokio::spawn(async move { crate::support::send(&router, ask).await })
        };
        // Its own job, so that it waits for this one and no other.
        let job = eventually("the refresh is asked for", async || {
            app.all_jobs().await.into_iter().find(|job| job.state == JobState::Queued)
        });
        let lease = app.claim(job.await.id).await;
        let active = outcome != RefreshOutcome::NoLongerCurrent;
        app.sql(format!("UPDATE staff SET active = {active} WHERE id = '{person}'")).await;
        app.succeed(lease, &Report { outcome: Some(outcome), ..Report::default() }).await;
        let answer = waiting.await.unwrap();
        assert_eq!(answer.status, 200);
        let answer = answer.json();
        assert_eq!(answer["outcome"], outcome.as_str());
        assert_eq!(answer["active"], active, "as it is after the refresh");
    }
}

#[tokio::test]
async fn who_is_not_linked_gets_a_hint_and_no_job() {
    let app = App::start().await;
    let school = app.school("oak").await;
    let person = app.person(&school).await;
    let answer = app.admin(Ask::post(&path(&school, person))).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(body["outcome"], "not_linked");
    assert!(body["hint"].as_str().unwrap().contains("made in iP"), "{body}");
    assert!(app.all_jobs().await.is_empty());
}

#[tokio::test]
async fn every_answer_decides_the_login() {
    let (app, school, person) = linked().await;
    let path = path(&school, person);
    let decides = async |outcome: &str, reason: Value| {
        for (active, reset) in [(true, false), (true, true), (false, true)] {
            app.sql(format!(
                "UPDATE staff SET active = {active}, password_reset_required = {reset}
                 WHERE id = '{person}'"
            ))
            .await;
            let answer = login(&app, &path).await;
            assert_eq!(answer["outcome"], outcome, "{answer}");
            assert_eq!(answer.get("reason").cloned().unwrap_or_default(), reason);
            assert_eq!(answer["active"], active, "{answer}");
            assert_eq!(answer["password_reset_required"], reset, "{answer}");
        }
    };
    decides("stale", json!("not_awaited")).await;
    app.sql(format!("INSERT INTO staff_refresh VALUES ('{person}', clock_timestamp())")).await;
    decides("fresh", Value::Null).await;
    app.sql("UPDATE school SET wonde_token = NULL, updated_at = now()".to_owned()).await;
    decides("stale", json!("school_not_connected")).await;
    app.sql(format!("UPDATE staff SET wonde_id = NULL WHERE id = '{person}'")).await;
    decides("not_linked", Value::Null).await;
}
