//! Signing in, forms, and the end of sessions.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use mis_sync_domain::Role;
use mis_sync_store::{
    api_keys,
    audit::{self, AuditFilter},
};
use mis_sync_testing::a_person;

use super::{SignedIn, place};
use crate::support::{App, Ask};

#[tokio::test]
async fn a_key_opens_the_dashboard_and_a_wrong_one_says_why_not() {
    let app = App::start().await;
    let viewer = app.key(Role::Viewer, None).await;
    let answer = app.send(Ask::new("POST", "/dashboard/login").form(&[("key", &viewer)])).await;
    assert_eq!(place(&answer), "/dashboard");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/dashboard"] {
        assert!(cookie.contains(flag), "{flag} in {cookie}");
    }
    let ip_app = app.key(Role::App, None).await;
    let bound = app.key(Role::Operator, Some("oak")).await;
    for (key, says) in [
        ("misk_nonsense", "key isn't valid"),
        ("", "key isn't valid"),
        (ip_app.as_str(), "the iP app"),
        (bound.as_str(), "bound to one school"),
    ] {
        let answer = app.send(Ask::new("POST", "/dashboard/login").form(&[("key", key)])).await;
        assert_eq!(answer.status, 401);
        assert!(answer.text.contains(says), "{says}: {}", answer.text);
        assert!(!answer.headers.contains_key(SET_COOKIE));
        assert!(key.is_empty() || !answer.text.contains(key), "a key is never shown again");
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_asked_to_and_comes_back_to_the_page() {
    let app = App::start().await;
    let answer = app.send(Ask::new("GET", "/dashboard/jobs?state=failed")).await;
    let login = place(&answer);
    assert_eq!(login, "/dashboard/login?next=%2Fdashboard%2Fjobs%3Fstate%3Dfailed");
    let page = app.send(Ask::new("GET", &login)).await;
    assert!(page.text.contains("value=\"/dashboard/jobs?state=failed\""), "{}", page.text);
    let fields = [("key", app.admin.as_str()), ("next", "/dashboard/jobs?state=failed")];
    let answer = app.send(Ask::new("POST", "/dashboard/login").form(&fields)).await;
    assert_eq!(place(&answer), "/dashboard/jobs?state=failed");
    let fields = [("key", app.admin.as_str()), ("next", "https://evil.example")];
    let answer = app.send(Ask::new("POST", "/dashboard/login").form(&fields)).await;
    assert_eq!(place(&answer), "/dashboard");
}

#[tokio::test]
async fn a_link_from_elsewhere_asks_once_more_instead_of_for_a_key() {
    let app = App::start().await;
    let ask = Ask::new("GET", "/dashboard/held").header("sec-fetch-site", "cross-site");
    let answer = app.send(ask).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["refresh"], "0;url=/dashboard/held");
}

#[tokio::test]
async fn a_session_ends_by_signing_out_with_its_key_and_by_itself() {
    let app = App::start().await;
    let is_in = async |who: &SignedIn| who.get(&app, "/dashboard").await.status == 200;

    let left = SignedIn::with(&app, &app.admin).await;
    assert!(is_in(&left).await);
    let answer = left.post(&app, "/dashboard/logout", &[]).await;
    assert_eq!(place(&answer), "/dashboard/login");
    assert!(answer.headers[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert!(!is_in(&left).await, "the cookie is worth nothing, not only gone");

    // The person who is bounced is told why.
    let why = async |who: &SignedIn| who.get(&app, "/dashboard/login").await.text;
    let revoked = SignedIn::of_role(&app, Role::Operator).await;
    assert!(!why(&revoked).await.contains("You were signed out"));
    let keys = api_keys::list(&app.pool).await.unwrap();
    let key = keys.iter().find(|key| key.role == Role::Operator).unwrap();
    api_keys::revoke(&app.pool, key.id, &a_person()).await.unwrap();
    assert!(!is_in(&revoked).await);
    assert!(why(&revoked).await.contains("because your key was revoked"));

    for (column, age, says) in [
        ("seen_at", "61 minutes", "after 60 minutes without activity"),
        ("created_at", "721 minutes", "after 12 hours"),
    ] {
        let old = SignedIn::with(&app, &app.admin).await;
        assert!(is_in(&old).await);
        app.sql(format!("UPDATE dashboard_session SET {column} = now() - interval '{age}'")).await;
        assert!(!is_in(&old).await, "{column}");
        assert!(why(&old).await.contains(says), "{column}");
    }

    let lines = audit::list(&app.pool, &AuditFilter::default(), 100).await.unwrap();
    let actions: Vec<&str> = lines.iter().map(|line| line.action.as_str()).collect();
    assert!(actions.contains(&"sign_in") && actions.contains(&"sign_out"), "{actions:?}");
}

#[tokio::test]
async fn a_forged_or_altered_cookie_opens_nothing() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    let (_, value) = who.cookie.split_once('=').unwrap();
    let mut altered = value.to_owned();
    let last = if altered.pop() == Some('A') { 'B' } else { 'A' };
    // The last character may hold meaningless bits; the one before it never does.
    let before = if altered.pop() == Some('x') { 'y' } else { 'x' };
    altered.extend([before, last]);
    for bad in [altered.as_str(), &value[..30], "", "null"] {
        let cookie = format!("mis_sync_session={bad}");
        let answer = app.send(Ask::new("GET", "/dashboard").cookie(&cookie)).await;
        assert_eq!(place(&answer), "/dashboard/login", "{bad}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_or_session_does_nothing() {
    let app = App::start().await;
    let oak = app.school("oak").await;
    let job = app.job(&oak).await.id;
    let (who, other) =
        (SignedIn::with(&app, &app.admin).await, SignedIn::with(&app, &app.admin).await);
    let path = format!("/dashboard/jobs/{job}/cancel");
    let ask = || Ask::new("POST", &path).cookie(&who.cookie);
    let own = [("form_token", who.form_token.as_str())];
    let foreign = [("form_token", other.form_token.as_str())];
    for refused in [
        ask(),
        ask().form(&[("form_token", "")]),
        ask().form(&foreign),
        ask().form(&own).header("sec-fetch-site", "cross-site"),
        ask().form(&own).header("origin", "https://evil.example"),
    ] {
        let answer = app.send(refused).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
        assert!(answer.text.contains("not from this session"), "{}", answer.text);
    }
    assert_eq!(app.state_of(job).await, "queued");
    let answer = app.send(ask().form(&own).header("sec-fetch-site", "same-origin")).await;
    assert_eq!(place(&answer), format!("/dashboard/jobs/{job}"));
    assert_eq!(app.state_of(job).await, "cancelled");
}

#[tokio::test]
async fn pages_allow_nothing_inline_and_nothing_from_elsewhere() {
    let app = App::start().await;
    let who = SignedIn::with(&app, &app.admin).await;
    for path in ["/dashboard/login", "/dashboard", "/dashboard/nothing"] {
        let answer = who.get(&app, path).await;
        assert_eq!(answer.headers[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        if path == "/dashboard/nothing" {
            continue;
        }
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"), "{policy}");
        let text = &answer.text;
        assert!(!text.contains("style=\"") && !text.contains("onclick"), "{path}");
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}");
    }
}
