//! Connects a new school, in steps: the token, then the school among those that it opens. The school's
//! own page goes on from there, with the result of the test, the settings and the first dry run.

mod choose;

use std::time::Duration;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use mis_sync_domain::{Action, ConnectionDraftId, ListApprovedSchools};
use mis_sync_queue::NewJob;
use mis_sync_store::connection_drafts;
use secrecy::SecretString;
use tokio::time::Instant;

pub(super) use choose::{choose, show as show_draft};

use super::{
    form::Posted,
    login::go,
    page::{Page, Tab, form_token},
};
use crate::{ApiError, follow, schools::connection, state::Operator, views::FieldError};

/// The page of the first step.
const PATH: &str = "/dashboard/connect";
/// A page waits this long for Wonde's list.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn show(operator: Operator) -> Result<Response, ApiError> {
    operator.may(Action::ManageSchools)?;
    Ok(render(&operator, "", &[]))
}

/// Step 1: the token, and Wonde's address.
fn render(operator: &Operator, address: &str, wrong: &[FieldError]) -> Response {
    page(
        operator,
        1,
        &html! {
            form.connect method="post" action=(PATH) {
                (form_token(operator))
                (field("Token from Wonde", "token", wrong, &html! {
                    input
                        #token
                        name="token"
                        type="password"
                        required
                        autocomplete="off"
                        aria-describedby="token-note";
                }, "Wonde shows it once the school has approved the access. It is stored encrypted, and no \
                    page shows it again."))
                (field("Wonde address", "wonde_base_url", wrong, &html! {
                    input
                        #wonde_base_url
                        name="wonde_base_url"
                        value=(address)
                        autocomplete="off"
                        spellcheck="false"
                        aria-describedby="wonde_base_url-note";
                }, "Only if the school's region has its own, such as https://api.eu.wonde.com/v1.0. \
                    Usually empty."))
                div.buttons {
                    button.primary { "Next" }
                    a.button href="/dashboard/schools" { "Cancel" }
                }
            }
        },
    )
}

/// The frame of a step.
fn page(operator: &Operator, step: u8, content: &Markup) -> Response {
    let steps = ["Token", "School", "Settings and first dry run"];
    let content = html! {
        h1 { "Connect a school" }
        ol.progress-steps {
            @for (name, number) in steps.iter().zip(1..) {
                li aria-current=[(number == step).then_some("step")] { (name) }
            }
        }
        section #step.panel { (content) }
    };
    let page = Page { operator, tab: Tab::Schools, title: "Connect a school", watch: None };
    page.show(&content)
}

/// A field with its label, what is wrong with it, and a note.
fn field(label: &str, name: &str, wrong: &[FieldError], input: &Markup, note: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            (input)
            @for wrong in wrong.iter().filter(|wrong| wrong.field == name) {
                p.wrong role="alert" { "It " (wrong.message) "." }
            }
            p.quiet #{ (name) "-note" } { (note) }
        }
    }
}

/// The page again, with what is wrong at each field.
fn again(page: Response) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

/// Keeps the token in a draft, and asks Wonde which schools it opens.
pub(super) async fn begin(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ManageSchools)?;
    let fields = posted.fields();
    let (token, address) =
        (fields.text("token").unwrap_or_default(), fields.text("wonde_base_url"));
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, message: String| {
        wrong.push(FieldError { field: field.into(), message });
    };
    if let Err(message) = connection::check_token(token) {
        refuse("token", message);
    }
    if let Some(Err(refused)) = address.map(|url| access.address_rules().wonde.check(url)) {
        refuse("wonde_base_url", refused.to_string());
    }
    if !wrong.is_empty() {
        return Ok(again(render(&posted.operator, address.unwrap_or_default(), &wrong)));
    }
    let token = SecretString::from(token);
    let (pool, key) = (access.pool(), access.key().id);
    let draft_id = connection_drafts::begin(pool, access.cipher(), key, &token, address).await?;
    let job = NewJob::of(&ListApprovedSchools { draft_id }, access.requester());
    let enqueued = access.queue().enqueue(&job, None).await?;
    follow::wait_for_end(access.queue(), enqueued, Instant::now() + PATIENCE).await;
    Ok(go(&draft_path(draft_id), None))
}

fn draft_path(id: ConnectionDraftId) -> String {
    format!("{PATH}/{id}")
}
