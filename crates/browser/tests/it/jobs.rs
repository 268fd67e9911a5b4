//! What operators do: watch a sync, and correct a failure.

use std::time::Duration;

use mis_sync_browser::Page;
use mis_sync_testing::TestAppOptions;
use mis_sync_wonde_sim::SimulatorOptions;

use crate::site::{Site, act};

/// A page whose parts move by more than this is unsteady, as browsers measure it.
const STEADY: f64 = 0.02;

/// A script variable that disappears when the page is loaded again.
const MARK: &str = "window.isTheSamePage = true";

#[tokio::test]
async fn a_sync_is_watched_live() {
    let simulator = SimulatorOptions {
        schools: 1,
        staff: 300,
        latency: Duration::from_millis(150),
        ..SimulatorOptions::default()
    };
    let options = TestAppOptions { simulator, ..TestAppOptions::default() };
    let Some(site) = Site::start_with(options).await else { return };
    let school = site.app.connect_school(0).await;
    let page = site.admin().await;
    page.goto(&format!("/dashboard/schools/{school}")).await;
    page.click("button:says(Sync now)").await;
    page.wait_until("it is the job's page", "location.pathname.startsWith('/dashboard/jobs/')")
        .await;
    page.evaluate::<bool>(MARK).await;
    assert!(page.count("dl.tiles dd:says(–)").await > 0, "the report's place is kept");

    page.wait_for(".badge:says(running)").await;
    let first: f64 = page.value("progress").await.parse().unwrap();
    page.wait_until("progress moves", &format!("find('progress')[0]?.value > {first}")).await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    page.see("Changed: ").await;
    page.wait_until("the figures are there", "find('dl.tiles dd:says(–)').length === 0").await;
    page.see("new records on this page").await;
    let shifts = page.layout_shifts().await;
    let score: f64 = shifts.iter().map(|shift| shift.score).sum();
    assert!(score <= STEADY, "what one reads has jumped: {shifts:?}");
    assert!(
        page.evaluate::<bool>("window.isTheSamePage === true").await,
        "nothing was loaded again"
    );
    page.close().await;
}

#[tokio::test]
async fn a_failed_job_is_retried() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let failed = site.failed_sync(&school).await;
    let page = site.admin().await;
    // The overview names the school; its id is in the title.
    page.wait_for(&format!("a[title='{school}']")).await;
    page.goto("/dashboard/jobs?state.failed=on").await;
    page.click("table a.open").await;
    page.wait_for_path(&format!("/dashboard/jobs/{failed}")).await;
    page.wait_for("h1 .badge:says(failed)").await;
    page.goto("/dashboard/jobs?state.failed=on").await;
    act(&page, "Retry", "the MIS is back").await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    assert!(page.text("ol.lineage").await.contains("failed"), "it says which job it repeats");
    page.close().await;
}

#[tokio::test]
async fn a_held_job_is_approved() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let held = site.held_sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard/held").await;
    page.see("would no longer be able to log in").await;
    act(&page, "Approve", "the department closed").await;
    page.wait_for_path(&format!("/dashboard/jobs/{held}")).await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    let job = site.app.job(&held).await;
    assert_eq!(job["report"]["deactivated"], 20, "{job}");
    page.goto("/dashboard/held").await;
    page.see("Nothing waits for approval").await;
    page.close().await;
}

#[tokio::test]
async fn what_someone_types_outlives_a_fresh_page() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let held = site.held_sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard/held").await;
    page.click("summary:says(Reject)").await;
    page.fill("details[open] [name=reason]", "not before Monday").await;
    site.life_goes_on(&page, "article h2").await;
    assert_eq!(page.value("details[open] [name=reason]").await, "not before Monday");
    page.press("Enter").await;
    page.wait_for_path(&format!("/dashboard/jobs/{held}")).await;
    page.wait_for("h1 .badge:says(cancelled)").await;
    page.close().await;
}

#[tokio::test]
async fn a_held_job_is_rejected() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let held = site.held_sync(&school).await;
    let page = site.admin().await;
    page.goto(&format!("/dashboard/jobs/{held}")).await;
    act(&page, "Reject", "the MIS was being mended").await;
    page.wait_for("h1 .badge:says(cancelled)").await;
    page.close().await;
}

/// The jobs page with four syncs that wait, because syncs are paused.
async fn waiting_syncs(site: &Site) -> (Page, Vec<String>) {
    let page = site.admin().await;
    page.goto("/dashboard/queues").await;
    page.click("tr:says(syncs of schools) summary:says(Pause)").await;
    page.click("details[open] button:says(Pause)").await;
    page.wait_for("tr:says(syncs of schools) .badge:says(paused)").await;
    let mut jobs = Vec::new();
    for index in 0..4 {
        let school = site.app.connect_school(index).await;
        jobs.push(site.app.press_sync(&school).await);
    }
    page.goto("/dashboard/jobs").await;
    (page, jobs)
}

