//! A school rings about a colleague: why are they missing, what has to be corrected, and what happened to
//! them?

use mis_sync_browser::Page;
use mis_sync_domain::SchoolId;
use mis_sync_testing::TestAppOptions;
use mis_sync_wonde_sim::{Scenario, ScenarioName, SimulatorOptions, StaffTruth};
use serde_json::json;

use crate::site::Site;

/// People of the school as they are before anything happens to them, each with a surname of their own.
fn people(site: &Site, school: &SchoolId) -> Vec<StaffTruth> {
    let staff = site.app.simulator.simulator().truth(school.as_str()).unwrap().staff;
    let is_only = |person: &&StaffTruth| {
        let same = staff.iter().filter(|one| one.surname.contains(&person.surname));
        person.surname.len() > 3 && same.count() == 1
    };
    staff.iter().filter(is_only).cloned().collect()
}

fn happens(site: &Site, school: &SchoolId, name: ScenarioName, people: &[&StaffTruth]) {
    let staff = people.iter().map(|person| person.wonde_id.clone()).collect();
    let scenario = Scenario { staff, ..name.into() };
    site.app.simulator.simulator().apply_scenario(school.as_str(), scenario).unwrap();
}

async fn two_schools(settings: serde_json::Value) -> Option<(Site, SchoolId)> {
    let simulator = SimulatorOptions { schools: 2, ..SimulatorOptions::default() };
    let site = Site::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await?;
    let school = site.app.connect_school_with(0, settings).await;
    site.app.connect_school(1).await;
    Some((site, school))
}

/// Types a text into the box at the top of the overview.
async fn find(page: &Page, text: &str) {
    page.goto("/dashboard").await;
    page.take_clicks();
    page.fill("#find", text).await;
    page.press("Enter").await;
    page.wait_for_path("/dashboard/find").await;
}

/// Asks Wonde from the page of what was found; the clicks so far are two.
async fn ask(page: &Page, school: &SchoolId) {
    page.choose("select[name=school]", school.as_str()).await;
    page.click("button:says(Ask Wonde)").await;
    page.wait_for("#answer :is(.verdict, .warning, .refusal)").await;
    assert_eq!(page.take_clicks(), 2);
}

#[tokio::test]
async fn a_colleague_whom_the_sync_left_out_is_found_by_name_with_the_reason() {
    let Some((site, school)) = two_schools(json!({})).await else { return };
    let people = people(&site, &school);
    happens(&site, &school, ScenarioName::EmailLost, &[&people[0]]);
    happens(&site, &school, ScenarioName::SharedEmail, &[&people[1], &people[2]]);
    site.sync(&school).await;
    let page = site.admin().await;
    for (person, reason) in [
        (&people[0], "Not in iP: no work email in the MIS"),
        (&people[1], "Not in iP: other current staff have the same work email in the MIS"),
    ] {
        find(&page, &person.surname.to_uppercase()).await;
        page.see(reason).await;
        page.see(&person.first_name).await;
        assert_eq!(page.take_clicks(), 0);
    }
    // Someone who is in iP, by name, email and id.
    let person = &people[3];
    find(&page, &format!("{} {}", person.surname, person.first_name.chars().next().unwrap())).await;
    page.wait_for(&format!("a.open:says({})", person.surname)).await;
    for key in [person.email.to_uppercase(), person.wonde_id.clone()] {
        page.goto("/dashboard").await;
        page.fill("#find", &key).await;
        page.press("Enter").await;
        page.wait_for("h1 .badge:says(can log in)").await;
        page.see("This person is in iP").await;
    }
    page.goto("/dashboard/audit?action=reveal").await;
    page.see("find").await;
    let audit: String = page.evaluate("document.documentElement.outerHTML").await;
    assert!(!audit.to_lowercase().contains(&person.surname.to_lowercase()), "no text in the log");
    page.close().await;
}

