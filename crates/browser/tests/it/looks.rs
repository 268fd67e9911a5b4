//! Every page in both themes on both screens, without a problem, a barrier, or anything beyond the
//! edge of a phone. The pictures are kept in `target/screenshots`.

use mis_sync_browser::{Look, Page, Theme, screenshots};
use mis_sync_domain::SchoolId;
use serde_json::json;

use crate::site::{Site, sign_in};

/// The name of a page in the files of its pictures, and its path; `{…}` is an id of [`Monday`].
const PAGES: [(&str, &str); 27] = [
    ("overview", "/dashboard"),
    ("jobs", "/dashboard/jobs"),
    ("jobs-failed", "/dashboard/jobs?state.failed=on&age=24h"),
    ("jobs-none", "/dashboard/jobs?q=nothing-like-it"),
    ("job-succeeded", "/dashboard/jobs/{succeeded}"),
    ("job-running", "/dashboard/jobs/{running}"),
    ("job-held", "/dashboard/jobs/{held}"),
    ("job-failed", "/dashboard/jobs/{failed}"),
    ("job-retrying", "/dashboard/jobs/{retrying}"),
    ("schools", "/dashboard/schools"),
    ("school", "/dashboard/schools/{school}"),
    ("school-new", "/dashboard/schools/{new_school}"),
    ("find", "/dashboard/find"),
    ("person", "/dashboard/schools/{school}/people/{person}"),
    ("schools-stale", "/dashboard/schools?show=stale&sort=-last_good"),
    ("school-refused", "/dashboard/schools/{refused}"),
    ("school-held", "/dashboard/schools/{held_school}"),
    ("school-failed", "/dashboard/schools/{failed_school}"),
    ("school-connect", "/dashboard/connect"),
    ("school-matches", "/dashboard/schools/{school}/matches"),
    ("held", "/dashboard/held"),
    ("audit", "/dashboard/audit"),
    ("queues", "/dashboard/queues"),
    ("keys", "/dashboard/keys"),
    ("bulk-cancel", "/dashboard/bulk/review?state.held=on&action=cancel"),
    ("bulk-done", "{bulk}"),
    ("docs", "/docs"),
];

