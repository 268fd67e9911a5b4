//! Signing in with an API key, and signing out.

use axum::{
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_store::sessions::{IDLE_MINUTES, LONGEST_HOURS, Over};
use secrecy::SecretString;

use super::{
    Preferences, Refusal,
    form::{Fields, Posted, PostedByAnybody, SEC_FETCH_SITE},
    page::plain,
};
use crate::{
    ApiError, ApiState,
    state::{SESSION_COOKIE, SignIn},
};

const HX_REQUEST: HeaderName = HeaderName::from_static("hx-request");
const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The sign-in page.
pub(super) async fn show(State(state): State<ApiState>, parts: Parts) -> Response {
    let next = Fields::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let preferences = Preferences::of(&parts.headers, &state);
    let refusal = match parts.extensions.get::<Refusal>() {
        Some(refusal) => Some(refusal.error().to_string()),
        None => state.why_over(&parts.headers).await.map(why_over),
    };
    page(StatusCode::OK, &preferences, next.text("next"), refusal.as_deref())
}

/// Why the person has to sign in again.
fn why_over(over: Over) -> String {
    match over {
        Over::KeyRevoked => {
            "You were signed out because your key was revoked. Ask an administrator for a new one."
                .into()
        }
        Over::KeyExpired => {
            "You were signed out because your key has expired. Ask an administrator for a new one."
                .into()
        }
        Over::SignedOut => "You have signed out.".into(),
        Over::TooLong => format!("You were signed out after {LONGEST_HOURS} hours."),
        Over::Idle => format!("You were signed out after {IDLE_MINUTES} minutes without activity."),
    }
}

fn page(
    status: StatusCode,
    preferences: &Preferences,
    next: Option<&str>,
    refusal: Option<&str>,
) -> Response {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(refusal) = refusal {
            p.refusal role="alert" { (refusal) }
        }
        form.stacked method="post" action="/dashboard/login" {
            label for="key" { "API key" }
            input
                #key
                name="key"
                type="password"
                required
                autofocus
                autocomplete="current-password"
                spellcheck="false"
                placeholder="misk_…"
                aria-describedby="key-hint";
            p #key-hint.quiet {
                "A key with the role viewer, operator or admin. An administrator creates one here or with "
                code { "mis-sync keys create --name NAME --role operator" }
                "."
            }
            @if let Some(next) = next {
                input type="hidden" name="next" value=(next);
            }
            button.primary { "Sign in" }
        }
    };
    plain(status, "Sign in", Some(preferences), &content)
}

/// Accepts a key, and begins a session.
pub(super) async fn sign_in(
    State(state): State<ApiState>,
    PostedByAnybody(fields, headers): PostedByAnybody,
) -> Result<Response, ApiError> {
    let key = SecretString::from(fields.text("key").unwrap_or_default());
    let refusal = match state.sign_in(&key).await? {
        SignIn::Done(cookie) => {
            let next = fields.text("next").filter(|next| is_ours(next)).unwrap_or("/dashboard");
            return Ok(go(next, Some(set_cookie(&headers, &cookie, LONGEST_HOURS * 3600))));
        }
        SignIn::WrongKey => "That key isn't valid. It may be mistyped, expired or revoked.",
        SignIn::WrongRole => {
            "This key is the iP app's. The dashboard takes keys of the role viewer, operator or \
             admin."
        }
        SignIn::OneSchool => {
            "This key is bound to one school, and the dashboard shows all of them."
        }
    };
    let preferences = Preferences::of(&headers, &state);
    Ok(page(StatusCode::UNAUTHORIZED, &preferences, fields.text("next"), Some(refusal)))
}

/// Ends the session.
pub(super) async fn sign_out(
    State(state): State<ApiState>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, ApiError> {
    state.sign_out(&posted.operator).await?;
    Ok(go("/dashboard/login", Some(set_cookie(&headers, "", 0))))
}

/// The answer to a visitor who is not signed in.
pub(crate) fn ask_to_sign_in(parts: &Parts) -> Response {
    let is = |name, wanted: &str| parts.headers.get(name).is_some_and(|value| value == wanted);
    if is(HX_REQUEST, "true") {
        // A part of a page that loads itself: the whole page has to go.
        let login = [(HX_REDIRECT, HeaderValue::from_static("/dashboard/login"))];
        return (StatusCode::UNAUTHORIZED, login).into_response();
    }
    if is(SEC_FETCH_SITE, "cross-site") && parts.method == axum::http::Method::GET {
        return once_more(parts);
    }
    let here = parts.uri.path_and_query().map_or("/dashboard", |path| path.as_str());
    let next: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
    // The address of a form leads to its page.
    if here != "/dashboard" {
        return go(&format!("/dashboard/login?next={next}"), None);
    }
    go("/dashboard/login", None)
}

/// A link in a mail or a chat leads here, and browsers then withhold a strict cookie. The page
/// loads itself once more, and that request comes from us and has the cookie.
fn once_more(parts: &Parts) -> Response {
    let here = parts.uri.path_and_query().map_or("/dashboard", |path| path.as_str());
    let content: Markup = html! {
        p {
            a href=(here) { "Go on" }
        }
    };
    let mut response = plain(StatusCode::OK, "One moment", None, &content);
    if let Ok(value) = HeaderValue::from_str(&format!("0;url={here}")) {
        response.headers_mut().insert(HeaderName::from_static("refresh"), value);
    }
    response
}

/// Whether a place belongs to the dashboard: a person is never sent elsewhere after signing in.
pub(super) fn is_ours(next: &str) -> bool {
    let rest = next.strip_prefix("/dashboard");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

/// Sends the browser to another page, by GET.
pub(super) fn go(place: &str, cookie: Option<HeaderValue>) -> Response {
    let place =
        HeaderValue::from_str(place).unwrap_or_else(|_| HeaderValue::from_static("/dashboard"));
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Over HTTPS the cookie is only sent over HTTPS; a proxy in front says what the browser uses.
fn set_cookie(request: &HeaderMap, value: &str, seconds: u32) -> HeaderValue {
    let is_https = request.get(X_FORWARDED_PROTO).is_some_and(|proto| proto == "https");
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!(
        "{SESSION_COOKIE}={value}; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    );
    HeaderValue::from_str(&text).expect("base64 and numbers")
}

/// How long a session lasts, for the page of API keys.
pub(super) fn how_long() -> String {
    format!("after {IDLE_MINUTES} minutes without a page, and {LONGEST_HOURS} hours at the most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for good in ["/dashboard", "/dashboard/jobs?state=failed", "/dashboard?window=day"] {
            assert!(is_ours(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "https://evil.example",
            "//evil.example",
            "/dashboardx",
            "/dashboard\\..",
            "/dashboard\r\nSet-Cookie: a=b",
            "/v1/jobs",
        ] {
            assert!(!is_ours(bad), "{bad}");
        }
    }

    #[test]
    fn the_cookie_is_for_https_where_the_browser_speaks_it() {
        let plain = set_cookie(&HeaderMap::new(), "x", 60);
        assert_eq!(
            plain,
            "mis_sync_session=x; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age=60"
        );
        let proxied: HeaderMap =
            [(X_FORWARDED_PROTO, HeaderValue::from_static("https"))].into_iter().collect();
        assert!(set_cookie(&proxied, "x", 60).to_str().unwrap().ends_with("; Secure"));
    }
}
