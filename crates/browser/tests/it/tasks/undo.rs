//! A wrong sync is undone, and the school is paused until the MIS is corrected.

use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::Value;

use crate::site::Site;

#[tokio::test]
async fn a_wrong_sync_is_undone_and_the_school_is_paused() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.sync(&school).await;
    let leavers = Scenario { count: Some(2), ..ScenarioName::Leaver.into() };
    site.app.simulator.simulator().apply_scenario(school.as_str(), leavers).unwrap();
    let wrong = site.sync(&school).await;
    let active = async || -> usize {
        let path = format!("/v1/schools/{school}/staff?active=true&limit=200");
        let answer: Value = site.app.get(&path).send().await.unwrap().json().await.unwrap();
        answer["staff"].as_array().unwrap().len()
    };
    let without = active().await;

    let page = site.admin().await;
    page.take_clicks();
    page.click("nav a:says(Jobs)").await;
    page.click(&format!("#job-{wrong} a.open")).await;
    page.click("summary:says(Undo)").await;
    page.see("Undo the full sync of").await;
    page.fill("details[open] [name=reason]", "they did not leave").await;
    page.click("details[open] button:says(Undo)").await;
    assert_eq!(page.take_clicks(), 4, "the jobs, the sync, undo, confirm");
    page.see("An undo is done at once, without a worker.").await;
    page.see("The school is paused until").await;
    assert_eq!(active().await, without + 2);
    for path in [format!("/dashboard/schools/{school}"), format!("/dashboard/jobs/{wrong}")] {
        page.goto(&path).await;
        page.see("The next sync will apply the same again unless the MIS is corrected.").await;
    }
    // A sync waits, and the page says for what.
    let waiting = site.app.press_sync(&school).await;
    page.goto(&format!("/dashboard/jobs/{waiting}")).await;
    page.see("because the school is paused").await;
    page.close().await;
}
