//! The dashboard in a browser whose scripts are switched off: every page is read, and every action done.

use mis_sync_browser::Page;
use mis_sync_testing::eventually;
use mis_sync_wonde_sim::ScenarioName;
use serde_json::json;

use crate::{
    looks::add_possible_matches,
    site::{Site, act, sign_in},
};

/// A page of the administrator that runs no script.
pub(crate) async fn plain_admin(site: &Site) -> Page {
    let page = site.stranger().await;
    page.switch_scripts_off().await;
    page.goto("/dashboard/login").await;
    sign_in(&page, site.admin_key()).await;
    page.wait_for_path("/dashboard").await;
    assert!(page.evaluate::<bool>("typeof htmx === 'undefined'").await, "no script has run");
    page
}

/// Clicks what leads to another page, and waits for that page.
async fn follow(page: &Page, selector: &str) {
    page.wait_for(selector).await;
    page.evaluate::<bool>("window.isBefore = true").await;
    page.click(selector).await;
    page.wait_until("the next page is there", "!window.isBefore").await;
}

/// Loads the page again until it shows this, as a person does.
async fn reload_until(page: &Page, selector: &str) {
    eventually(selector, async || {
        page.reload().await;
        (page.count(selector).await > 0).then_some(())
    })
    .await;
}

/// Buttons that can be seen and do nothing, because no form has them.
const DEAD: &str =
    "find('button').filter((button) => !button.form).map((button) => button.outerHTML)";

/// Opens a page, on which each button has to do something.
async fn read(page: &Page, path: &str) {
    page.goto(path).await;
    let dead: Vec<String> = page.evaluate(DEAD).await;
    assert!(dead.is_empty(), "{path}: {dead:?}");
}

#[tokio::test]
async fn every_page_is_read_and_a_person_is_found() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.sync(&school).await;
    let simulator = site.app.simulator.simulator();
    simulator.apply_scenario(school.as_str(), ScenarioName::Rename).unwrap();
    let job = site.sync(&school).await;
    let failed = site.failed_sync(&school).await;
    let page = plain_admin(&site).await;
    read(&page, "/dashboard").await;
    page.see("needs attention").await;
    page.see("Without JavaScript this page does not refresh itself").await;
    page.click(&format!("main a[title='{school}']")).await;
    page.wait_for_path(&format!("/dashboard/schools/{school}")).await;
    for path in ["held", "queues", "audit", "keys", "connect", "find"] {
        read(&page, &format!("/dashboard/{path}")).await;
    }
    page.goto("/dashboard/audit").await;
    page.click("button:says(Verify the chain)").await;
    page.see("unbroken").await;

    read(&page, "/dashboard/jobs").await;
    assert_eq!(page.count("#tick-all").await, 0, "a box that only a script can use");
    page.click("#filters label:says(failed)").await;
    follow(&page, "#filters button:says(Filter)").await;
    page.wait_for(&format!("#job-{failed}")).await;
    assert_eq!(page.count("table.rows tbody tr").await, 1);
    page.click("summary:says(Save this view)").await;
    page.fill("details[open] [name=name]", "Monday").await;
    page.click("details[open] button:says(Save)").await;
    page.wait_for("#views a:says(Monday)").await;
    page.click("button[aria-label='Delete the view Monday']").await;
    page.wait_until_gone("#views a:says(Monday)").await;
    read(&page, &format!("/dashboard/jobs/{job}")).await;
    page.click("button:says(Show personal data)").await;
    page.see("Personal data is shown on the pages of this job").await;

    read(&page, "/dashboard/schools").await;
    page.fill("main [name=q]", school.as_str()).await;
    follow(&page, "main button:says(Filter)").await;
    page.see("1 school").await;
    read(&page, &format!("/dashboard/schools/{school}")).await;

    let person = simulator.truth(school.as_str()).unwrap().staff.remove(0);
    page.fill("#find", &person.surname).await;
    page.press("Enter").await;
    page.wait_for_path("/dashboard/find").await;
    page.click(&format!("main a.open:says({} {})", person.first_name, person.surname)).await;
    page.wait_for("h1 .badge:says(can log in)").await;
    page.click("button:says(Show personal data)").await;
    page.see(&person.email).await;
    page.fill("#find", "Nemo Quux").await;
    page.press("Enter").await;
    follow(&page, "main button:says(Ask Wonde)").await;
    reload_until(&page, "#answer .warning:says(No record with this name)").await;
    page.close().await;
}

