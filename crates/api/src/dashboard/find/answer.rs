//! What the MIS answered about a person. Only the key that asked sees it, for a quarter of an hour.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{FoundInMis, Job, PersonInMis, School};
use mis_sync_store::{
    jobs,
    person_search::{self, PersonSearch},
};

use super::{Typed, ask};
use crate::{
    ApiError,
    dashboard::{
        page::{Page, Tab},
        parts::{count, person_path, school_path, time},
    },
    parameters::PathId,
    state::Operator,
};

pub(in crate::dashboard) async fn show(
    operator: Operator,
    PathId(job_id): PathId,
) -> Result<Response, ApiError> {
    let access = operator.access();
    let job = access.job(&job_id).await?;
    let search = person_search::of_job(access.pool(), job.id, access.key().id).await?;
    let Some(search) = search else { return Ok(forgotten(&operator)) };
    let school = access.school(search.school_id.as_str()).await?;
    let job = jobs::get(access.pool(), job.id).await?.ok_or(ApiError::UnknownJob)?;
    // After an answer another school may have the person; without one the same school is asked again.
    let again_in = Some(&school).filter(|_| search.found.is_none());
    let again = ask::form(&operator, &Typed { text: &search.text, school: again_in }).await?;
    let is_over = job.state.is_finished();
    let content = html! {
        div.title { h1 { "The MIS of " a href=(school_path(&school.id)) { (school.name) } } }
        div #answer
            hx-get={ "/dashboard/find/" (job.id) }
            hx-trigger="changed from:#live"
            hx-select="#answer"
            hx-swap="outerMorph"
        {
            (answer(&operator, &job, &search, &school))
            @if is_over && search.found.as_ref().is_none_or(|found| found.people.is_empty()) { (again) }
        }
        p { a.button href="/dashboard/find" { "Find someone else" } }
    };
    let watch = (!is_over).then(|| job.id.to_string());
    let page = Page { operator: &operator, tab: Tab::Schools, title: "Ask Wonde", watch };
    Ok(page.show_about(&content, Some(&school.id)).into_response())
}

fn forgotten(operator: &Operator) -> Response {
    let typed = Typed { text: "", school: None };
    super::render(
        operator,
        &typed,
        &html! {
            p.warning role="status" {
                "This answer is no longer kept: answers of the MIS are removed after 15 minutes, and only the key that "
                "asked sees them. Ask again."
            }
        },
    )
}

fn answer(operator: &Operator, job: &Job, search: &PersonSearch, school: &School) -> Markup {
    let asked = html! { ", asked at " (time(operator, search.asked_at)) };
    html! {
        @match (&search.found, &job.error, job.state.is_finished()) {
            (Some(found), ..) if found.people.is_empty() => p.warning role="status" {
                "No record with this name, email or id in the MIS of "
                (school.name)
                (asked)
                ". Wonde listed "
                (count(i128::from(found.listed), "record", "records"))
                ". Either the person is not in the MIS, or the school's access settings in Wonde hide them."
            },
            (Some(found), ..) => {
                p.quiet { "As Wonde listed the staff of " (school.name) (asked) "." }
                (people(found, school))
            }
            (None, Some(error), _) => p.refusal role="status" {
                strong { (error.title) ". " }
                (error.detail)
                " The MIS of "
                (school.name)
                " could not be asked, so this does not say whether the person is in it."
            },
            (None, None, true) => p.refusal role="status" {
                "The MIS of " (school.name) " was not asked: the request ended before. Ask again."
            },
            (None, None, false) => p role="status" {
                "Asking Wonde… "
                a href={ "/dashboard/find/" (job.id) } { "Refresh" }
            },
        }
    }
}

fn people(found: &FoundInMis, school: &School) -> Markup {
    html! {
        @for person in &found.people { (one(person, school)) }
        @if found.has_more {
            p.quiet { "There are more people than these. Type more of the name." }
        }
    }
}

fn one(person: &PersonInMis, school: &School) -> Markup {
    let id = person.staff_id.map_or_else(|| person.wonde_id.clone(), |id| id.to_string());
    html! {
        section.panel.person {
            header {
                h2 { (person.name.as_deref().unwrap_or("(no name)")) }
                p.source {
                    @if let Some(id) = &person.mis_id { "MIS id " code { (id) } " · " }
                    "Wonde id "
                    code { (person.wonde_id) }
                }
            }
            p.verdict { strong { (person.in_short) } }
            p { (person.sentence) }
            p { a href=(person_path(&school.id, &id)) { "Open the page of this person" } }
        }
    }
}
