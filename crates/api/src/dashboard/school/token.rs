//! A school's token: replace it, and ask Wonde what it opens.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_domain::{Action, GrantState, Job, JobState, School, SchoolCheck, TokenState};
use mis_sync_store::schools::{self, OnlyIf};
use secrecy::SecretString;

use super::{Said, View, render_with};
use crate::{
    ApiError,
    dashboard::{
        form::Posted,
        login::go,
        page::form_token,
        parts::{ago, job_path, now, school_path, short},
    },
    parameters::PathId,
    schools::{check, connection},
    state::Access,
};

/// A page waits this long for the result of a test; a later one appears on it by itself.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
/// A result is news for so long; later it is part of what Wonde delivers.
const NEWS: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// The form for another token, and the button that tests the present one.
pub(super) fn forms(of: &View<'_>) -> Markup {
    let operator = of.operator;
    let is_missing = of.school.token == TokenState::Missing;
    html! {
        @if operator.is_allowed(Action::ManageSchools) {
            form.inline method="post" action={ (school_path(&of.school.id)) "/token" } {
                (form_token(operator))
                label {
                    "Token from Wonde"
                    input
                        name="token"
                        type="password"
                        required
                        autocomplete="off"
                        aria-describedby=[of.said.wrong_token.as_ref().map(|_| "wrong-token")]
                        aria-invalid=[of.said.wrong_token.as_ref().map(|_| "true")];
                    @if let Some(wrong) = &of.said.wrong_token {
                        span #wrong-token.wrong { (wrong) }
                    }
                }
                button.primary { (if is_missing { "Connect" } else { "Replace token" }) }
            }
        } @else {
            p.quiet { "A key of the role admin may replace the token." }
        }
        @if !is_missing && operator.is_allowed(Action::Sync) {
            div.buttons { (test(of)) }
        }
    }
}

/// The button that asks Wonde.
pub(super) fn test(of: &View<'_>) -> Markup {
    html! {
        form method="post" action={ (school_path(&of.school.id)) "/check" } {
            (form_token(of.operator))
            button { "Test connection" }
        }
    }
}

/// The result of the last test, while it is news.
pub(super) fn result(of: &View<'_>) -> Markup {
    let is_news = |test: &&Job| now() - test.created_at < NEWS;
    let Some(test) = of.test.as_ref().ok().and_then(Option::as_ref).filter(is_news) else {
        return html! {};
    };
    let check = of.school.last_check.as_ref().filter(|check| check.checked_at >= test.created_at);
    match (test.state, check) {
        (JobState::Succeeded, Some(check)) => verdict(check),
        (JobState::Failed, _) => {
            let title = test.error.as_ref().map_or("", |error| error.title.as_str());
            html! {
                p.failure role="status" { "The connection could not be tested: " (title) "." }
            }
        }
        (JobState::Queued | JobState::Running | JobState::Retrying, _) => html! {
            p.warning role="status" {
                "The connection is being tested; the result appears here. "
                a href=(job_path(test.id)) {
                    "job "
                    code { (short(test.id)) }
                }
            }
        },
        _ => html! {},
    }
}

/// What Wonde said, in words.
pub(in crate::dashboard) fn verdict(check: &SchoolCheck) -> Markup {
    use mis_sync_domain::TokenVerdict::Accepted;
    let granted = check.grants.iter().filter(|grant| grant.state == GrantState::Granted);
    let granted: Vec<&str> = granted.map(|grant| grant.part.label()).collect();
    let missing = check.missing();
    let class = if check.token == Accepted { "good" } else { "failure" };
    html! {
        div.(class).tested role="status" {
            p {
                strong { (check.token.sentence()) }
                @if let Some(name) = &check.wonde_name { " The school is " (name) " in Wonde." }
                span.quiet { " Tested " (ago(check.checked_at)) " ago." }
            }
            @if !granted.is_empty() {
                p { "Granted: " (granted.join(", ")) "." }
            }
            @if !missing.is_empty() {
                ul {
                    @for part in &missing {
                        li { (part) }
                    }
                }
            }
        }
    }
}

/// Gives the school another token, and tests it at once.
pub(in crate::dashboard) async fn replace(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageSchools)?;
    let school = access.school(&id).await?;
    let typed = posted.fields().text("token").unwrap_or_default();
    if let Err(wrong) = connection::check_token(typed) {
        let said = Said { wrong_token: Some(wrong), ..Said::default() };
        let page = render_with(&posted.operator, &school, said).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let (actor, seen) = (posted.actor()?, OnlyIf::IsOneOf(vec![school.version()]));
    let by = access.connector(&actor, &seen);
    let token = SecretString::from(typed);
    let school = schools::replace_token(access.pool(), by, &school, &token).await?;
    test_now(access, school).await
}

/// Asks Wonde what the present token opens.
pub(in crate::dashboard) async fn check(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::Sync)?;
    test_now(access, access.school(&id).await?).await
}

async fn test_now(access: &Access, school: School) -> Result<Response, ApiError> {
    let path = school_path(&school.id);
    check::run(access, school, PATIENCE).await?;
    Ok(go(&path, None))
}