#[tokio::test]
async fn colours_are_chosen_and_a_person_signs_out() {
    let Some(site) = Site::start().await else { return };
    let page = plain_admin(&site).await;
    page.goto("/dashboard/jobs?state.failed=on").await;
    page.click("details.menu summary").await;
    assert_eq!(page.count(".menu button:says(Keyboard shortcuts)").await, 0);
    page.click(".menu label:says(Dark)").await;
    page.click(".menu button:says(Apply)").await;
    page.wait_for("html[data-theme=dark]").await;
    page.wait_for_path("/dashboard/jobs?state.failed=on").await;
    page.click("details.menu summary").await;
    page.click("button:says(Sign out)").await;
    page.wait_for("#key").await;
    page.goto("/dashboard/jobs").await;
    page.wait_for("#key").await;
    page.close().await;
}

#[tokio::test]
async fn a_school_is_connected_tested_set_up_and_synced() {
    let Some((site, _)) = Site::of_one_school().await else { return };
    let new = site.app.simulated_school(1);
    let page = plain_admin(&site).await;
    page.click("nav.tabs a:says(Schools)").await;
    page.click("a.button:says(Connect a school)").await;
    page.fill("#token", &new.token).await;
    follow(&page, "button:says(Next)").await;
    reload_until(&page, "#wonde_school_id").await;
    page.fill("#school_id", "new_school").await;
    page.click("button:says(Connect and test)").await;
    page.wait_for_path("/dashboard/schools/new_school").await;
    reload_until(&page, ".tested:says(Wonde accepts the token)").await;

    page.click("#settings label:says(Import subjects)").await;
    page.fill("#settings [name=freshness]", "5000").await;
    page.click("#settings button:says(Save)").await;
    page.expect_problem("422").await;
    page.see("Nothing was saved: some fields are not valid.").await;
    page.fill("#settings [name=freshness]", "15").await;
    page.click("#settings button:says(Save)").await;
    page.wait_for_path("/dashboard/schools/new_school").await;
    page.wait_for("#settings dl div:says(Import subjects on)").await;

    follow(&page, "button:says(First dry run)").await;
    reload_until(&page, "h1 .badge:says(succeeded)").await;
    follow(&page, "button:says(Sync now)").await;
    reload_until(&page, "h1:says(Full sync) .badge:says(succeeded)").await;
    page.click("h1 a").await;
    follow(&page, "button:says(Delta)").await;
    reload_until(&page, "h1:says(Delta sync) .badge:says(succeeded)").await;

    site.add_fault(&new.id.parse().unwrap(), json!({ "status": 401, "count": 1000 }));
    site.sync(&"new_school".parse().unwrap()).await;
    page.goto("/dashboard/schools/new_school").await;
    page.see("Wonde refuses this school's token since").await;
    follow(&page, "button:says(Test connection)").await;
    reload_until(&page, ".tested:says(refuses)").await;
    site.app.simulator.simulator().clear_faults();
    page.fill("[name=token]", &new.token).await;
    follow(&page, "button:says(Replace token)").await;
    reload_until(&page, ".tested:says(Wonde accepts the token)").await;
    page.close().await;
}