#[tokio::test]
async fn a_colleague_of_whom_nothing_is_kept_is_asked_of_wonde() {
    let Some((site, school)) = two_schools(json!({ "teachers_only": true })).await else { return };
    let everyone = people(&site, &school);
    let teacher = everyone.iter().find(|person| !person.non_teaching).unwrap();
    let clerk = everyone.iter().find(|person| person.non_teaching).unwrap();
    happens(&site, &school, ScenarioName::Leaver, &[teacher]);
    site.sync(&school).await;
    let late =
        everyone.iter().find(|one| !one.non_teaching && one.wonde_id != teacher.wonde_id).unwrap();
    let page = site.admin().await;
    for (person, short, long) in [
        (teacher, "Not in iP: not current staff in the MIS", "their employment ended on"),
        (clerk, "Not in iP: not teaching staff", "the school imports teaching staff only"),
        (late, "In iP", "compares every field"),
    ] {
        find(&page, &person.surname).await;
        ask(&page, &school).await;
        page.see(short).await;
        page.see(long).await;
        page.see(&person.mis_id).await;
    }
    find(&page, "Nemo Quux").await;
    page.see("Nothing in iP or in the last syncs matches").await;
    ask(&page, &school).await;
    let name = site.app.simulated_school(0).name;
    page.see(&format!("No record with this name, email or id in the MIS of {name}, asked at"))
        .await;

    site.add_fault(&school, json!({ "status": 503, "count": 1000 }));
    find(&page, "Nemo Quux").await;
    ask(&page, &school).await;
    page.see("so this does not say whether the person is in it").await;
    let address = page.path().await;
    // The address is good for a reload, and for no one else.
    page.reload().await;
    page.see("could not be asked").await;
    assert!(address.starts_with("/dashboard/find/"), "{address}");
    let other = site.signed_in(&crate::site::make_key(&page, "other", "operator").await).await;
    other.goto(&address).await;
    other.see("only the key that asked sees them").await;
    other.close().await;
    page.close().await;
}

#[tokio::test]
async fn the_history_of_one_person_is_on_their_page() {
    let Some((site, school)) = two_schools(json!({})).await else { return };
    let people = people(&site, &school);
    let person = &people[0];
    site.sync(&school).await;
    happens(&site, &school, ScenarioName::Rename, &[person]);
    site.sync(&school).await;
    happens(&site, &school, ScenarioName::Leaver, &[person]);
    site.sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard").await;
    page.take_clicks();
    page.fill("#find", &person.email).await;
    page.press("Enter").await;
    page.wait_for("h1 .badge:says(inactive in iP)").await;
    let hidden: String = page.evaluate("document.documentElement.outerHTML").await;
    assert!(!hidden.contains(&person.surname), "not even in the source");
    assert_eq!(page.count("ol.history li:says(Full sync)").await, 3, "created, renamed, left");
    page.see("cannot log in").await;
    page.click("button:says(Show personal data)").await;
    page.wait_for(&format!("ol.history li:says({} →)", person.surname)).await;
    page.wait_for("ol.history li:says(saw personal data)").await;
    assert_eq!(page.take_clicks(), 1);
    page.reload().await;
    page.see("Show personal data").await;
    page.close().await;
}

#[tokio::test]
async fn the_clerk_gets_a_list_with_names() {
    let Some((site, school)) = two_schools(json!({})).await else { return };
    let people = people(&site, &school);
    let person = &people[0];
    happens(&site, &school, ScenarioName::EmailLost, &[person]);
    site.sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard").await;
    page.take_clicks();
    page.fill("#find", school.as_str()).await;
    page.press("Enter").await;
    page.wait_for_path(&format!("/dashboard/schools/{school}")).await;
    page.click("form[action$='/quality'] button").await;
    assert_eq!(page.take_clicks(), 1);
    // A browser keeps the file to itself, so the same form is sent once more.
    let file: String = page
        .evaluate(
            "(async (form) => (await fetch(form.action, { method: 'POST', \
             body: new URLSearchParams(new FormData(form)) })).text())\
             (find(\"form[action$='/quality']\")[0])",
        )
        .await;
    let wanted = format!(
        "{} {},{},{},Person,,This person has no work email in the MIS.",
        person.first_name, person.surname, person.mis_id, person.wonde_id
    );
    let line = file.lines().find(|line| line.contains(&person.wonde_id)).unwrap();
    assert!(line.replace('"', "").starts_with(&wanted), "{line}");
    page.close().await;
}
