//! One person: who they are, why they are in iP or not, each field with its owner, and everything that
//! jobs and people did to them. Personal data is hidden until a person who may see it asks for it, which is
//! logged.

mod fields;
mod timeline;

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_domain::{
    Action, AuditAction, School, Sighting, StaffId, SyncedField,
    explain::{self, Explanation, Outcome, Verdict},
};
use mis_sync_store::{
    audit::Entry,
    explain::{Known, Who, gather},
};

use super::{
    form::Posted,
    job::changes::Shown,
    page::{Page, Tab, form_token},
    parts::{badge, job_path, person_path, school_path, time},
    undone,
};
use crate::{
    ApiError,
    parameters::{Parameters, PathId},
    state::Operator,
};

/// In place of personal data.
const DOTS: &str = "•••••";

pub(super) async fn show(
    operator: Operator,
    PathId((school_id, person)): PathId<(String, String)>,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let (school, known) = find(&operator, &school_id, &person).await?;
    render(&operator, &school, &known, &Wanted::read(parameters, Shown::Hidden)?).await
}

pub(super) async fn reveal(
    PathId((school_id, person)): PathId<(String, String)>,
    parameters: Parameters,
    posted: Posted,
) -> Result<Response, ApiError> {
    let access = posted.may(Action::SeePersonalData)?;
    let (school, known) = find(&posted.operator, &school_id, &person).await?;
    let entry = Entry {
        school_id: Some(school.id.clone()),
        staff_id: known.person.as_ref().map(|person| person.id),
        ..Entry::new(AuditAction::Reveal)
    };
    access.read_personal_data(&posted.actor()?, &entry).await?;
    render(&posted.operator, &school, &known, &Wanted::read(parameters, Shown::Shown)?).await
}

/// What the page shows.
struct Wanted {
    shown: Shown,
    /// The part of the history before this.
    before: Option<DateTime<Utc>>,
}

impl Wanted {
    fn read(mut parameters: Parameters, shown: Shown) -> Result<Self, ApiError> {
        let before = parameters.take("before", "a time in RFC 3339")?;
        parameters.finish("`before`")?;
        Ok(Self { shown, before })
    }

    fn text<'a>(&self, text: &'a str) -> &'a str {
        if self.shown == Shown::Shown { text } else { DOTS }
    }
}

/// The person of a path: a staff id is a UUID, everything else is a Wonde id.
async fn find(
    operator: &Operator,
    school_id: &str,
    person: &str,
) -> Result<(School, Known), ApiError> {
    let access = operator.access();
    let school = access.school(school_id).await?;
    let who = person.parse().map_or_else(|_| Who::WondeId(person.to_owned()), Who::Staff);
    let known = gather(access.pool(), &school.id, &who).await?.ok_or(ApiError::UnknownStaff)?;
    Ok((school, known))
}

async fn render(
    operator: &Operator,
    school: &School,
    known: &Known,
    wanted: &Wanted,
) -> Result<Response, ApiError> {
    let mis = operator.access().mis_of(school);
    let explanation = explain::explain(&known.evidence, &school.settings, mis);
    let staff_id = known.person.as_ref().map(|person| person.id);
    let timeline = if let Some(id) = staff_id {
        timeline::show(operator, school, id, wanted).await
    } else {
        html! {}
    };
    let undone = undone::show(operator, &school.id, known.undone_by.as_ref()).await;
    let content = html! {
        (head(operator, school, known, wanted))
        (undone)
        (verdict(operator, school, known, &explanation, wanted))
        @if let Some(person) = &known.person {
            (fields::show(school, mis, person, &explanation, wanted))
        }
        (timeline)
    };
    let page = Page { operator, tab: Tab::Schools, title: "Person", watch: None };
    Ok(page.show_about(&content, Some(&school.id)).into_response())
}

