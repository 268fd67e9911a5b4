//! Wonde was away: one incident, and one button for all the syncs that it made fail.

use serde_json::json;

use crate::site::Site;

/// Syncs of three schools that fail for good, because Wonde does not answer.
async fn three_schools_without_wonde(site: &Site) {
    let mut jobs = Vec::new();
    for index in 0..3 {
        let school = site.app.connect_school(index).await;
        site.add_fault(&school, json!({ "path": "/employees", "status": 500, "count": 100_000 }));
        jobs.push(site.app.press_sync(&school).await);
    }
    for job in &jobs {
        assert_eq!(site.app.wait_until_finished(job).await["state"], "failed");
    }
    site.app.simulator.simulator().clear_faults();
}

#[tokio::test]
async fn an_outage_is_one_line_and_its_syncs_are_retried_together() {
    let Some(site) = Site::start().await else { return };
    three_schools_without_wonde(&site).await;
    let page = site.admin().await;
    page.wait_for("h1:says(3 schools need attention)").await;
    page.see("Wonde was unavailable").await;
    page.see("3 schools. 3 syncs failed").await;
    let lines = page.count("section:says(Needs attention) ul.needs > li").await;
    assert_eq!(lines, 1, "one incident, not a line for each school");

    page.take_clicks();
    page.click("summary:says(Retry the 3 syncs)").await;
    page.fill("details[open] [name=reason]", "Wonde is back").await;
    page.click("details[open] button:says(Retry the 3 syncs)").await;
    page.see("3 of 3").await;
    page.wait_until("each has succeeded", "find('tbody .badge:says(succeeded)').length === 3")
        .await;
    assert_eq!(page.take_clicks(), 2);

    // What was retried is no longer among the failed.
    page.goto("/dashboard/jobs?state.failed=on").await;
    page.see("No job matches").await;
    page.goto("/dashboard").await;
    page.see("No schools need attention").await;
    page.see("All its syncs have succeeded or were repeated").await;
    page.close().await;
}
