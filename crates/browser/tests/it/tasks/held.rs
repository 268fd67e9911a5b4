//! A held change: is it right, and a part of it is approved.

use mis_sync_browser::Page;
use mis_sync_domain::SchoolId;
use mis_sync_wonde_sim::{Scenario, ScenarioName};
use serde_json::Value;

use crate::{no_script::plain_admin, site::Site};

/// Many people have left, and many have another work email. Returns the held job, and how many people
/// each category counts.
async fn held(site: &Site, school: &SchoolId) -> (String, [u64; 2]) {
    site.sync(school).await;
    for (name, count) in [(ScenarioName::Leaver, 16), (ScenarioName::EmailChange, 20)] {
        let scenario = Scenario { count: Some(count), ..name.into() };
        site.app.simulator.simulator().apply_scenario(school.as_str(), scenario).unwrap();
    }
    let job = site.sync(school).await;
    let shown = site.app.job(&job).await;
    assert_eq!(shown["state"], "held");
    let guard = shown["report"]["guard"].as_array().unwrap();
    let of = |category: &str| {
        let affected = guard.iter().find(|one| one["category"] == category);
        affected.expect("the category is above its limit")["records"].as_u64().unwrap()
    };
    (job, ["deactivated", "emails_changed"].map(of))
}

/// The names of everyone in the list of the review.
async fn names(page: &Page) -> Vec<String> {
    let names = "[...document.querySelectorAll('.people > li > a')].map(one => one.textContent)";
    page.evaluate(names).await
}

/// Active people of the school, by iP's own list.
async fn active(site: &Site, school: &SchoolId) -> Vec<Value> {
    let path = format!("/v1/schools/{school}/staff?active=true&limit=200");
    let answer: Value = site.app.get(&path).send().await.unwrap().json().await.unwrap();
    answer["staff"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_part_of_a_held_change_is_approved_person_by_person() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let (job, [leavers, emails]) = held(&site, &school).await;
    let before = active(&site, &school).await;
    let page = site.admin().await;
    page.take_clicks();

    page.click(&format!("main a[href*='/jobs/{job}']")).await;
    page.wait_for("#review").await;
    let hidden: String = page.evaluate("document.documentElement.outerHTML").await;
    assert!(before.iter().all(|one| !hidden.contains(one["email"].as_str().unwrap())));
    page.click("button:says(Show personal data)").await;
    page.wait_for("#review input[name=find]").await;
    let listed = names(&page).await;
    let leaver = before.iter().find(|one| {
        let name = format!("{} {}", one["first_name"], one["surname"]).replace('"', "");
        name == listed[0]
    });
    assert!(leaver.is_some(), "leavers have names too: {listed:?}");

    // The emails stay, and so do two of the leavers.
    page.click("#review input[name='category.emails_changed']").await;
    page.see(&format!("0 of {emails} sign-in emails will change: the category is left out")).await;
    for place in [1, 2] {
        let tick = format!(".people > li[data-kinds~=deactivated]:nth-child({place}) .check input");
        page.click(&tick).await;
    }
    let left = leavers - 2;
    page.see(&format!("{left} of {leavers} people will no longer be able to log in")).await;
    page.see("2 are among the people you leave as they are").await;
    let kept: Vec<String> = page
        .evaluate("[...document.querySelectorAll('.people :checked')].map(one => one.name)")
        .await;
    page.click("#review button:says(Approve)").await;
    assert_eq!(page.take_clicks(), 6, "open, show, a category, two people, approve");

    page.wait_for("h1 .badge:says(succeeded)").await;
    page.see(&format!("{left} of {leavers} people can no longer log in: 2 are left as they are"))
        .await;
    let after = active(&site, &school).await;
    assert_eq!(after.len() as u64, before.len() as u64 - left);
    for key in kept {
        let id = key.strip_prefix("leave.").unwrap();
        assert!(after.iter().any(|one| one["id"] == id), "{id} is active");
    }
    let emails_of = |of: &[Value]| -> Vec<String> {
        of.iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect()
    };
    let known = emails_of(&before);
    assert!(emails_of(&after).iter().all(|email| known.contains(email)), "no email has changed");
    page.close().await;
}

#[tokio::test]
async fn a_reveal_lasts_for_the_pages_of_the_job_and_one_category_has_an_address() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let (job, [leavers, emails]) = held(&site, &school).await;
    let page = site.admin().await;
    page.goto(&format!("/dashboard/jobs/{job}")).await;
    page.click("button:says(Show personal data)").await;
    page.wait_for("#review input[name=find]").await;
    page.click(".groups a:says(sign-in email changes)").await;
    let shown = "[...document.querySelectorAll('.people > li')]\
                 .filter(one => one.checkVisibility()).length";
    page.wait_until("one category is left", &format!("{shown} === {emails}")).await;
    page.goto("/dashboard/held").await;
    page.goto(&format!("/dashboard/jobs/{job}#only-emails_changed")).await;
    page.wait_for("#review input[name=find]").await;
    page.wait_until("still one category", &format!("{shown} === {emails}")).await;

    // A search leaves the ticks of the people whom it does not list.
    page.goto(&format!("/dashboard/jobs/{job}")).await;
    page.click(".people > li:nth-child(1) .check input").await;
    let name = names(&page).await.pop().unwrap();
    page.fill("#review input[name=find]", &name).await;
    page.press("Enter").await;
    page.wait_until("one is listed", "find('.people > li').length < 5").await;
    let left = leavers - 1;
    page.see(&format!("{left} of {leavers} people will no longer be able to log in")).await;
    page.close().await;
}

#[tokio::test]
async fn what_is_ticked_stays_when_names_are_shown_with_and_without_scripts() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let (job, [leavers, _]) = held(&site, &school).await;
    for page in [site.admin().await, plain_admin(&site).await] {
        page.goto(&format!("/dashboard/jobs/{job}")).await;
        page.click("#review input[name='category.emails_changed']").await;
        page.click(".people > li:nth-child(2) .check input").await;
        page.fill("#review [name=reason]", "so says the school").await;
        let ticks = "[...document.querySelectorAll('#review input[type=checkbox]:checked')]\
                     .map(one => one.name).sort()";
        let ticked: Vec<String> = page.evaluate(ticks).await;
        page.click("button:says(Show personal data)").await;
        page.wait_for("#review input[name=find]").await;
        assert_eq!(page.evaluate::<Vec<String>>(ticks).await, ticked);
        assert_eq!(page.value("#review [name=reason]").await, "so says the school");
        page.see(&format!("{} of {leavers} people will no longer", leavers - 1)).await;
        // The key that Enter presses is not the one that shows names.
        page.press("Enter").await;
        page.close().await;
    }
}
