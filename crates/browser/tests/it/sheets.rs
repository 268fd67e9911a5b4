//! The sheet of a button in a table opens beside the button, and stays.

use mis_sync_browser::{Look, Page, Theme};
use serde::Deserialize;

use crate::site::Site;

/// A sheet may be so far from its button, in CSS pixels.
const NEAR: f64 = 8.0;

/// The places of the button and of its sheet in the window.
const PLACES: &str = "(([details]) => details && {
    button: details.querySelector('summary').getBoundingClientRect().toJSON(),
    sheet: details.querySelector('.sheet').getBoundingClientRect().toJSON(),
    window: new DOMRect(0, 0, document.documentElement.clientWidth, innerHeight).toJSON(),
})(find('.rows details[open]'))";

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Place {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Place {
    fn is_within(self, other: Self) -> bool {
        self.left >= other.left
            && self.right <= other.right
            && self.top >= other.top
            && self.bottom <= other.bottom
    }

    /// The gap between two places; negative if they overlap.
    fn distance(self, other: Self) -> f64 {
        let across = (self.left - other.right).max(other.left - self.right);
        let down = (self.top - other.bottom).max(other.top - self.bottom);
        across.max(down)
    }
}

#[derive(Debug, Deserialize)]
struct Places {
    button: Place,
    sheet: Place,
    window: Place,
}

impl Places {
    async fn of_open(page: &Page) -> Self {
        page.wait_for(".rows details[open] .sheet").await;
        page.evaluate(PLACES).await
    }

    fn expect_near(&self) {
        assert!(self.sheet.is_within(self.window), "{self:?}");
        assert!((0.0..=NEAR).contains(&self.sheet.distance(self.button)), "{self:?}");
    }
}

/// Scrolls until a button is at this edge of the window, and presses it without a mouse.
async fn press_at_the_edge(page: &Page, button: usize, edge: &str) {
    let focus = format!(
        "((button) => {{ button.scrollIntoView({{ block: '{edge}' }}); \
         button.focus({{ preventScroll: true }}); return true }})(find('.rows summary')[{button}])"
    );
    page.evaluate::<bool>(&focus).await;
    page.press("Enter").await;
}

async fn many_keys(site: &Site) {
    let keys = "INSERT INTO api_key (id, name, role, secret_hash)
        SELECT gen_random_uuid(), 'Desk ' || number, 'viewer', '\\x00'
        FROM generate_series(1, 40) AS number";
    sqlx::raw_sql(keys).execute(&site.app.pool).await.unwrap();
}

#[tokio::test]
async fn a_sheet_is_beside_the_button_of_its_row_wherever_the_row_is() {
    let Some(site) = Site::start().await else { return };
    many_keys(&site).await;
    let page = site.admin().await;
    for height in [800, 400] {
        page.look(Look { height, ..Look::desktop(Theme::Light) }).await;
        page.goto("/dashboard/keys").await;
        let last = page.count(".rows summary").await - 1;
        for (button, edge) in
            [(0, "start"), (20, "start"), (20, "center"), (20, "end"), (last, "end")]
        {
            press_at_the_edge(&page, button, edge).await;
            let places = Places::of_open(&page).await;
            places.expect_near();
            page.press("Escape").await;
            page.wait_until_gone(".rows details[open]").await;
        }
    }
    // With the mouse too; another click on the button closes it.
    page.look(Look::desktop(Theme::Light)).await;
    page.click("tr:says(Desk 40) summary").await;
    Places::of_open(&page).await.expect_near();
    page.click("tr:says(Desk 40) summary").await;
    page.wait_until_gone(".rows details[open]").await;
    page.click("tr:says(Desk 7) summary").await;
    page.see("Revoke the key “Desk 7”").await;
    page.fill("details[open] [name=reason]", "left the team").await;
    page.click("details[open] button:says(Revoke)").await;
    page.wait_for("tr:says(Desk 7) .badge:says(revoked)").await;

    // On a phone it is in the middle.
    page.look(Look::phone(Theme::Light)).await;
    page.click("tr:says(Desk 12) summary").await;
    let places = Places::of_open(&page).await;
    assert!(places.sheet.is_within(places.window), "{places:?}");
    page.close().await;
}

#[tokio::test]
async fn an_open_sheet_stays_where_it_is_when_the_page_refreshes_itself() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.failed_sync(&school).await;
    let page = site.admin().await;
    page.goto("/dashboard/jobs").await;
    page.click("table summary:says(Retry)").await;
    let before = Places::of_open(&page).await;
    before.expect_near();
    page.fill("details[open] [name=reason]", "the MIS").await;
    // The other sync is a row above.
    site.life_goes_on(&page, "#jobs h2 span").await;
    page.wait_until("the row has moved", "find('table tbody tr').length > 1").await;
    let after = Places::of_open(&page).await;
    assert_eq!(after.sheet, before.sheet);
    assert_eq!(page.value("details[open] [name=reason]").await, "the MIS");
    page.click("details[open] button:says(Retry)").await;
    page.wait_for("ol.lineage").await;
    page.close().await;
}
