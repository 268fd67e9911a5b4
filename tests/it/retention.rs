//! The leader removes what is old by the clock of the service.

use chrono::TimeDelta;
use mis_sync_domain::ManualClock;
use mis_sync_store::retention::Retention;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;

use crate::{
    press::sync_job,
    process::MIS_SYNC,
    rows::{execute, number, texts},
};

#[tokio::test]
async fn old_syncs_are_removed_and_the_last_one_stays() {
    let options = TestAppOptions {
        simulator: SimulatorOptions { schools: 1, ..SimulatorOptions::default() },
        // Jobs that end now ended long ago by this clock.
        clock: ManualClock::at("2037-01-10T12:00:00Z".parse().unwrap()).into(),
        retention: Retention { syncs: Some(TimeDelta::days(400)), ..Retention::default() },
        ..TestAppOptions::default()
    };
    let app = TestApp::start_with(options).await;
    let school = app.connect_school(0).await;
    sync_job(&app, &school).await;
    let (last, _) = sync_job(&app, &school).await;
    let left = "SELECT id::text FROM job";
    let one_left = async || Some(texts(&app, left).await).filter(|jobs| jobs.len() == 1);
    assert_eq!(eventually("the first sync is removed", one_left).await, [last]);
}

/// A morning of a large installation ends more logins than one sweep removes.
#[tokio::test]
async fn a_sweep_goes_on_until_nothing_old_is_left() {
    let options = TestAppOptions { worker: false, ..TestAppOptions::default() };
    let app = TestApp::start_with(options).await;
    app.connect_school(0).await;
    let many = "INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, state,
            max_attempts, deadline_at, created_at, finished_at)
        SELECT gen_random_uuid(), 'refresh-user', 'interactive', school.id, n::text, 'iP', 'succeeded',
            1, '2020-01-01', '2020-01-01', '2020-01-01'
        FROM school, generate_series(1, 1200) n";
    execute(&app, many).await;
    let once_an_hour = [("MIS_SYNC__RETENTION__EVERY_SECONDS", "3600")];
    let _worker = MIS_SYNC.start(&app, &["worker"], &once_an_hour);
    eventually("all are removed", async || {
        (number(&app, "SELECT count(*) FROM job").await == 0).then_some(())
    })
    .await;
}
