//! The leader removes what is old by the clock of the service.

use chrono::TimeDelta;
use mis_sync_domain::ManualClock;
use mis_sync_store::retention::Retention;
use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;

use crate::{press::sync_job, rows::texts};

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
