//! The whole system with a browser in front of it.

use mis_sync_browser::{Browser, Page};
use mis_sync_domain::SchoolId;
use mis_sync_testing::{TestApp, TestAppOptions};
use mis_sync_wonde_sim::{Scenario, SimulatorOptions};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// A browser and the system that it shows.
pub(crate) struct Site {
    pub(crate) app: TestApp,
    browser: Browser,
}

impl Site {
    /// The default system; `None` if the machine has no browser.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with(TestAppOptions::default()).await
    }

    pub(crate) async fn start_with(options: TestAppOptions) -> Option<Self> {
        let browser = Browser::start().await?;
        Some(Self { browser, app: TestApp::start_with(options).await })
    }

    /// A system with one connected school, and one that is not connected yet.
    pub(crate) async fn of_one_school() -> Option<(Self, SchoolId)> {
        let simulator = SimulatorOptions { schools: 2, ..SimulatorOptions::default() };
        let site =
            Self::start_with(TestAppOptions { simulator, ..TestAppOptions::default() }).await?;
        let school = site.app.connect_school(0).await;
        Some((site, school))
    }

    /// A page of a visitor who has not signed in.
    pub(crate) async fn stranger(&self) -> Page {
        self.browser.page(&self.app.api_url).await
    }

    /// A page of a visitor who has signed in with this key.
    pub(crate) async fn signed_in(&self, key: &str) -> Page {
        let page = self.stranger().await;
        page.goto("/dashboard/login").await;
        sign_in(&page, key).await;
        page.wait_for_path("/dashboard").await;
        page
    }

    /// A page of the administrator.
    pub(crate) async fn admin(&self) -> Page {
        self.signed_in(self.admin_key()).await
    }

    pub(crate) fn admin_key(&self) -> &str {
        self.app.admin_key.expose_secret()
    }

    /// Runs a sync to its end.
    pub(crate) async fn sync(&self, school: &SchoolId) -> String {
        let job = self.app.press_sync(school).await;
        let ended =
            |job: &Value| !["queued", "running"].iter().any(|state| job["state"] == **state);
        self.app.wait_for_job(&job, "the sync ends", ended).await;
        job
    }

    /// Syncs another school, and waits until the part of a page with this element is up to date.
    pub(crate) async fn life_goes_on(&self, page: &Page, element: &str) {
        let element = format!("find('{element}')[0]");
        page.evaluate::<Value>(&format!("void ({element}.textContent = 'out of date')")).await;
        let other = self.app.connect_school(1).await;
        self.sync(&other).await;
        let is_fresh = format!("!says({element}, 'out of date')");
        page.wait_until("the page is fresh", &is_fresh).await;
    }

    /// A sync that is held because half of the school has left.
    pub(crate) async fn held_sync(&self, school: &SchoolId) -> String {
        self.sync(school).await;
        let leavers =
            Scenario { count: Some(20), ..mis_sync_wonde_sim::ScenarioName::Leaver.into() };
        self.app.simulator.simulator().apply_scenario(school.as_str(), leavers).unwrap();
        let job = self.sync(school).await;
        assert_eq!(self.app.job(&job).await["state"], "held");
        job
    }

    /// A sync that fails for good.
    pub(crate) async fn failed_sync(&self, school: &SchoolId) -> String {
        self.add_fault(school, json!({ "path": "/employees", "status": 403, "count": 1 }));
        let job = self.sync(school).await;
        assert_eq!(self.app.job(&job).await["state"], "failed");
        job
    }

    /// Makes Wonde answer this school wrongly or late.
    pub(crate) fn add_fault(&self, school: &SchoolId, mut fault: Value) {
        fault["school"] = json!(school);
        self.app.simulator.simulator().add_fault(serde_json::from_value(fault).unwrap());
    }
}

/// Signs in with a key.
pub(crate) async fn sign_in(page: &Page, key: &str) {
    page.fill("#key", key).await;
    page.click("button:says(Sign in)").await;
}

/// The administrator creates a key; returns it.
pub(crate) async fn make_key(admin: &Page, name: &str, role: &str) -> String {
    admin.goto("/dashboard/keys").await;
    admin.fill("[name=name]", name).await;
    admin.choose("[name=role]", role).await;
    admin.click("button:says(Create key)").await;
    admin.text("code.secret").await
}

/// Opens the sheet of a button and confirms it with a reason.
pub(crate) async fn act(page: &Page, what: &str, reason: &str) {
    page.click(&format!("summary:says({what})")).await;
    page.fill("details[open] [name=reason]", reason).await;
    page.click(&format!("details[open] button:says({what})")).await;
}
