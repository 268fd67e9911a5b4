//! The frame of every page.

use std::collections::HashMap;

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use mis_sync_domain::{Action, SchoolId};

use super::{
    assets::{HTMX, HTMX_SSE, ICON, SCRIPT, STYLE},
    health::{Health, Trouble},
    preferences::{self, Preferences, Theme},
};
use crate::state::Operator;

/// Nothing from other servers, nothing inline, no frame around us, and forms post only to us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What htmx may do: load from us, and nothing that the policy forbids. When a part of a page is
/// replaced, open details stay open and where they are, and the selected row stays selected.
const HTMX_CONFIG: &str = r#"{"extensions":"sse","includeIndicatorCSS":false,"mode":"same-origin",
    "morphIgnore":["data-htmx-powered","open","style","data-at"]}"#;

/// Parts of the frame that are loaded with the live part of a page.
pub(super) const FRAME: &str = "#tabs:outerMorph";

/// The pages in the navigation, with the key that follows `g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Jobs,
    Schools,
    Held,
    Queues,
    Audit,
    Keys,
}

impl Tab {
    pub(super) const ALL: [Self; 7] = [
        Self::Overview,
        Self::Jobs,
        Self::Schools,
        Self::Held,
        Self::Queues,
        Self::Audit,
        Self::Keys,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Jobs => "Jobs",
            Self::Schools => "Schools",
            Self::Held => "Held changes",
            Self::Queues => "Queues",
            Self::Audit => "Audit log",
            Self::Keys => "API keys",
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/dashboard",
            Self::Jobs => "/dashboard/jobs",
            Self::Schools => "/dashboard/schools",
            Self::Held => "/dashboard/held",
            Self::Queues => "/dashboard/queues",
            Self::Audit => "/dashboard/audit",
            Self::Keys => "/dashboard/keys",
        }
    }

    fn key(self) -> char {
        match self {
            Self::Overview => 'o',
            Self::Jobs => 'j',
            Self::Schools => 's',
            Self::Held => 'h',
            Self::Queues => 'q',
            Self::Audit => 'a',
            Self::Keys => 'k',
        }
    }

    /// The pages that the operator may open.
    pub(super) fn offered_to(operator: &Operator) -> impl Iterator<Item = Self> {
        let may_manage_keys = operator.is_allowed(Action::ManageKeys);
        Self::ALL.into_iter().filter(move |tab| *tab != Self::Keys || may_manage_keys)
    }
}

/// A page for an operator who is signed in.
pub(super) struct Page<'a> {
    pub(super) operator: &'a Operator,
    pub(super) tab: Tab,
    pub(super) title: &'a str,
    /// What the page's live parts watch; `None` if nothing changes by itself.
    pub(super) watch: Option<String>,
}

impl Page<'_> {
    pub(super) fn show(&self, content: &Markup) -> Response {
        self.show_about(content, None)
    }

    /// The same for a page about one school, in which the box at the top then searches.
    pub(super) fn show_about(&self, content: &Markup, school: Option<&SchoolId>) -> Response {
        let operator = self.operator;
        let body = html! {
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    a.brand href="/dashboard" aria-label="mis-sync" {
                        (mark())
                        span { "mis-sync" }
                    }
                    @if !operator.preferences().environment.is_empty() {
                        (environment(&operator.preferences().environment))
                    }
                    form.find role="search" method="post" action="/dashboard/find" {
                        (form_token(operator))
                        @if let Some(school) = school {
                            input type="hidden" name="school" value=(school);
                        }
                        label.hidden for="find" { "Find a person, a school or a job" }
                        input
                            #find
                            name="q"
                            type="search"
                            autocomplete="off"
                            spellcheck="false"
                            placeholder="Find: name, email, school, id"
                            data-key="/";
                    }
                    @if self.watch.is_some() {
                        button #pause type="button" hidden aria-pressed="false" { "Live" }
                    }
                    (menu(operator))
                }
                (tabs(operator, self.tab))
                @if let Some(watch) = &self.watch {
                    div #live hx-sse:connect={ "/dashboard/events?watch=" (watch) } hx-swap="none" {}
                }
                main #main tabindex="-1" {
                    @if self.watch.is_some() {
                        p.quiet.no-script {
                            "Without JavaScript this page does not refresh itself; load it again to see what \
                             is new."
                        }
                    }
                    @if let Some(refusal) = operator.refusal() {
                        p.refusal role="alert" { (refusal.words(operator.access().key())) }
                    }
                    (content)
                }
                (help(operator))
                (palette())
            }
        };
        respond(StatusCode::OK, document(self.title, Some(operator.preferences()), &body))
    }
}

/// The navigation. It says where a person is needed.
fn tabs(operator: &Operator, current: Tab) -> Markup {
    html! {
        nav #tabs.tabs aria-label="Pages" {
            @for tab in Tab::offered_to(operator) {
                a   href=(tab.path())
                    data-go=(tab.key())
                    aria-current=[(tab == current).then_some("page")]
                {
                    (tab.name())
                    (call(tab, operator.health()))
                }
            }
        }
    }
}