#[tokio::test]
async fn waiting_jobs_are_filtered_and_cancelled_together() {
    let Some(site) = Site::start().await else { return };
    let (page, jobs) = waiting_syncs(&site).await;
    page.see("4 jobs").await;
    page.click("label:says(queued)").await;
    page.wait_for_path("/dashboard/jobs?state.queued=on").await;
    page.fill("#filters [name=q]", site.app.simulated_school(2).id.as_str()).await;
    page.wait_until("one is left", "find('table.rows tbody tr').length === 1").await;
    page.fill("#filters [name=q]", " ").await;
    page.wait_until("all are back", "find('table.rows tbody tr').length === 4").await;

    page.click("a.button:says(Cancel all)").await;
    page.see("4 jobs").await;
    page.fill("#reason", "not today").await;
    page.click("main form button:says(Cancel)").await;
    page.see("4 of 4").await;
    for job in jobs {
        assert_eq!(site.app.job(&job).await["state"], "cancelled");
    }
    page.close().await;
}

#[tokio::test]
async fn what_is_ticked_stays_ticked_and_is_cancelled_alone() {
    let Some(site) = Site::start().await else { return };
    let (page, jobs) = waiting_syncs(&site).await;
    page.wait_for("#states label:says(queued 4)").await;
    assert_eq!(page.count("#ticked").await, 0, "nothing is ticked");
    page.click(&format!("#job-{} input.tick", jobs[1])).await;
    page.press("j").await;
    page.press("x").await;
    page.wait_for("#ticked button:says(Cancel)").await;

    // Another person cancels one: nothing moves under the person's hand.
    page.see("Updates paused").await;
    let other = site.admin().await;
    other.goto("/dashboard/jobs").await;
    let cancel = site.app.post(&format!("/v1/jobs/{}/cancel", jobs[2])).send().await.unwrap();
    assert!(cancel.status().is_success());
    other.wait_for(&format!("#job-{} .badge:says(cancelled)", jobs[2])).await;
    other.close().await;
    page.wait_until("the page knows that it waits", "isMissed").await;
    assert_eq!(page.count("#states label:says(queued 4)").await, 1, "the page waits");
    let ticked = "[...document.querySelectorAll('.tick:checked')].map(tick => tick.name).sort()";
    let names: Vec<String> = page.evaluate(ticked).await;
    // The newest job is the first row.
    assert_eq!(names, [format!("id.{}", jobs[1]), format!("id.{}", jobs[3])]);

    page.click("#ticked button:says(Cancel)").await;
    page.see("2 jobs of the 2 ticked can be cancelled now").await;
    page.click("main form button:says(Cancel)").await;
    page.see("2 of 2").await;
    page.click("a.button:says(To the jobs)").await;
    page.see("2 ticked").await;
    page.wait_until("the two are shown", "find('table.rows tbody tr').length === 2").await;
    for (job, state) in jobs.iter().zip(["queued", "cancelled", "cancelled", "cancelled"]) {
        assert_eq!(site.app.job(job).await["state"], state);
    }
    page.click("#tick-all").await;
    page.wait_until("all are", &format!("{ticked}.length === 2")).await;
    page.close().await;
}

#[tokio::test]
async fn live_updates_wait_until_a_person_lets_them_go_on() {
    let Some(site) = Site::start().await else { return };
    let (page, jobs) = waiting_syncs(&site).await;
    page.wait_for("#states label:says(queued 4)").await;
    page.click("button:says(Live)").await;
    let cancel = site.app.post(&format!("/v1/jobs/{}/cancel", jobs[2])).send().await.unwrap();
    assert!(cancel.status().is_success());
    page.wait_until("the page knows that it waits", "isMissed").await;
    assert_eq!(page.count("#states label:says(queued 4)").await, 1, "the page waits");
    page.click("button:says(Updates paused)").await;
    page.wait_for("#states label:says(queued 3)").await;
    page.wait_for("button:says(Live)").await;
    page.close().await;
}

#[tokio::test]
async fn a_page_without_the_database_says_since_when() {
    let Some(mut site) = Site::start().await else { return };
    let page = site.admin().await;
    page.see("All is well").await;
    page.see("Live").await;
    site.app.servers.postgres.pause().unwrap();
    page.see("The database (Postgres) does not answer. What you see is from").await;
    assert_eq!(page.count(".source").await, 0, "nothing claims to be live");
    site.app.servers.postgres.resume().unwrap();
    page.wait_until_gone(".lost").await;
    page.wait_for(".source").await;
    page.close().await;
}

#[tokio::test]
async fn a_view_is_saved_of_what_one_sees() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.failed_sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard/jobs").await;
    page.see("1 job").await;
    page.click("label:says(failed)").await;
    page.click("summary:says(Save this view)").await;
    page.fill("details[open] [name=name]", "Monday").await;
    page.click("details[open] button:says(Save)").await;
    page.wait_for("#views a:says(Monday)").await;
    page.goto("/dashboard/jobs").await;
    page.click("#views a:says(Monday)").await;
    page.wait_for_path("/dashboard/jobs?state.failed=on").await;
    page.close().await;
}