fn head(operator: &Operator, school: &School, known: &Known, wanted: &Wanted) -> Markup {
    let person = known.person.as_ref();
    let of = |field| {
        let known = person?.fields.iter().find(|one| one.field == field)?;
        Some(known.ip_value.as_ref()?.as_str().to_owned())
    };
    let names = [of(SyncedField::FirstName), of(SyncedField::Surname)];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = if name.trim().is_empty() { None } else { Some(name) };
    html! {
        div.title {
            h1 {
                @match (&name, known.person.as_ref(), wanted.shown) {
                    (Some(name), _, Shown::Shown) => (name),
                    (_, Some(person), _) => {
                        "Person "
                        code { (&person.id.to_string()[28..]) }
                    },
                    _ => "A person in the MIS",
                }
                " "
                @match person.map(|person| person.active) {
                    Some(true) => (badge("succeeded", "✓", "can log in")),
                    Some(false) => (badge("cancelled", "–", "inactive in iP")),
                    None => (badge("held", "–", "not in iP")),
                }
            }
            @if wanted.shown == Shown::Hidden && person.is_some() { (reveal_button(operator, school, known)) }
        }
        dl.facts {
            div { dt { "School" } dd { a href=(school_path(&school.id)) { (school.name) } } }
            @if let Some(email) = of(SyncedField::Email) {
                div { dt { "Work email" } dd { (wanted.text(&email)) } }
            }
            @if let Some(person) = person {
                div { dt { "Staff id" } dd { code.whole { (person.id) } } }
            }
            @if let Some(id) = &known.wonde_id {
                div { dt { "Wonde id" } dd { code.whole { (id) } } }
            }
            @if let Some(person) = person {
                div { dt { "In iP since" } dd { (time(operator, person.created_at)) } }
            }
        }
    }
}

fn reveal_button(operator: &Operator, school: &School, known: &Known) -> Markup {
    html! {
        @if operator.is_allowed(Action::SeePersonalData) {
            form method="post" action=(this_page(school, known)) {
                (form_token(operator))
                button { "Show personal data" }
                " "
                span.quiet { "recorded in the audit log" }
            }
        } @else {
            p.quiet { "Names, emails and other personal data are for the roles operator and admin." }
        }
    }
}

fn this_page(school: &School, known: &Known) -> String {
    let staff_id: Option<StaffId> = known.person.as_ref().map(|person| person.id);
    let id = staff_id.map(|id| id.to_string()).or_else(|| known.wonde_id.clone());
    person_path(&school.id, &id.unwrap_or_default())
}

/// Why the person is in iP, is missing, or is different.
fn verdict(
    operator: &Operator,
    school: &School,
    known: &Known,
    explanation: &Explanation,
    wanted: &Wanted,
) -> Markup {
    let sighting = known.evidence.sighting.as_ref();
    let words = |sentence: &str| match wanted.shown {
        Shown::Shown => sentence.to_owned(),
        Shown::Hidden => without_dates(sentence, sighting),
    };
    let sees = |school: &&mis_sync_domain::SchoolId| operator.access().sees(school);
    html! {
        section #explain.panel {
            header {
                h2 { "Why is this person here, missing or different?" }
                p.source {
                    @match &known.evidence.reading {
                        Some(reading) => {
                            "As of the "
                            a href=(job_path(reading.job_id)) { "last run" }
                            ", "
                            (time(operator, reading.read_at))
                        },
                        None => "No sync has read this school yet",
                    }
                }
            }
            p.verdict { strong { (words(&explanation.sentence)) } }
            @if explanation.verdict == Verdict::NotListed { (offer_to_ask(operator, school, known)) }
            ol.steps {
                @for step in &explanation.steps {
                    li {
                        (outcome(step.outcome))
                        " "
                        strong { (step.step.as_str().replace('_', " ")) }
                        ": "
                        (words(&step.sentence))
                    }
                }
            }
            @if let Some(elsewhere) = known.login_used_at.as_ref().filter(sees) {
                p { "The login is in use at " a href=(school_path(elsewhere)) { (elsewhere) } "." }
            }
        }
    }
}

/// Dates of an employment are personal data; a verdict without them is not.
fn without_dates(sentence: &str, sighting: Option<&Sighting>) -> String {
    let dates = sighting.map(|sighting| [sighting.starts_on, sighting.ends_on]);
    let dates = dates.into_iter().flatten().flatten();
    dates.fold(sentence.to_owned(), |sentence, date| {
        sentence.replace(&explain::day(Some(date)), DOTS)
    })
}

/// The way to a live answer about someone whom the last sync did not see.
fn offer_to_ask(operator: &Operator, school: &School, known: &Known) -> Markup {
    html! {
        @if operator.is_allowed(Action::SeePersonalData) {
            form.inline method="post" action="/dashboard/find/ask" {
                (form_token(operator))
                input type="hidden" name="q" value=(known.wonde_id.as_deref().unwrap_or_default());
                input type="hidden" name="school" value=(school.id);
                button.primary { "Ask Wonde" }
                span.quiet { "Reads the school's list of staff now; recorded in the audit log" }
            }
        }
    }
}

fn outcome(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Passed => badge("succeeded", "✓", "yes"),
        Outcome::Failed => badge("failed", "✕", "no"),
        Outcome::Unknown => badge("retrying", "?", "unknown"),
        Outcome::NotApplicable => badge("cancelled", "–", "not checked"),
    }
}
