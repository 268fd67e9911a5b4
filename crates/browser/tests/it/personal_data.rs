//! Names and emails are hidden until a person reveals them, which is recorded.

use mis_sync_wonde_sim::ScenarioName;
use serde_json::Value;

use crate::site::{Site, make_key};

#[tokio::test]
async fn personal_data_is_hidden_until_shown_and_the_reveal_is_in_the_audit_log() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.sync(&school).await;
    for name in [ScenarioName::EmailChange, ScenarioName::Rename] {
        site.app.simulator.simulator().apply_scenario(school.as_str(), name).unwrap();
    }
    let job = site.sync(&school).await;
    let changes = site.app.get(&format!("/v1/jobs/{job}/changes")).send().await.unwrap();
    let changes: Value = changes.json().await.unwrap();
    let of_field = |field: &str| {
        let mut all = changes["changes"].as_array().unwrap().iter();
        all.find(|change| change["field"] == field).unwrap()["new"].as_str().unwrap().to_owned()
    };
    let [email, surname] = [of_field("email"), of_field("surname")];
    let path = format!("/dashboard/jobs/{job}");
    let whole_page = "document.documentElement.outerHTML";

    let admin = site.admin().await;
    admin.goto(&path).await;
    admin.wait_for("td:says(hidden)").await;
    let hidden: String = admin.evaluate(whole_page).await;
    assert!(!hidden.contains(&email) && !hidden.contains(&surname), "not even in the source");

    admin.goto("/dashboard/audit").await;
    let lines = admin.count("tbody tr:says(reveal)").await;
    assert_eq!(lines, 1, "this test has read the changes over the API");
    admin.goto(&path).await;
    admin.click("button:says(Show personal data)").await;
    admin.see(&email).await;
    admin.see(&surname).await;
    admin.goto("/dashboard/audit?action=reveal").await;
    assert_eq!(admin.count("tbody tr:says(reveal)").await, 2);
    let line = admin.text("tbody tr:says(reveal)").await;
    assert!(line.contains(&job[job.len() - 8..]) && line.contains("test"), "{line}");

    // It is not asked again on the next page of the job.
    admin.goto(&format!("{path}?field=email")).await;
    admin.see(&email).await;
    assert_eq!(admin.count("button:says(Show personal data)").await, 0);

    let viewer = site.signed_in(&make_key(&admin, "visitor", "viewer").await).await;
    viewer.goto(&path).await;
    viewer.see("Personal data is hidden").await;
    assert_eq!(viewer.count("button:says(Show personal data)").await, 0);
    viewer.close().await;
    admin.close().await;
}

#[tokio::test]
async fn why_a_person_is_here_is_explained_and_noted() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.sync(&school).await;
    let person = site.app.simulator.simulator().truth(school.as_str()).unwrap().staff.remove(0);
    let admin = site.admin().await;
    admin.goto(&format!("/dashboard/schools/{school}")).await;
    admin.fill("#explain [name=q]", &person.email).await;
    admin.click("button:says(Explain)").await;
    admin.wait_for(".verdict").await;
    admin.click("button:says(Show personal data)").await;
    admin.see(&person.email).await;
    admin.goto("/dashboard/audit?action=reveal").await;
    admin.wait_for(&format!("tbody a[title='{school}']")).await;
    admin.close().await;
}