/// How to open something on a page.
enum Open {
    Click(&'static str),
    Press(&'static str),
    /// Nothing to open: the page does not exist, and says so.
    Missing,
}

/// What can be opened on a page: its name, the page's path, and how.
const OPENED: [(&str, &str, Open); 12] = [
    (
        "open-settings",
        "/dashboard/schools/{school}",
        Open::Click("#settings details.data > summary"),
    ),
    ("open-palette", "/dashboard", Open::Press("Control+k")),
    ("open-help", "/dashboard", Open::Press("?")),
    ("not-found", "/dashboard/jobs/nothing", Open::Missing),
    ("open-menu", "/dashboard", Open::Click("details.menu summary")),
    (
        "open-save-view",
        "/dashboard/jobs?state.failed=on",
        Open::Click("summary:says(Save this view)"),
    ),
    ("open-ticked", "/dashboard/jobs", Open::Click("input.tick")),
    ("open-approve", "/dashboard/held", Open::Click("summary:says(Approve)")),
    ("open-cancel", "/dashboard/jobs/{retrying}", Open::Click("summary:says(Cancel)")),
    ("open-undo", "/dashboard/jobs/{succeeded}", Open::Click("summary:says(Undo)")),
    ("open-pause", "/dashboard/queues", Open::Click("tr:says(interactive) summary:says(Pause)")),
    ("open-revoke", "/dashboard/keys", Open::Click("summary:says(Revoke)")),
];

/// 8:30 on a Monday: one job in each state, and schools that need attention.
struct Monday {
    site: Site,
    ids: Vec<(&'static str, String)>,
}

impl Monday {
    async fn start() -> Option<Self> {
        let site = Site::start().await?;
        let mut schools = Vec::new();
        for index in 0..9 {
            schools.push(site.app.connect_school(index).await);
        }
        let [good, held, failed, refused, retrying, running, new, again, paused]: [SchoolId; 9] =
            schools.try_into().unwrap();
        let mut ids = vec![("{school}", good.to_string()), ("{new_school}", new.to_string())];
        ids.push(("{refused}", refused.to_string()));
        ids.push(("{held_school}", held.to_string()));
        ids.push(("{failed_school}", failed.to_string()));
        ids.push(("{succeeded}", site.sync(&good).await));
        // The next sync would forget them.
        add_possible_matches(&site, &good).await;
        let staff = site.app.simulator.simulator().truth(good.as_str()).unwrap().staff;
        ids.push(("{person}", staff[0].wonde_id.clone()));
        site.sync(&again).await;
        ids.push(("{held}", site.held_sync(&held).await));
        ids.push(("{failed}", site.failed_sync(&failed).await));
        site.add_fault(&refused, json!({ "status": 401, "count": 1000 }));
        site.sync(&refused).await;
        site.add_fault(&retrying, json!({ "path": "page=3", "status": 429, "retry_after": 900 }));
        ids.push(("{retrying}", site.sync(&retrying).await));
        site.add_fault(&running, json!({ "path": "page=3", "hang_ms": 600_000, "count": 1000 }));
        let job = site.app.press_sync(&running).await;
        let is_fetching = |job: &serde_json::Value| job["progress"]["percent"].as_f64() > Some(0.0);
        site.app.wait_for_job(&job, "the sync has begun", is_fetching).await;
        ids.push(("{running}", job));
        ids.push(("{bulk}", cancel_what_is_paused(&site, &paused).await));
        Some(Self { site, ids })
    }

    fn path(&self, path: &str) -> String {
        self.ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

/// Three records that are certainly people of the school.
pub(crate) async fn add_possible_matches(site: &Site, school: &SchoolId) {
    let matches = format!(
        "INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons, mis_first_name,
             mis_surname, mis_email, mis_initials, mis_job_title, job_id)
         SELECT school_id, 'A' || row_number() OVER (ORDER BY id), id, 60,
             '{{work_email,first_name}}', first_name, 'Longbottom-Smythe', email, 'LOS',
             'Head of Year, Deputy Head (Pastoral), Teacher of Mathematics', gen_random_uuid()
         FROM staff WHERE school_id = '{school}' ORDER BY id LIMIT 3"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(matches)).execute(&site.app.pool).await.unwrap();
}

/// Pauses a school and cancels its waiting jobs. Returns the path of the page that shows the
/// progress.
async fn cancel_what_is_paused(site: &Site, school: &SchoolId) -> String {
    let page = site.admin().await;
    page.goto("/dashboard/queues").await;
    page.fill("[name=school]", school.as_str()).await;
    page.fill("form.inline [name=reason]", "its MIS is being changed").await;
    page.click("form.inline button:says(Pause)").await;
    page.wait_for(&format!("a[title='{school}']")).await;
    let job = site.app.press_sync(school).await;
    page.goto(&format!("/dashboard/bulk/review?state.queued=on&school={school}&action=cancel"))
        .await;
    page.click("main form button:says(Cancel)").await;
    page.see("1 of 1").await;
    assert_eq!(site.app.job(&job).await["state"], "cancelled");
    let path = page.path().await;
    page.close().await;
    path
}

/// Whether two corners of each sheet and dialog can be seen and touched.
const IS_WHOLE: &str = "find('details[open] .sheet, dialog[open]').every((sheet) => {
    sheet.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { left, right, top, bottom } = sheet.getBoundingClientRect();
    return [[left + 5, top + 5], [right - 5, bottom - 5]]
        .every((at) => sheet.contains(document.elementFromPoint(...at)));
})";

/// What is wider than its cell of a table, and so covers the next one.
const TOO_WIDE: &str = "find('.rows td').flatMap((cell) => {
    const { right } = cell.getBoundingClientRect();
    return [...cell.children].filter((part) => part.getBoundingClientRect().right > right + 1)
        .map((part) => `wider than its cell: ${part.outerHTML.slice(0, 100)}`);
})";

/// Opens a page on this screen, possibly with something open on it, and returns what is wrong with
/// its looks.
async fn look_at(
    page: &Page,
    name: &str,
    path: &str,
    open: Option<&Open>,
    look: Look,
) -> Vec<String> {
    page.look(look).await;
    match open {
        Some(Open::Missing) => {
            page.open(path).await;
            page.expect_problem("404").await;
        }
        _ => page.goto(path).await,
    }
    let shifts = page.layout_shifts().await;
    match open {
        Some(Open::Click(selector)) => page.click(selector).await,
        Some(Open::Press(keys)) => page.press(keys).await,
        Some(Open::Missing) | None => {}
    }
    let name = format!("{name}-{}", look.name());
    page.screenshot_of_all(&screenshots().join(format!("{name}.png"))).await;
    let mut wrong = page.sideways_scroll().await;
    let jumps = shifts.iter().map(|shift| shift.score).sum::<f64>() > 0.01;
    wrong.extend(jumps.then(|| format!("it jumps as it loads: {shifts:?}")));
    wrong.extend(page.evaluate::<Vec<String>>(TOO_WIDE).await);
    wrong.extend(page.accessibility_violations().await);
    let is_whole: bool = page.evaluate(IS_WHOLE).await;
    wrong.extend((!is_whole).then(|| "what was opened is cut off".to_owned()));
    wrong.into_iter().map(|wrong| format!("{name}: {wrong}")).collect()
}

#[tokio::test]
async fn every_page_looks_good_on_every_screen() {
    let Some(monday) = Monday::start().await else { return };
    let stranger = monday.site.stranger().await;
    let page = monday.site.admin().await;
    let mut wrong = Vec::new();
    for look in Look::all() {
        wrong.extend(look_at(&stranger, "login", "/dashboard/login", None, look).await);
        for (name, path) in PAGES {
            wrong.extend(look_at(&page, name, &monday.path(path), None, look).await);
        }
        for (name, path, open) in &OPENED {
            wrong.extend(look_at(&page, name, &monday.path(path), Some(open), look).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    stranger.close().await;
    page.close().await;
}

/// Bytes over the wire for a page and its files.
const FETCHED: &str = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]\
    .reduce((sum, entry) => sum + entry.transferSize, 0)";

#[tokio::test]
async fn the_first_load_is_small() {
    let Some(site) = Site::start().await else { return };
    let page = site.stranger().await;
    page.goto("/dashboard/login").await;
    let login: u64 = page.evaluate(FETCHED).await;
    sign_in(&page, site.admin_key()).await;
    page.wait_for_path("/dashboard").await;
    let overview: u64 = page.evaluate(FETCHED).await;
    assert!(login > 10_000 && overview > 0, "{login}, {overview}: something was fetched");
    assert!(login + overview <= 45 * 1024, "{login} and {overview} bytes");
    page.close().await;
}

#[tokio::test]
async fn a_theme_that_is_chosen_stays_whatever_the_system_prefers() {
    let Some(site) = Site::start().await else { return };
    let page = site.admin().await;
    page.look(Look::desktop(Theme::Light)).await;
    let [light, dark] = ["> 128", "< 128"].map(|than| format!("{BRIGHTNESS} {than}"));
    page.wait_until("the page is light", &light).await;
    page.click("details.menu summary").await;
    page.click("label:says(Dark)").await;
    page.wait_until("the page is dark", &dark).await;
    page.goto("/dashboard/jobs").await;
    page.wait_until("the next page is dark", &dark).await;
    page.click("details.menu summary").await;
    page.click("label:says(System)").await;
    page.wait_until("the page is light again", &light).await;
    page.look(Look::desktop(Theme::Dark)).await;
    page.wait_until("the page goes with the system", &dark).await;
    page.close().await;
}

/// The red of the background, 0 to 255.
const BRIGHTNESS: &str = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])";
