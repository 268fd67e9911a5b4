//! Each complaint of the driver is provoked once, to show that it works.

use std::time::Duration;

use mis_sync_browser::{Browser, Look, Page, Theme, screenshots};

use crate::support::{refusal, serve};

const SHORT: Duration = Duration::from_millis(300);

/// A page with this body and, if given, this script.
async fn page(browser: &Browser, html: &'static str, script: &'static str) -> Page {
    let root = serve(&[("page.html", html), ("page.js", script)]).await;
    let page = browser.page(&root).await;
    page.goto("/page.html").await;
    page
}

#[tokio::test]
async fn a_person_clicks_types_presses_and_chooses() {
    let Some(browser) = Browser::start().await else { return };
    let page = page(
        &browser,
        "<!doctype html><title>Form</title><script src=page.js defer></script>
         <form><input name=q value=old><select name=s><option value=a>A<option value=b>B</select>
         <button type=button>Say  it</button></form><p id=out data-k=v></p><p hidden>secret</p>",
        "const out = document.getElementById('out');
         document.querySelector('button').onclick = () => {
           setTimeout(() => { out.textContent = 'Hello ' + document.querySelector('input').value }, 50);
         };
         document.querySelector('select').onchange = (event) => { out.textContent = event.target.value };
         onkeydown = (event) => {
           if (event.ctrlKey && event.key === 'k') { event.preventDefault(); out.textContent = 'palette' }
           if (event.key === '?') out.textContent = 'help';
         };",
    )
    .await;
    page.fill("[name=q]", "Zoë 9").await;
    page.click("button:says(say it)").await;
    page.see("hello zoë 9").await;
    assert_eq!(page.text("#out").await, "Hello Zoë 9");
    assert_eq!(page.value("[name=q]").await, "Zoë 9");
    assert_eq!(page.attribute("#out", "data-k").await.as_deref(), Some("v"));
    assert_eq!(page.attribute("#out", "data-none").await, None);
    page.choose("select", "b").await;
    assert_eq!(page.text("#out").await, "b");
    assert_eq!((page.take_clicks(), page.take_clicks()), (2, 0), "the button and the choice");
    page.press("Control+k").await;
    page.see("palette").await;
    page.press("?").await;
    page.see("help").await;
    assert_eq!((page.count("p").await, page.count("p:says(secret)").await), (1, 0));
    assert_eq!(
        (page.count("form:says(say it) input").await, page.count("p:says(help) b").await),
        (1, 0)
    );
    assert_eq!(page.path().await, "/page.html");
    page.close().await;
}

#[tokio::test]
async fn what_nobody_could_click_is_not_clicked() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><title>Buttons</title><link rel=stylesheet href=page.css>
        <button id=off disabled>Off</button><button id=under>Under</button><div></div>
        <button hidden>Hidden</button>";
    let css = "div { position: fixed; inset: 0 }";
    let root = serve(&[("page.html", html), ("page.css", css)]).await;
    for (button, reason) in [
        ("#off", "it is disabled"),
        ("#under", "it is covered by <div>"),
        ("button:says(hidden)", "it is not there"),
    ] {
        let page = browser.page(&root).await.with_patience(SHORT);
        page.goto("/page.html").await;
        let told = refusal(page.click(button)).await;
        assert!(told.contains(reason) && told.contains("goto /page.html"), "{told}");
    }
    assert!(
        screenshots().join("failures/driver-what_nobody_could_click_is_not_clicked.png").exists()
    );
}

#[tokio::test]
async fn a_page_with_a_problem_fails_the_test() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><title>Trouble</title><script src=page.js></script>";
    for (script, complaint) in [
        ("throw new Error('of a script')", "Error: of a script"),
        ("Promise.reject(new Error('of a promise'))", "Error: of a promise"),
        ("console.error('told', 7)", "console.error: \"told\" 7"),
        ("console.warn('beware')", "console.warning: \"beware\""),
        ("console.assert(false, 'not so')", "console.assert: \"not so\""),
        (
            "fetch('/none')",
            "network: Failed to load resource: the server responded with a status of 404",
        ),
        ("fetch('http://127.0.0.1:9/').catch(() => {})", "Content Security Policy"),
        ("document.documentElement.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("document.write('<img src=none.png alt=x>')", "/none.png"),
    ] {
        let root = serve(&[("page.html", html), ("page.js", script)]).await;
        let page = browser.page(&root).await;
        page.open("/page.html").await;
        let told = refusal(page.wait_until("it is told", "false")).await;
        assert!(told.starts_with("the page has problems:") && told.contains(complaint), "{told}");
        page.expect_problem(complaint).await;
        page.close().await;
    }
}

