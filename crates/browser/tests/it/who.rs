//! Who can sign in, who may do what, and how a session ends.

use crate::site::{Site, act, make_key, sign_in};

#[tokio::test]
async fn someone_signs_in_and_out() {
    let Some(site) = Site::start().await else { return };
    let page = site.stranger().await;
    page.goto("/dashboard/jobs?state=failed").await;
    page.wait_for_path("/dashboard/login?next=%2Fdashboard%2Fjobs%3Fstate%3Dfailed").await;

    page.fill("#key", "misk_of_nobody").await;
    page.press("Enter").await;
    page.expect_problem("401").await;
    page.see("key isn't valid").await;

    sign_in(&page, site.admin_key()).await;
    page.wait_for_path("/dashboard/jobs?state=failed").await;
    let cookies: String = page.evaluate("document.cookie").await;
    assert!(!cookies.contains("session"), "no script can read it: {cookies}");

    page.click("details.menu summary").await;
    page.click("button:says(Sign out)").await;
    page.wait_for_path("/dashboard/login").await;
    page.goto("/dashboard").await;
    page.wait_for_path("/dashboard/login").await;
    page.close().await;
}

#[tokio::test]
async fn a_viewer_looks_and_cannot_act() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let job = site.failed_sync(&school).await;
    let admin = site.admin().await;
    let viewer = site.signed_in(&make_key(&admin, "visitor", "viewer").await).await;
    for path in [
        format!("/dashboard/jobs/{job}"),
        format!("/dashboard/schools/{school}"),
        "/dashboard/queues".into(),
        "/dashboard/jobs?state.failed=on".into(),
    ] {
        viewer.goto(&path).await;
        // To save a view and to look for a person changes nothing.
        let acts = "main form[method=post]:not([action*=views]):not([action$='/find'])";
        assert_eq!(viewer.count(acts).await, 0, "{path}");
        admin.goto(&path).await;
        assert_ne!(
            admin.count("main form[method=post], main summary.button, main a.button").await,
            0,
            "{path}"
        );
    }

    // A form that the viewer makes by hand is refused too.
    viewer.goto(&format!("/dashboard/jobs/{job}")).await;
    let status: u16 = viewer
        .evaluate(
            "fetch(location.pathname + '/retry', { method: 'POST', body: new URLSearchParams({ \
             form_token: document.querySelector('[name=form_token]').value }) }).then((answer) => answer.status)",
        )
        .await;
    assert_eq!(status, 403);
    viewer.expect_problem("403").await;

    viewer.open("/dashboard/keys").await;
    viewer.expect_problem("403").await;
    viewer.see("Only a key of the role admin may do this").await;
    viewer.wait_for("#tabs").await;
    viewer.close().await;
    admin.close().await;
}

#[tokio::test]
async fn a_person_with_another_role_by_now_lands_on_the_page_and_is_told_what_can_be_done() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let job = site.failed_sync(&school).await;
    let page = site.admin().await;
    let viewer = make_key(&page, "visitor", "viewer").await;
    page.goto(&format!("/dashboard/jobs/{job}")).await;
    // They sign in again in another tab, and then press the button in this one.
    let sign_in = format!(
        "fetch('/dashboard/login', {{ method: 'POST', body: new URLSearchParams({{ key: '{viewer}' }}) }}) \
         .then((answer) => answer.ok)"
    );
    assert!(page.evaluate::<bool>(&sign_in).await);
    act(&page, "Retry", "the MIS is back").await;
    page.expect_problem("403").await;
    page.see("You are signed in with visitor (viewer) now").await;
    page.wait_for("h1 .badge:says(failed)").await;
    page.wait_until_gone("summary:says(Retry)").await;

    // The same form, as if the page still had it.
    let path = format!("/dashboard/jobs/{job}");
    let press = format!(
        "(() => {{ const form = document.querySelector('.menu form[action$=logout]'); \
         form.action = '{path}/retry'; form.requestSubmit(); return true }})()"
    );
    page.evaluate::<bool>(&press).await;
    page.expect_problem("403").await;
    page.see("Only a key of the role operator or admin may do this").await;
    page.wait_for("h1 .badge:says(failed)").await;
    page.reload().await;
    page.wait_for_path(&path).await;
    page.close().await;
}

#[tokio::test]
async fn a_revoked_key_signs_out_whoever_came_in_with_it() {
    let Some(site) = Site::start().await else { return };
    let admin = site.admin().await;
    let operator = site.signed_in(&make_key(&admin, "night shift", "operator").await).await;
    operator.goto("/dashboard/schools").await;

    admin.goto("/dashboard/keys").await;
    admin.click("tr:says(night shift) summary").await;
    admin.fill("details[open] [name=reason]", "left the team").await;
    admin.click("details[open] button:says(Revoke)").await;
    admin.wait_for("tr:says(night shift) .badge:says(revoked)").await;

    // The open page notices automatically.
    operator.expect_problem("status of 401").await;
    operator.expect_problem("status 401").await;
    operator.wait_for_path("/dashboard/login?next=%2Fdashboard%2Fschools").await;
    operator.close().await;

    admin.goto("/dashboard/audit").await;
    admin.wait_for("tr:says(left the team)").await;
    admin.close().await;
}

#[tokio::test]
async fn what_someone_does_is_in_the_audit_log_with_the_reason() {
    let Some((site, school)) = Site::of_one_school().await else { return };
    let job = site.failed_sync(&school).await;
    let admin = site.admin().await;
    admin.goto(&format!("/dashboard/jobs/{job}")).await;
    act(&admin, "Retry", "the MIS is back").await;
    admin.wait_until("it is another job", &format!("!location.pathname.includes('{job}')")).await;

    admin.goto("/dashboard/audit").await;
    let line = admin.text("tr:says(the MIS is back)").await;
    assert!(line.contains("retry") && line.contains("test"), "{line}");
    admin.wait_for(&format!("tr:says(the MIS is back) a[title='{school}']")).await;
    admin.click("button:says(Verify the chain)").await;
    admin.see("unbroken").await;
    admin.close().await;
}
