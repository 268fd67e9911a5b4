//! Wonde, Redis or the workers are away: everyone is let in, in time.

use mis_sync_wonde_sim::{Fault, ScenarioName};

use super::*;

fn fault(app: &TestApp, fault: Value) {
    let fault: Fault = serde_json::from_value(fault).unwrap();
    app.simulator.simulator().add_fault(fault);
}

/// Asserts that a login is stale for this reason, at once and without a request.
async fn assert_stale_at_once(app: &TestApp, school: &SchoolId, person: &str, reason: &str) {
    let before = (requests(app), jobs(app).await);
    let (status, answer) = login(app, school, person, PATIENT).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("stale")), "{answer}");
    assert_eq!(answer["reason"], reason, "{answer}");
    assert!(answer["job"].is_null() && answer["age_seconds"].is_u64(), "{answer}");
    assert!(answer["hint"].as_str().unwrap().ends_with('.'));
    assert_eq!((requests(app), jobs(app).await), before);
}

#[tokio::test]
async fn a_wonde_that_hangs_keeps_nobody_out() {
    let (app, school) = synced_school().await;
    fault(&app, json!({ "hang_ms": 600_000, "count": 1000 }));
    let person = anybody(&app).await;
    let (took, answer) = timed(&app, &school, &person, 300).await;
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("timed_out")));
    assert_eq!(answer["job"]["state"], "running", "it goes on by itself");
    assert!(answer["age_seconds"].is_u64(), "{answer}");
}

#[tokio::test]
async fn a_refresh_that_hangs_is_given_up_and_spares_the_next_logins() {
    let simulator = mis_sync_wonde_sim::SimulatorOptions { schools: 1, ..Default::default() };
    let app = TestApp::start_with(mis_sync_testing::TestAppOptions {
        simulator,
        refresh_timeout: Duration::from_millis(200),
        ..Default::default()
    })
    .await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    sync(&app, &school).await;
    fault(&app, json!({ "path": "employees/", "hang_ms": 600_000, "count": 1000 }));
    let people = everybody(&app).await;
    // Whether another attempt follows depends on how soon the end of this one is seen.
    let (_, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!(answer["reason"], "failed", "{answer}");
    assert_eq!(answer["job"]["error"]["type"], "wonde_unavailable");
    assert_stale_at_once(&app, &school, &people[1], "wonde_unavailable").await;
}

#[tokio::test]
async fn after_a_failure_nobody_asks_until_one_probe_succeeds() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    fault(&app, json!({ "path": "employees/", "status": 500, "count": 1000 }));
    let (_, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("failed")));
    let job = answer["job"]["id"].as_str().unwrap();
    app.wait_until_finished(job).await;
    for person in &people[1..4] {
        assert_stale_at_once(&app, &school, person, "wonde_unavailable").await;
    }

    // Wonde is back, but no login notices before it is time to ask.
    app.simulator.simulator().clear_faults();
    assert_stale_at_once(&app, &school, &people[1], "wonde_unavailable").await;

    // After a failed probe no login asks again.
    fault(&app, json!({ "path": "employees/", "status": 500, "count": 1000 }));
    execute(&app, "UPDATE wonde_outage SET probe_at = now()").await;
    let (_, answer) = login(&app, &school, &people[1], PATIENT).await;
    assert_eq!(answer["reason"], "failed", "{answer}");
    app.wait_until_finished(answer["job"]["id"].as_str().unwrap()).await;
    assert_stale_at_once(&app, &school, &people[2], "wonde_unavailable").await;

    // Of many logins that come when it is time, one asks; it succeeds, and then all others ask
    // again.
    app.simulator.simulator().clear_faults();
    let before = jobs(&app).await;
    let slow = json!({ "path": "employees/", "hang_ms": 500, "count": 1 });
    fault(&app, slow);
    execute(&app, "UPDATE wonde_outage SET probe_at = now()").await;
    let answers =
        join_all(people[4..14].iter().map(|person| login(&app, &school, person, PATIENT))).await;
    let outcomes: Vec<_> =
        answers.iter().filter(|(_, answer)| answer["outcome"] == "unchanged").collect();
    assert_eq!((outcomes.len(), jobs(&app).await - before), (1, 1), "{answers:?}");
    assert_eq!(number(&app, "SELECT count(*) FROM wonde_outage").await, 0);
    assert_eq!(refreshed(&app, &school, &people[2]).await.0, "unchanged");
}

#[tokio::test]
async fn a_probe_keeps_others_from_asking_for_as_long_as_is_configured() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    fault(&app, json!({ "path": "employees/", "status": 500, "count": 2 }));
    login(&app, &school, &people[0], PATIENT).await;
    app.simulator.simulator().clear_faults();
    fault(&app, json!({ "path": "employees/", "hang_ms": 600_000, "count": 1 }));
    execute(&app, "UPDATE wonde_outage SET probe_at = now()").await;
    let later = "SELECT count(*) FROM wonde_outage WHERE probe_at > now() + interval '50 minutes'";
    let taken =
        eventually("one has asked", async || (number(&app, later).await == 1).then_some(()));
    tokio::select! {
        answer = login(&app, &school, &people[1], PATIENT) => panic!("{answer:?}"),
        () = taken => {}
    }
}

#[tokio::test]
async fn a_sync_that_succeeds_ends_the_outage_too() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    fault(&app, json!({ "path": "employees/", "status": 500, "count": 2 }));
    let (_, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!(answer["reason"], "failed", "{answer}");
    app.wait_until_finished(answer["job"]["id"].as_str().unwrap()).await;
    execute(&app, "UPDATE wonde_outage SET probe_at = now() + interval '1 hour'").await;
    sync(&app, &school).await;
    assert_eq!(refreshed(&app, &school, &people[1]).await.0, "unchanged");
}

