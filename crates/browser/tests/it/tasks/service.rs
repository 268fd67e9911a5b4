//! Is the queue healthy?

use mis_sync_testing::eventually;
use mis_sync_wonde_sim::SimulatorOptions;

use crate::site::Site;

#[tokio::test]
async fn the_headline_and_the_tabs_tell_the_truth_about_the_service() {
    let Some(mut site) = Site::start().await else { return };
    let page = site.admin().await;
    page.wait_for("h1:says(All is well)").await;
    assert_eq!(page.count("#tabs .call").await, 0);

    site.app.servers.redis.kill().unwrap();
    page.goto("/dashboard").await;
    page.wait_for("h1:says(Redis cannot be reached)").await;
    page.wait_for("#tabs a:says(Overview) .call:says(1)").await;
    site.app.servers.redis.restart().unwrap();

    // Logins are paused: the page that is open says so by itself.
    page.goto("/dashboard").await;
    let other = site.admin().await;
    other.goto("/dashboard/queues").await;
    other.click("tr:says(people who log in) summary:says(Pause)").await;
    other.click("details[open] button:says(Pause)").await;
    other.wait_for("tr:says(people who log in) .badge:says(paused)").await;
    other.close().await;
    page.wait_for("h1:says(Logins are paused)").await;
    page.wait_for("#tabs a:says(Queues) .call:says(1)").await;
    page.take_clicks();
    page.click(".alarm button:says(Resume)").await;
    assert_eq!(page.take_clicks(), 1);
    page.wait_for_path("/dashboard").await;
    page.wait_for("h1:says(All is well)").await;

    // No worker: the open page says so, and how many jobs wait.
    site.app.stop_worker().await;
    page.wait_for("h1:says(No worker is running)").await;
    let school = site.app.connect_school(0).await;
    site.app.press_sync(&school).await;
    page.wait_for(".alarm:says(1 job waits)").await;
    page.wait_for("#tabs a:says(Queues) .call").await;
    assert_eq!(page.take_clicks(), 0, "nothing has to be looked up");
    site.app.start_worker();
    page.wait_until_gone("h1:says(No worker is running)").await;
    page.close().await;
}

#[tokio::test]
async fn logins_are_shown_against_their_budget_with_the_share_of_stale_ones() {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = mis_sync_testing::TestAppOptions { simulator, ..Default::default() };
    let Some(site) = Site::start_with(options).await else { return };
    let school = site.app.connect_school(0).await;
    site.sync(&school).await;
    let staff = format!("/v1/schools/{school}/staff");
    let people: serde_json::Value =
        site.app.get(&staff).send().await.unwrap().json().await.unwrap();
    let person = people["data"][0]["id"].as_str().or(people["staff"][0]["id"].as_str()).unwrap();
    let login = format!("{staff}/{person}/refresh?wait_ms=5000");
    for _ in 0..3 {
        assert!(site.app.post(&login).send().await.unwrap().status().is_success());
    }
    let page = site.admin().await;
    eventually("the logins are counted", async || {
        page.goto("/dashboard?window=15m").await;
        (page.count("p:says(95 % answered within)").await > 0).then_some(())
    })
    .await;
    page.see("budget 0.8 s").await;
    page.see("0 % stale").await;
    page.close().await;
}
