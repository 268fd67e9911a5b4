//! Asks the MIS of a school about a person whom no sync has recorded.

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_control as control;
use mis_sync_domain::{Action, School};
use mis_sync_store::schools;
use tokio::time::Instant;

use super::{LONGEST, Typed};
use crate::{
    ApiError,
    dashboard::{form::Posted, login::go, page::form_token},
    follow,
    state::{Access, Operator},
};

/// How long the button waits for the answer, so that the page that it leads to has it in most cases.
const WAIT: std::time::Duration = std::time::Duration::from_secs(3);
/// How many schools a choice of schools has.
const CHOICE: i64 = 50;

/// The form below what was found.
pub(super) async fn form(operator: &Operator, typed: &Typed<'_>) -> Result<Markup, ApiError> {
    if !operator.is_allowed(Action::SeePersonalData) {
        return Ok(html! {});
    }
    let pool = operator.access().pool();
    let all = match typed.school {
        Some(school) => vec![(school.id.clone(), school.name.clone())],
        None => schools::find(pool, "", CHOICE + 1).await?,
    };
    let is_choice = i64::try_from(all.len()).is_ok_and(|count| count <= CHOICE);
    Ok(html! {
        section.panel {
            header { h2 { "Not there? Ask the MIS" } }
            p {
                "mis-sync keeps nothing of people who are not current staff, whom the school hides in Wonde, or "
                "who were added since the last sync. Wonde can be asked now; it takes up to ten seconds."
            }
            form.inline method="post" action="/dashboard/find/ask" {
                (form_token(operator))
                input type="hidden" name="q" value=(typed.text);
                label {
                    "In the MIS of"
                    @if let [(id, name)] = &all[..] {
                        " "
                        strong { (name) }
                        input type="hidden" name="school" value=(id);
                    } @else if is_choice {
                        select name="school" required {
                            option value="" { "Choose a school" }
                            @for (id, name) in &all { option value=(id) { (name) } }
                        }
                    } @else {
                        input name="school" required autocomplete="off" placeholder="Name or id of the school";
                    }
                }
                button.primary { "Ask Wonde" }
                span.quiet { "recorded in the audit log" }
            }
        }
    })
}

pub(in crate::dashboard) async fn ask(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::SeePersonalData)?;
    let text = mis_sync_domain::text::cut(posted.fields().required("q")?, LONGEST);
    let named = posted.fields().required("school")?;
    let school = match the_school(access, named).await? {
        Ok(school) => school,
        Err(why) => {
            let typed = Typed { text, school: None };
            let form = form(&posted.operator, &typed).await?;
            let content = html! { p.refusal role="alert" { (why) } (form) };
            return Ok(super::render(&posted.operator, &typed, &content));
        }
    };
    if school.token.is_missing() {
        let typed = Typed { text, school: Some(&school) };
        let content = html! {
            p.refusal role="alert" {
                (school.name) " is not connected to Wonde, so its MIS cannot be asked."
            }
        };
        return Ok(super::render(&posted.operator, &typed, &content));
    }
    let job =
        control::find_person(access.queue(), &school, text, access.key().id, &posted.actor()?)
            .await?;
    let job_id = job.id;
    follow::wait_for_end(
        access.queue(),
        mis_sync_queue::Enqueued::Existing(job),
        Instant::now() + WAIT,
    )
    .await;
    Ok(go(&format!("/dashboard/find/{job_id}"), None))
}

/// The one school with this id or name; otherwise why it is not clear which one is meant.
async fn the_school(access: &Access, typed: &str) -> Result<Result<School, String>, ApiError> {
    let mut found = schools::find(access.pool(), typed, CHOICE).await?;
    let is = |text: &str| text.eq_ignore_ascii_case(typed);
    if let Some(at) = found.iter().position(|(id, name)| is(id.as_str()) || is(name)) {
        found = vec![found.swap_remove(at)];
    }
    Ok(match &found[..] {
        [(id, _)] => Ok(access.school(id.as_str()).await?),
        [] => Err("No school has this name or id.".to_owned()),
        several => {
            let names: Vec<String> =
                several.iter().take(5).map(|(id, name)| format!("{name} ({id})")).collect();
            Err(format!("Several schools match: {}. Type the id of one.", names.join(", ")))
        }
    })
}