/// What calls for a person at a page.
fn call(tab: Tab, health: &Health) -> Markup {
    let (kind, number, what) = match tab {
        Tab::Overview | Tab::Queues => {
            let of_page = |trouble: &&Trouble| tab == Tab::Overview || trouble.is_of_queues();
            let troubles = health.troubles.iter().flatten().filter(of_page).count();
            ("failed", troubles, "problems of the service")
        }
        Tab::Held => {
            ("held", usize::try_from(health.held).unwrap_or_default(), "wait for approval")
        }
        Tab::Schools => {
            ("retrying", health.schools.as_ref().map_or(0, HashMap::len), "need attention")
        }
        Tab::Jobs | Tab::Audit | Tab::Keys => return html! {},
    };
    html! {
        @if number > 0 {
            span.call data-kind=(kind) {
                (number)
                span.hidden { " " (what) }
            }
        }
    }
}

/// A page for a visitor who is not signed in, or for an error.
pub(super) fn plain(
    status: StatusCode,
    title: &str,
    preferences: Option<&Preferences>,
    content: &Markup,
) -> Response {
    let body = html! {
        body.plain {
            main #main {
                p.brand {
                    (mark())
                    span { "mis-sync" }
                }
                @if let Some(preferences) = preferences.filter(|p| !p.environment.is_empty()) {
                    (environment(&preferences.environment))
                }
                (content)
            }
        }
    };
    respond(status, document(title, preferences, &body))
}

fn document(title: &str, preferences: Option<&Preferences>, body: &Markup) -> Markup {
    let theme = match preferences.map(|preferences| preferences.theme) {
        Some(Theme::Light) => Some("light"),
        Some(Theme::Dark) => Some("dark"),
        _ => None,
    };
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX_CONFIG);
                title { (title) " · mis-sync" }
                link rel="icon" href=(ICON.url()) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.url());
                script src=(HTMX.url()) defer {}
                script src=(HTMX_SSE.url()) defer {}
                script src=(SCRIPT.url()) defer {}
            }
            (body)
        }
    }
}

/// A page's headers with its body.
pub(super) fn respond(status: StatusCode, body: Markup) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (status, headers, body).into_response()
}

fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 24 24" aria-hidden="true" {
            path d="M4 9a8 8 0 0 1 14-3l2-2v6h-6l2-2a5.5 5.5 0 0 0-9.600 1z" {}
            path d="M20 15a8 8 0 0 1-14 3l-2 2v-6h6l-2 2a5.500 5.500 0 0 0 9.600-1z" {}
        }
    }
}

/// The environment's name; its colour says how careful one has to be.
fn environment(name: &str) -> Markup {
    let kind = match name.to_ascii_lowercase() {
        name if name.starts_with("prod") || name.starts_with("live") => "danger",
        name if name.starts_with("stag") || name.starts_with("uat") || name.starts_with("test") => {
            "warning"
        }
        _ => "calm",
    };
    html! { span.environment data-kind=(kind) { (name) } }
}

fn menu(operator: &Operator) -> Markup {
    let key = operator.access().key();
    html! {
        details.menu {
            summary {
                span.who { (key.name) }
                " "
                span.role { (key.role) }
            }
            div.sheet {
                (preferences::form(operator))
                button.script type="button" data-open="help" { "Keyboard shortcuts" }
                form method="post" action="/dashboard/logout" {
                    (form_token(operator))
                    button { "Sign out" }
                }
            }
        }
    }
}

/// The hidden field of every form.
pub(super) fn form_token(operator: &Operator) -> Markup {
    html! { input type="hidden" name="form_token" value=(operator.form_token()); }
}

fn help(operator: &Operator) -> Markup {
    let key = |key: &str, what: &str| {
        html! {
            dt {
                kbd { (key) }
            }
            dd { (what) }
        }
    };
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { "Keyboard shortcuts" }
            dl.keys {
                (key("/", "Search"))
                (key("Ctrl K", "Go to anything"))
                @for tab in Tab::offered_to(operator) {
                    (key(&format!("g then {}", tab.key()), tab.name()))
                }
                (key("j and k", "Next and previous row"))
                (key("Enter", "Open the row"))
                @if operator.is_allowed(Action::ActOnJobs) { (key("x", "Tick the row")) }
                (key("?", "This list"))
                (key("Esc", "Close"))
            }
            form method="dialog" {
                button { "Close" }
            }
        }
    }
}

fn palette() -> Markup {
    html! {
        dialog #palette aria-label="Go to anything" {
            label.hidden for="palette-input" { "Go to a page, a school or a job" }
            input
                #palette-input
                type="search"
                name="q"
                autocomplete="off"
                placeholder="A page, a school, a job's id …"
                hx-get="/dashboard/palette"
                hx-trigger="input changed delay:150ms, open"
                hx-target="#palette-hits"
                hx-swap="innerMorph";
            div #palette-hits aria-live="polite" {}
        }
    }
}