#[tokio::test]
async fn jobs_are_retried_cancelled_and_undone_and_work_is_paused() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let synced = site.sync(&school).await;
    site.failed_sync(&school).await;
    let page = plain_admin(&site).await;

    // From the list, whose sheets open in the middle.
    page.goto("/dashboard/jobs?state.failed=on").await;
    act(&page, "Retry", "the MIS is back").await;
    page.wait_for("ol.lineage").await;
    reload_until(&page, "h1 .badge:says(succeeded)").await;

    page.goto("/dashboard/queues").await;
    act(&page, "Pause", "the MIS is being changed").await;
    page.wait_for("tr:says(syncs of schools) .badge:says(paused)").await;
    let mut jobs = Vec::new();
    for what in ["Sync now", "Dry run"] {
        page.goto(&format!("/dashboard/schools/{school}")).await;
        follow(&page, &format!("button:says({what})")).await;
        page.wait_for("h1 .badge:says(queued)").await;
        jobs.push(page.text("code.whole").await);
        if what == "Sync now" {
            act(&page, "Cancel", "not today").await;
            page.wait_for("h1 .badge:says(cancelled)").await;
        }
    }
    page.goto("/dashboard/jobs").await;
    page.click(&format!("#job-{} input.tick", jobs[1])).await;
    page.click("#ticked button:says(Cancel)").await;
    page.fill("#reason", "not today").await;
    follow(&page, "main form button:says(Cancel)").await;
    reload_until(&page, ".standing:says(1 of 1)").await;
    page.goto("/dashboard/queues").await;
    act(&page, "Resume", "it is done").await;
    page.wait_for("tr:says(syncs of schools) .badge:says(open)").await;

    act(&page, "Drain", "it gets a new release").await;
    page.wait_for(".badge:says(drain)").await;
    act(&page, "Undrain", "it is done").await;
    page.wait_for(".badge:says(alive)").await;

    page.goto(&format!("/dashboard/jobs/{synced}")).await;
    act(&page, "Undo", "it was the wrong file").await;
    page.see("An undo is done at once, without a worker.").await;
    page.see("The school is paused until").await;
    page.goto(&format!("/dashboard/schools/{school}")).await;
    page.click("button:says(Resume)").await;
    page.wait_until_gone("button:says(Resume)").await;
    page.goto("/dashboard/queues").await;
    page.fill("form.inline [name=school]", school.as_str()).await;
    page.click("form.inline button:says(Pause)").await;
    page.wait_for(&format!("main a[title='{school}']")).await;
    page.click("table.rows:says(Waiting jobs) summary:says(Resume)").await;
    page.click("details[open] button:says(Resume)").await;
    page.see("No school is paused.").await;

    page.goto("/dashboard/jobs?state.failed=on&retried=on").await;
    page.click("a.button:says(Retry all)").await;
    follow(&page, "main form button:says(Retry)").await;
    reload_until(&page, ".standing:says(1 of 1)").await;
    page.close().await;
}

#[tokio::test]
async fn a_held_change_is_approved_but_for_one_person() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let held = site.held_sync(&school).await;
    let page = plain_admin(&site).await;
    page.goto("/dashboard/held").await;
    page.click("a:says(Review person by person)").await;
    page.click(".people > li:nth-child(1) .check input").await;
    page.click("#review .inline button:says(Recount)").await;
    page.see("19 of 20 people will no longer be able to log in").await;
    page.fill("#review [name=reason]", "one of them is back").await;
    page.click("#review button:says(Approve)").await;
    page.wait_for_path(&format!("/dashboard/jobs/{held}")).await;
    reload_until(&page, "h1 .badge:says(succeeded)").await;
    assert_eq!(site.app.job(&held).await["report"]["deactivated"], 19);
    page.close().await;
}

#[tokio::test]
async fn a_held_change_is_rejected_and_possible_matches_are_decided() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.held_sync(&school).await;
    add_possible_matches(&site, &school).await;
    let page = plain_admin(&site).await;
    page.goto("/dashboard/held").await;
    act(&page, "Reject", "not before Monday").await;
    page.wait_for("h1 .badge:says(cancelled)").await;

    page.goto(&format!("/dashboard/schools/{school}")).await;
    page.click("a.button:says(Decide)").await;
    page.see("3 records are open").await;
    page.click("tbody tr:nth-child(1) input.tick").await;
    page.click("#main p.buttons button:says(Someone new)").await;
    page.see("2 records are open").await;
    page.click("button:says(Take back)").await;
    page.see("3 records are open").await;
    page.click("summary:says(certain)").await;
    page.click("button:says(Same person for all of them)").await;
    page.see("0 records are open").await;
    page.close().await;
}

#[tokio::test]
async fn a_key_is_made_seen_once_and_revoked() {
    let Some(site) = Site::start().await else { return };
    let page = plain_admin(&site).await;
    page.click("#tabs a:says(API keys)").await;
    page.fill("[name=name]", "Opal, supply desk").await;
    page.click("button:says(Create key)").await;
    let key = page.text("code.secret").await;
    assert_eq!(page.count("button:says(Copy)").await, 0, "only a script can copy");
    site.signed_in(&key).await.close().await;
    page.goto("/dashboard/keys").await;
    assert_eq!(page.count("code.secret").await, 0);
    page.click("tr:says(Opal) summary:says(Revoke)").await;
    page.click("details[open] button:says(Revoke)").await;
    page.wait_for("tr:says(Opal) .badge:says(revoked)").await;
    page.close().await;
}
