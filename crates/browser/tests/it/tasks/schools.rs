//! A school's access, the list of schools, a change of MIS, and a new school.

use mis_sync_testing::eventually;
use mis_sync_wonde_sim::{Mis, Scenario, ScenarioName};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::site::Site;

#[tokio::test]
async fn a_school_whose_token_was_refused_at_night_gets_a_new_one_and_is_synced_in_three_clicks() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let known = site.app.simulated_school(0);
    let token = json!({
        "name": known.name, "wonde_school_id": known.id, "token": "the-token-of-last-year",
    });
    let put = site.app.put(&format!("/v1/schools/{school}")).json(&token).send().await.unwrap();
    assert!(put.status().is_success());
    let failed = site.sync(&school).await;
    assert_eq!(site.app.job(&failed).await["error"]["type"], "wonde_unauthorized");

    let page = site.admin().await;
    page.take_clicks();
    page.click(&format!("ul.needs a[title='{school}']")).await;
    page.see("Wonde refuses this school's token since").await;
    assert_eq!(page.count("#delivers .badge:says(delivered)").await, 0, "nothing is delivered");
    page.wait_for("#delivers .badge:says(unknown)").await;

    page.fill("[name=token]", "also wrong").await;
    page.press("Enter").await;
    page.expect_problem("422").await;
    page.see("printable ASCII characters without spaces").await;
    page.fill("[name=token]", "wrong-once-more").await;
    page.press("Enter").await;
    page.see("Wonde refuses the token.").await;

    page.fill("[name=token]", &known.token).await;
    page.click("button:says(Replace token)").await;
    page.see("Wonde accepts the token.").await;
    page.see(&format!("The school is {} in Wonde.", known.name)).await;
    page.see("Granted: Staff, Work emails").await;
    page.click("button:says(Run the sync again)").await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    assert!(page.text("ol.lineage").await.contains("failed"), "it repeats the failed one");
    assert_eq!(page.take_clicks(), 3);
    page.close().await;
}

#[tokio::test]
async fn schools_that_were_not_synced_for_a_day_are_found_in_two_clicks() {
    let Some(site) = Site::start().await else { return };
    let mut schools = Vec::new();
    for index in 0..3 {
        schools.push(site.app.connect_school(index).await);
    }
    site.sync(&schools[0]).await;
    site.sync(&schools[1]).await;
    let aged = format!(
        "UPDATE school SET last_synced_at = now() - interval '25 hours' WHERE id = '{}'",
        schools[1]
    );
    sqlx::raw_sql(AssertSqlSafe(aged)).execute(&site.app.pool).await.unwrap();

    let page = site.admin().await;
    page.take_clicks();
    page.click("nav.tabs a:says(Schools)").await;
    page.click("nav.groups a:says(Not synced for 24 h 2)").await;
    page.wait_for_path("/dashboard/schools?show=stale").await;
    assert_eq!(page.take_clicks(), 2);
    page.see("2 schools").await;
    let rows = "[...document.querySelectorAll('#schools tbody tr')].map(row => row.id)";
    let found: Vec<String> = page.evaluate(rows).await;
    assert!(!found.contains(&format!("school-{}", schools[0])), "{found:?}");

    page.goto("/dashboard/schools").await;
    page.click("th a:says(Last good)").await;
    page.wait_for("th[aria-sort=ascending]:says(Last good)").await;
    let order: Vec<String> = page.evaluate(rows).await;
    let ids = |order: [usize; 3]| order.map(|at| format!("school-{}", schools[at]));
    assert_eq!(order, ids([1, 0, 2]), "the oldest first, the one without any last");
    page.click("th a:says(Last good)").await;
    page.wait_for("th[aria-sort=descending]:says(Last good)").await;
    assert_eq!(page.evaluate::<Vec<String>>(rows).await, ids([0, 1, 2]));
    page.close().await;
}

#[tokio::test]
async fn a_school_that_changed_its_mis_is_matched_in_four_clicks() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.sync(&school).await;
    let simulator = site.app.simulator.simulator();
    let change = Scenario { mis: Some(Mis::Arbor), ..ScenarioName::MisMigration.into() };
    let webhook = simulator.apply_scenario(school.as_str(), change).unwrap().webhook.unwrap();
    let emails = Scenario { count: Some(6), ..ScenarioName::EmailChange.into() };
    simulator.apply_scenario(school.as_str(), emails).unwrap();
    site.app.post_webhook(&webhook).await;
    let migrated = async || {
        let shown = site.app.get(&format!("/v1/schools/{school}")).send().await.unwrap();
        let shown: Value = shown.json().await.unwrap();
        (shown["mis"] == "Arbor").then_some(())
    };
    eventually("the change of MIS is noted", migrated).await;
    site.sync(&school).await;

    let page = site.admin().await;
    page.take_clicks();
    page.click(&format!("ul.needs a[title='{school}']")).await;
    page.see("→ Arbor; ").await;
    page.see("6 possible matches wait for a decision").await;
    page.click("a.button:says(Decide)").await;
    page.see("6 records are open").await;
    let certain = page.text("summary:says(certain)").await;
    page.click("summary:says(certain)").await;
    page.click("button:says(Same person for all of them)").await;
    page.wait_for(".badge:says(same person)").await;
    assert_eq!(page.take_clicks(), 4, "{certain}");
    let decided = page.count(".badge:says(same person)").await;
    assert!(certain.contains(&format!("All {decided} certain")), "{certain}, {decided}");

    page.click("button:says(Take back)").await;
    page.see(&format!("{} records are open", 6 - decided + 1)).await;
    page.click("#main form button[value^='new.']").await;
    page.wait_for(".badge:says(someone new)").await;
    page.close().await;
}

#[tokio::test]
async fn a_new_school_is_connected_and_read_in_four_clicks() {
    let Some((site, _)) = Site::of_one_school().await else { return };
    let new = site.app.simulated_school(1);
    let page = site.admin().await;
    page.take_clicks();
    page.click("nav.tabs a:says(Schools)").await;
    page.click("a.button:says(Connect a school)").await;
    page.fill("#token", &new.token).await;
    page.press("Enter").await;
    page.wait_for("#wonde_school_id").await;
    assert!(page.text("#wonde_school_id").await.contains(&new.name), "it is chosen already");

    page.fill("#school_id", "not an id").await;
    page.press("Enter").await;
    page.expect_problem("422").await;
    page.see("It has to be 1 to 64 letters").await;
    page.fill("#school_id", "new_school").await;
    page.click("button:says(Connect and test)").await;
    page.wait_for_path("/dashboard/schools/new_school").await;
    page.see("Wonde accepts the token.").await;
    page.see("Granted: Staff").await;
    page.see("Check its settings below.").await;
    page.click("button:says(First dry run)").await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    assert_eq!(page.take_clicks(), 4);
    page.see("nothing has been changed").await;
    page.click("button:says(Sync now)").await;
    page.wait_for("h1:says(Full sync) .badge:says(succeeded)").await;
    page.close().await;
}
