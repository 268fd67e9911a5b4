//! The same on a phone.

use mis_sync_browser::{Look, Theme};

use crate::site::{Site, act};

/// The top of the first row that is shown, in pixels.
const FIRST_ROW: &str = "find('#jobs tbody tr')[0].getBoundingClientRect().top";

#[tokio::test]
async fn on_a_phone_the_first_job_is_on_the_first_screen() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    site.failed_sync(&school).await;
    let page = site.admin().await;
    page.look(Look::phone(Theme::Light)).await;
    page.goto("/dashboard").await;
    page.take_clicks();
    page.click("#tabs a:says(Jobs)").await;
    page.wait_for("#jobs tbody tr").await;
    let top: f64 = page.evaluate(FIRST_ROW).await;
    assert!(top < 500.0, "the first job begins at {top} of 844 pixels");
    let header: f64 = page.evaluate("find('header.top')[0].offsetHeight").await;
    assert!(header <= 60.0, "the header takes {header} pixels");
    act(&page, "Retry", "from the train").await;
    page.wait_for("h1 .badge:says(succeeded)").await;
    assert_eq!(page.take_clicks(), 3);
    page.close().await;
}
