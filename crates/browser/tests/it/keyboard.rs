//! Use without a mouse.

use crate::site::Site;

const FOCUSED: &str = "document.activeElement?.id";

#[tokio::test]
async fn pages_are_reached_and_searched_by_keys() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let job = site.sync(&school).await;
    let page = site.admin().await;

    page.press("/").await;
    page.wait_until("the search has the focus", &format!("{FOCUSED} === 'find'")).await;
    page.type_text("g j ?").await;
    assert_eq!(page.value("#find").await, "g j ?", "in a field keys only write");
    page.press("Escape").await;

    page.press("g").await;
    page.press("j").await;
    page.wait_for_path("/dashboard/jobs").await;
    page.press("j").await;
    page.wait_for("tr[data-at]").await;
    site.life_goes_on(&page, "#jobs h2 span").await;
    page.see("2 jobs").await;
    page.press("Enter").await;
    page.wait_for_path(&format!("/dashboard/jobs/{job}")).await;

    page.press("?").await;
    page.wait_for("dialog:says(Keyboard shortcuts)").await;
    page.press("Escape").await;
    page.wait_until_gone("dialog").await;
    page.close().await;
}

#[tokio::test]
async fn the_palette_goes_anywhere() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let job = site.sync(&school).await;
    let page = site.admin().await;
    page.press("Control+k").await;
    page.wait_for("#palette a:says(Audit log)").await;
    page.type_text(school.as_str()).await;
    page.wait_until("only the school is found", "find('#palette-hits a').length === 1").await;
    page.press("Enter").await;
    page.wait_for_path(&format!("/dashboard/schools/{school}")).await;

    page.press("Control+k").await;
    page.type_text(&job[..13]).await;
    page.wait_until(
        "only the job is found",
        "find('#palette-hits a:says(full sync)').length === 1",
    )
    .await;
    page.press("ArrowDown").await;
    page.press("Enter").await;
    page.wait_for_path(&format!("/dashboard/jobs/{job}")).await;
    page.close().await;
}

#[tokio::test]
async fn one_signs_in_and_gets_to_the_content_by_tab() {
    let Some(site) = Site::start().await else { return };
    let page = site.stranger().await;
    page.goto("/dashboard/login").await;
    page.wait_until("the field has the focus", &format!("{FOCUSED} === 'key'")).await;
    page.type_text(site.admin_key()).await;
    page.press("Enter").await;
    page.wait_for_path("/dashboard").await;
    page.press("Tab").await;
    page.wait_for("a.skip:says(Skip to content)").await;
    page.press("Enter").await;
    page.wait_until("the content has the focus", &format!("{FOCUSED} === 'main'")).await;
    page.close().await;
}
