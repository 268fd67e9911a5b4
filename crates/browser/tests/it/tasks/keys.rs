//! Give a colleague access, and take it back.

use crate::site::Site;

#[tokio::test]
async fn a_colleague_gets_access_and_loses_it_and_is_told_why() {
    let Some(site) = Site::start().await else { return };
    let page = site.admin().await;
    page.take_clicks();
    page.click("#tabs a:says(API keys)").await;
    page.fill("[name=name]", "Opal, supply desk").await;
    assert_eq!(page.value("[name=role]").await, "viewer", "the least is the default");
    page.choose("[name=days]", "30").await;
    page.click("button:says(Create key)").await;
    page.wait_for("button:says(Copy)").await;
    assert_eq!(page.take_clicks(), 3);
    let key = page.text("code.secret").await;
    page.wait_for("tr:says(Opal) .badge:says(valid)").await;
    page.see("until").await;

    let colleague = site.signed_in(&key).await;
    colleague.goto("/dashboard/schools").await;
    page.take_clicks();
    page.click("tr:says(Opal) summary:says(Revoke)").await;
    page.click("details[open] button:says(Revoke)").await;
    assert_eq!(page.take_clicks(), 2);
    page.wait_for("tr:says(Opal) .badge:says(revoked)").await;
    colleague.expect_problem("status of 401").await;
    colleague.expect_problem("status 401").await;
    colleague.see("You were signed out because your key was revoked").await;
    colleague.close().await;
    page.close().await;
}
