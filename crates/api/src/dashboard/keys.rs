//! API keys, for administrators: which there are, a new one, and the end of one.

use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{Action, Role, SchoolId};
use mis_sync_store::api_keys::{self, ApiKey, NewApiKey};
use secrecy::{ExposeSecret, SecretString};

use super::{
    form::Posted,
    login::{go, how_long},
    page::{Page, Tab, form_token},
    parts::{ActionButton, badge, now, panel, read, scroll, time},
};
use crate::{ApiError, parameters::PathId, state::Operator};

pub(super) async fn show(operator: Operator) -> Result<Response, ApiError> {
    operator.may(Action::ManageKeys)?;
    Ok(render(&operator, None).await)
}

async fn render(operator: &Operator, new: Option<(&ApiKey, &SecretString)>) -> Response {
    let keys = read(api_keys::list(operator.access().pool())).await;
    let content = html! {
        h1 { "API keys" }
        @if let Some((key, secret)) = new {
            section.panel.good role="status" {
                h2 { "The key " (key.name) " is ready" }
                p { "Copy it now: it cannot be shown again." }
                p {
                    code #new-key.secret { (secret.expose_secret()) }
                }
                button type="button" hidden data-copy="new-key" { "Copy" }
            }
        }
        (creation(operator))
        (panel("Keys", "As of page load", &keys, |keys| table(operator, keys)))
        p.quiet {
            "A person who signs in here with a key is signed out "
            (how_long())
            ", and immediately when the key is revoked or expires."
        }
    };
    Page { operator, tab: Tab::Keys, title: "API keys", watch: None }.show(&content)
}

fn creation(operator: &Operator) -> Markup {
    html! {
        form.filters method="post" action="/dashboard/keys" {
            (form_token(operator))
            label {
                "Name"
                input
                    name="name"
                    required
                    maxlength="100"
                    autocomplete="off"
                    placeholder="who or what uses it";
            }
            label.long {
                "Role"
                select name="role" {
                    @for role in Role::ALL.iter().copied() {
                        option value=(role) selected[role == Role::Viewer] { (role) ": " (may(role)) }
                    }
                }
            }
            label {
                "Works for"
                select name="days" {
                    @for (days, text) in LIFETIMES { option value=(days) { (text) } }
                }
            }
            label {
                "School "
                span.quiet { "(if it is for one)" }
                input name="school" autocomplete="off" placeholder="id";
            }
            span.buttons {
                button.primary { "Create key" }
            }
        }
    }
}

/// How long a key may work, in days; empty: until it is revoked.
const LIFETIMES: [(&str, &str); 5] = [
    ("", "until it is revoked"),
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "1 year"),
];

fn revocation(key: &ApiKey) -> ActionButton<'static> {
    ActionButton {
        label: "Revoke",
        whose: format!("the key “{}”", key.name),
        action: format!("/dashboard/keys/{}/revoke", key.id),
        kind: "danger",
        says: "The key stops working immediately, and everyone who is signed in with it is signed out.",
    }
}

fn may(role: Role) -> &'static str {
    match role {
        Role::App => "the iP app; syncs and connects schools",
        Role::Viewer => "looks, changes nothing",
        Role::Operator => "acts on jobs",
        Role::Admin => "everything, keys included",
    }
}

fn table(operator: &Operator, keys: &[ApiKey]) -> Markup {
    let own = operator.access().key().id;
    html! {
        (scroll("Keys", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Name" }
                        th { "Role" }
                        th { "School" }
                        th { "Created" }
                        th { "State" }
                        th { "Id" }
                        th {
                            span.hidden { "Actions" }
                        }
                    }
                }
                tbody {
                    @for key in keys {
                        tr {
                            td {
                                (key.name)
                                @if key.id == own {
                                    " "
                                    span.quiet { "(yours)" }
                                }
                            }
                            td { (key.role) }
                            td data-label="School" {
                                @match &key.school_id {
                                    Some(id) => code { (id) },
                                    None => "all",
                                }
                            }
                            td data-label="Created" { (time(operator, key.created_at)) }
                            td {
                                @match (key.revoked_at, key.expires_at) {
                                    (Some(at), _) => {
                                        (badge("cancelled", "–", "revoked"))
                                        " "
                                        (time(operator, at))
                                    }
                                    (None, Some(at)) if at <= now() => {
                                        (badge("cancelled", "–", "expired"))
                                        " "
                                        (time(operator, at))
                                    }
                                    (None, expires_at) => {
                                        (badge("succeeded", "✓", "valid"))
                                        @if let Some(at) = expires_at {
                                            " until "
                                            (time(operator, at))
                                        }
                                    }
                                }
                            }
                            td {
                                code { (key.id) }
                            }
                            td {
                                @if key.revoked_at.is_none() {
                                    (revocation(key).show(operator, &html! {}))
                                }
                            }
                        }
                    }
                }
            }
        }))
    }
}

/// Longest name of a key, in characters: it is written with each job that the key asks for.
const MAX_NAME: usize = 200;

pub(super) async fn create(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageKeys)?;
    let fields = posted.fields();
    let wrong = |text: &str| ApiError::MalformedBody(text.to_owned());
    let role: Role =
        fields.required("role")?.parse().map_err(|_| wrong("there is no such role"))?;
    let school: Option<SchoolId> = match fields.text("school") {
        None => None,
        Some(id) => Some(
            id.parse()
                .map_err(|_| wrong("the school's id has letters, digits, `_` and `-` only"))?,
        ),
    };
    let expires_at = match fields.text("days") {
        None => None,
        Some(days) => {
            let days: u16 = days.parse().map_err(|_| wrong("a key works for a number of days"))?;
            Some(now() + TimeDelta::days(days.into()))
        }
    };
    let name = fields.required("name")?;
    if name.chars().count() > MAX_NAME {
        return Err(wrong("the name of a key has at most 200 characters"));
    }
    let new = NewApiKey { name, role, school_id: school.as_ref(), expires_at };
    let (key, secret) = api_keys::create(access.pool(), &new, &posted.actor()?).await?;
    Ok(render(&posted.operator, Some((&key, &secret))).await)
}

pub(super) async fn revoke(PathId(id): PathId, posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageKeys)?;
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    api_keys::revoke(access.pool(), id, &posted.actor()?).await?;
    Ok(go("/dashboard/keys", None))
}