#[tokio::test]
async fn a_school_that_was_connected_anew_has_a_chance_of_its_own() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    apply(&app, &school, ScenarioName::Revoke);
    let (_, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("failed")));
    assert_eq!(answer["job"]["error"]["type"], "wonde_forbidden", "{answer}");
    assert_stale_at_once(&app, &school, &people[1], "wonde_forbidden").await;
    apply(&app, &school, ScenarioName::RestoreAccess);
    app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    assert_eq!(refreshed(&app, &school, &people[1]).await.0, "unchanged");
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
}

#[tokio::test]
async fn a_token_that_is_refused_stops_the_logins_until_there_is_a_new_one() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    apply(&app, &school, ScenarioName::RotateToken);
    let (status, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("stale")), "{answer}");
    assert_eq!(answer["job"]["error"]["type"], "wonde_unauthorized");
    assert_stale_at_once(&app, &school, &people[0], "token_rejected").await;
    app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    assert_eq!(refreshed(&app, &school, &people[0]).await.0, "unchanged");
}

#[tokio::test]
async fn a_wonde_that_asks_to_wait_is_left_alone_for_so_long() {
    let (app, school) = synced_school().await;
    let people = everybody(&app).await;
    let limited = json!({ "path": "employees/", "status": 429, "retry_after": 7200, "count": 1 });
    fault(&app, limited);
    let (_, answer) = login(&app, &school, &people[0], PATIENT).await;
    assert_eq!((&answer["outcome"], &answer["reason"]), (&json!("stale"), &json!("failed")));
    assert_eq!(answer["job"]["error"]["type"], "wonde_rate_limited", "{answer}");
    assert_stale_at_once(&app, &school, &people[1], "wonde_rate_limited").await;
}

#[tokio::test]
async fn a_school_without_a_token_is_answered_with_what_ip_holds() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    execute(&app, "UPDATE school SET wonde_token = NULL").await;
    assert_stale_at_once(&app, &school, &person, "school_not_connected").await;
}

#[tokio::test]
async fn a_school_that_wonde_does_not_know_proves_nobodys_absence() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    fault(&app, json!({ "status": 404, "count": 1000 }));
    let (_, answer) = login(&app, &school, &person, PATIENT).await;
    assert_eq!(answer["outcome"], "stale", "{answer}");
    assert_eq!(answer["job"]["error"]["type"], "wonde_school_unknown");
    assert_eq!(number(&app, "SELECT count(*) FROM staff WHERE NOT active").await, 0);
}

#[tokio::test]
async fn without_a_worker_a_login_waits_its_time_and_no_longer() {
    let (mut app, school) = synced_school().await;
    app.stop_worker().await;
    let (took, answer) = timed(&app, &school, &anybody(&app).await, 200).await;
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert_eq!(
        (&answer["reason"], &answer["job"]["state"]),
        (&json!("timed_out"), &json!("queued"))
    );
}

#[tokio::test]
async fn without_redis_a_login_is_refreshed_from_the_ledger() {
    let (mut app, school) = synced_school().await;
    let touched = apply(&app, &school, ScenarioName::Rename);
    let person = staff_id(&app, &touched[0]).await;
    app.servers.redis.kill().unwrap();
    let (status, answer) = login(&app, &school, &person, 100).await;
    assert!(status < 300 && answer["outcome"].is_string(), "{answer}");
    // No wake-up arrives, so waiting requests check for themselves.
    let (_, answer) = eventually("a login is answered in time", async || {
        Some(login(&app, &school, &person, PATIENT).await)
            .filter(|(_, answer)| answer["outcome"] != "stale")
    })
    .await;
    assert!(["updated", "unchanged"].contains(&answer["outcome"].as_str().unwrap()), "{answer}");
    assert_equal_to_truth(&app, &school).await;
    app.servers.redis.restart().unwrap();
}

/// More than any wait in these tests, and less than the five seconds after which a request without
/// its own limit would hear that the database is away.
const FAR_TOO_LATE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_frozen_database_keeps_no_login_longer_than_it_said() {
    let (mut app, school) = synced_school().await;
    let person = anybody(&app).await;
    app.servers.postgres.pause().unwrap();
    for wait in [0, 300] {
        let started = Instant::now();
        let (status, answer) = login(&app, &school, &person, wait).await;
        assert!(started.elapsed() < FAR_TOO_LATE, "{wait}: {:?}", started.elapsed());
        assert_eq!((status, &answer["type"]), (503, &json!("/problems/timed-out")), "{answer}");
    }
    app.servers.postgres.resume().unwrap();
    eventually("logins are answered again", async || {
        let (status, _) = login(&app, &school, &person, 300).await;
        (status < 300).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_frozen_redis_keeps_no_login_longer_than_it_said() {
    let (mut app, school) = synced_school().await;
    app.servers.redis.pause().unwrap();
    let (took, answer) = timed(&app, &school, &anybody(&app).await, 300).await;
    assert!(took < FAR_TOO_LATE, "{took:?}");
    assert!(answer["outcome"].is_string(), "{answer}");
    app.servers.redis.resume().unwrap();
}

#[tokio::test]
async fn a_ledger_that_is_locked_gives_stale_with_its_age() {
    let (app, school) = synced_school().await;
    let person = anybody(&app).await;
    let mut lock = app.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE job").execute(&mut *lock).await.unwrap();
    for wait in [0, 300] {
        let (status, answer) = login(&app, &school, &person, wait).await;
        assert_eq!((status, &answer["outcome"]), (200, &json!("stale")), "{answer}");
        assert!(answer["age_seconds"].is_u64(), "{answer}");
    }
    lock.rollback().await.unwrap();
}
