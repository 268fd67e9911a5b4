//! Syncs and logins share Wonde's rate.

use mis_sync_testing::TestAppOptions;
use mis_sync_wonde_sim::SimulatorOptions;

use super::*;

/// One school of a hundred on pages of five, and ten requests per second.
async fn app() -> (TestApp, SchoolId) {
    let app = TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 100, ..SimulatorOptions::default() },
        rate_per_second: 10,
        page_size: 5,
        ..TestAppOptions::default()
    })
    .await;
    let school = app.connect_school_with(0, json!({ "refresh_freshness_minutes": 0 })).await;
    (app, school)
}

/// The most requests that one second saw.
fn most(app: &TestApp, school: &SchoolId) -> usize {
    app.simulator.simulator().requests().per_token[school.as_str()].max_per_second
}

#[tokio::test]
async fn syncs_leave_a_share_and_logins_use_it_and_both_keep_to_the_limit() {
    let (app, school) = app().await;
    sync(&app, &school).await;
    let alone = most(&app, &school);
    assert!(alone > 7 && alone <= 10, "syncs take what logins leave: {alone}");

    app.simulator.simulator().reset_requests();
    let job = app.press_sync(&school).await;
    eventually("the sync reads", async || (requests(&app) > 2).then_some(())).await;
    let people = everybody(&app).await;
    let answers =
        join_all(people.iter().take(10).map(|person| login(&app, &school, person, PATIENT))).await;
    for (_, answer) in answers {
        assert_eq!(answer["outcome"], "unchanged", "{answer}");
    }
    app.wait_until_finished(&job).await;
    assert!(most(&app, &school) <= 10, "{}", most(&app, &school));
}