#[tokio::test]
async fn the_last_problem_is_noticed_too() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><title>Trouble</title><script src=page.js></script>";
    let page = page(&browser, html, "onkeydown = () => console.error('at the end')").await;
    page.press("a").await;
    let told = refusal(page.close()).await;
    assert!(told.contains("at the end"), "{told}");
}

#[tokio::test]
async fn nothing_is_waited_for_longer_than_patience_allows() {
    let Some(browser) = Browser::start().await else { return };
    let page = page(&browser, "<!doctype html><title>Still</title><p>Still</p>", "").await;
    let page = page.with_patience(SHORT);
    let told = refusal(page.see("moving")).await;
    assert!(told.starts_with("waited in vain until the page says “moving”"), "{told}");
    let told = refusal(page.wait_until_gone("p")).await;
    assert!(told.starts_with("waited in vain until there is no p"), "{told}");
    let told = refusal(page.expect_problem("any")).await;
    assert!(told.starts_with("waited in vain for a problem with “any”"), "{told}");
    let told = refusal(page.wait_for_path("/other")).await;
    assert!(told.contains("the path is /other"), "{told}");
    // A port that browsers refuse.
    let page = browser.page("http://127.0.0.1:9").await;
    let told = refusal(page.goto("/")).await;
    assert!(told.contains("it does not open: net::ERR_UNSAFE_PORT"), "{told}");
}

#[tokio::test]
async fn barriers_are_found_under_a_strict_policy() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><html lang=en><title>Barriers</title>
        <link rel=stylesheet href=page.css><main><h1>Barriers</h1><input><p>grey</p></main>";
    let root = serve(&[("page.html", html), ("page.css", "p { color: #bbb }")]).await;
    let page = browser.page(&root).await;
    page.goto("/page.html").await;
    let told = refusal(page.expect_accessible()).await;
    for barrier in ["color-contrast (serious, 1 times)", "label (critical, 1 times)", "<p>grey</p>"]
    {
        assert!(told.contains(barrier), "{told}");
    }
    assert_eq!(page.accessibility_violations().await.len(), 2);
    page.close().await;
}

#[tokio::test]
async fn what_jumps_is_told_and_what_answers_a_click_is_not() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><title>Late</title><script src=page.js defer></script>\
        <div id=room></div><p id=text>Read me</p><button>More</button>";
    let late = "setTimeout(() => room.append(...Array.from({ length: 9 }, () => {
        const line = document.createElement('p'); line.textContent = 'late'; return line; })), 200);
        document.querySelector('button').onclick = () => text.before('more', document.createElement('hr'));";
    let page = page(&browser, html, late).await;
    page.see("late").await;
    let shifts = page.layout_shifts().await;
    assert!(shifts.iter().any(|shift| shift.score > 0.01), "{shifts:?}");
    assert!(shifts.iter().any(|shift| shift.moved.contains(&"p#text".to_owned())), "{shifts:?}");
    page.click("button").await;
    page.see("more").await;
    assert_eq!(page.layout_shifts().await, shifts, "who clicks expects something");
    page.close().await;
}

#[tokio::test]
async fn screens_and_themes_are_as_asked_and_pictures_show_them() {
    let Some(browser) = Browser::start().await else { return };
    let html = "<!doctype html><html lang=en><title>Wide</title>
        <meta name=viewport content='width=device-width'><link rel=stylesheet href=page.css>
        <div><span>too far</span></div>";
    let css = "body { margin: 0 } div { width: 600px; height: 2000px } span { float: right }";
    let root = serve(&[("page.html", html), ("page.css", css)]).await;
    let page = browser.page(&root).await;
    for look in Look::all() {
        page.look(look).await;
        page.goto("/page.html").await;
        let width: u32 = page.evaluate("document.documentElement.clientWidth").await;
        assert_eq!(width, look.width);
        let dark: bool = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!(dark, look.theme == Theme::Dark);
        assert!(page.evaluate::<bool>("matchMedia('(prefers-reduced-motion)').matches").await);

        let file = screenshots().join("driver").join(format!("{}.png", look.name()));
        let size = page.screenshot(&file).await;
        assert_eq!(std::fs::read(&file).unwrap().len(), size);
        assert_eq!(dimensions(&file), (look.width, look.height));
        page.screenshot_of_all(&file).await;
        assert_eq!(dimensions(&file).1, 2000);
        if look.mobile {
            let told = refusal(page.expect_no_sideways_scroll()).await;
            assert!(told.contains("<span>too far</span> ends at 600"), "{told}");
        } else {
            page.expect_no_sideways_scroll().await;
        }
    }
    page.close().await;
}

/// Width and height, from the head of a PNG file.
fn dimensions(file: &std::path::Path) -> (u32, u32) {
    let bytes = std::fs::read(file).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
