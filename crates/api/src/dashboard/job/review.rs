//! The review of a held job: what the guard found, everyone about whom something would change, and the
//! form that approves a part of it. One form holds all ticks, so it works without a script; with
//! one, the recount follows each tick.

mod people;

use std::collections::HashMap;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{
    Action, Affected, GuardCategory, Job, PersonKey, Recount, Review, SchoolId, StaffId,
    plan::Named,
};
use mis_sync_store::{Error, Pool, fetches, jobs, staff};

use super::{
    Extra, Wanted,
    changes::{self, Shown},
};
use crate::{
    ApiError,
    dashboard::{
        form::{Fields, Posted},
        page::form_token,
        parts::{job_path, share},
    },
    download::headers,
    parameters::PathId,
    state::Operator,
};

/// What a person has ticked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// Categories that are left out.
    pub(super) left_out: Vec<GuardCategory>,
    /// People who are left as they are.
    pub(super) leave: Vec<PersonKey>,
    /// Only people whose name or email contains this are listed.
    find: String,
    /// People before the first one that is listed.
    from: usize,
    reason: String,
}

impl Draft {
    pub(super) fn read(fields: &Fields, job: &Job) -> Result<Self, ApiError> {
        let wrong = || ApiError::MalformedBody("`leave` has to name a person of the job".into());
        let is_left_out =
            |category: &GuardCategory| !fields.is_set(&format!("category.{category}"));
        Ok(Self {
            left_out: guard(job).iter().map(|one| one.category).filter(is_left_out).collect(),
            leave: fields
                .names_after("leave.")
                .map(|key| key.parse().map_err(|_| wrong()))
                .collect::<Result<_, _>>()?,
            find: fields.text("find").unwrap_or_default().to_owned(),
            from: fields.text("from").and_then(|from| from.parse().ok()).unwrap_or_default(),
            reason: fields.text("reason").unwrap_or_default().to_owned(),
        })
    }

    /// The categories that are to be applied.
    pub(super) fn approved(&self, job: &Job) -> Vec<GuardCategory> {
        let all = guard(job).iter().map(|one| one.category);
        all.filter(|category| !self.left_out.contains(category)).collect()
    }
}

fn guard(job: &Job) -> &[Affected] {
    job.report.as_ref().map(|report| report.guard.as_slice()).unwrap_or_default()
}

/// A held job's changes by person, and who these people are.
pub(super) struct Held {
    review: Review,
    /// Name and email; empty while personal data is hidden.
    names: HashMap<PersonKey, [String; 2]>,
}

impl Held {
    /// Reads them; names only if they are shown.
    pub(super) async fn read(pool: &Pool, job: &Job, shown: Shown) -> Result<Self, Error> {
        let changes = jobs::changes_of_field(pool, job.id, None, 0, i64::MAX).await?;
        let review = Review::of(changes.into_iter().map(|(_, change)| change));
        let names = match &job.school_id {
            Some(school_id) if shown == Shown::Shown => {
                names(pool, job, school_id, &review).await?
            }
            _ => HashMap::new(),
        };
        Ok(Self { review, names })
    }
}

/// The people of the review: those in iP, and the new ones as the job has read them.
async fn names(
    pool: &Pool,
    job: &Job,
    school_id: &SchoolId,
    review: &Review,
) -> Result<HashMap<PersonKey, [String; 2]>, Error> {
    let in_ip = |key: &PersonKey| match key {
        PersonKey::StaffId(id) => Some(*id),
        PersonKey::WondeId(_) => None,
    };
    let ids: Vec<StaffId> = review.people.keys().filter_map(in_ip).collect();
    let known = staff::named(pool, school_id, &ids).await?;
    let mut named: Vec<_> =
        known.into_iter().map(|(id, one)| (PersonKey::StaffId(id), one)).collect();
    if ids.len() < review.people.len() {
        let read = fetches::staff_of(pool, job.id).await?;
        let read = read.iter().map(|one| (PersonKey::WondeId(one.wonde_id.clone()), one.into()));
        named.extend(read.filter(|(key, _)| review.people.contains_key(key)));
    }
    let name = |one: &Named| format!("{} {}", one.first_name, one.surname);
    Ok(named.into_iter().map(|(key, one)| (key, [name(&one), one.email])).collect())
}

/// The form.
pub(super) fn show(
    operator: &Operator,
    job: &Job,
    held: &Held,
    draft: &Draft,
    shown: Shown,
) -> Markup {
    let may_act = operator.is_allowed(Action::ActOnJobs);
    let path = job_path(job.id);
    html! {
        section #review.panel {
            header {
                h2 { "Approve these changes?" }
                p.source { "Nothing has been changed yet" }
            }
            form
                .ticks
                hx-post={ (path) "/review" }
                hx-trigger="change"
                hx-select="#recount"
                hx-target="#recount"
                hx-swap="outerMorph"
                method="post"
                action={ (path) "/review" }
            {
                (form_token(operator))
                // The first button of a form is the one that Enter presses.
                button.hidden aria-hidden="true" tabindex="-1" { "Recount" }
                fieldset.guard disabled[!may_act] {
                    legend { "Apply" }
                    @for affected in guard(job) { (category(affected, draft)) }
                }
                (recount(&held.review.recount(guard(job), &draft.left_out, &draft.leave)))
                @if may_act {
                    div.inline {
                        label {
                            "Reason "
                            span.quiet { "(goes to the audit log)" }
                            input
                                name="reason"
                                value=(draft.reason)
                                maxlength="500"
                                autocomplete="off";
                        }
                        button.primary formaction={ (path) "/approve" } { "Approve" }
                        button { "Recount" }
                    }
                }
                // Here, so that what is ticked stays when names are shown.
                (changes::curtain(operator, shown))
                (people::list(operator, job, held, draft, shown))
            }
            (downloads(operator, job))
        }
    }
}

fn category(affected: &Affected, draft: &Draft) -> Markup {
    html! {
        label.check {
            input
                type="checkbox"
                name={ "category." (affected.category) }
                checked[!draft.left_out.contains(&affected.category)];
            span { (share(affected)) }
        }
    }
}

/// What would be applied now, with the reason for each number that differs from the one above.
fn recount(recounts: &[Recount]) -> Markup {
    html! {
        ul #recount aria-live="polite" {
            @for recount in recounts {
                li {
                    strong { (recount.records) " of " (recount.shown) }
                    " "
                    (recount.category.phrase().replacen("would", "will", 1))
                    @if recount.records == 0 && recount.kept < recount.shown {
                        ": the category is left out"
                    } @else if recount.kept > 0 {
                        ": "
                        (recount.kept)
                        @if recount.kept == 1 { " is" } @else { " are" }
                        " among the people you leave as they are"
                    }
                }
            }
        }
    }
}

fn downloads(operator: &Operator, job: &Job) -> Markup {
    html! {
        @if operator.is_allowed(Action::SeePersonalData) {
            form method="post" action={ (job_path(job.id)) "/download" } {
                (form_token(operator))
                button { "Download as CSV" }
                " "
                span.quiet { "noted in the audit log" }
            }
        }
    }
}

/// Everyone about whom something would change, as a file.
pub(super) async fn download(pool: &Pool, job: &Job) -> Result<Response, ApiError> {
    let held = Held::read(pool, job, Shown::Shown).await?;
    Ok((headers(&format!("changes-{}", job.id)), people::file(&held)).into_response())
}

/// The job's page with these ticks: the recount, a search, another part of the list, or personal data.
pub(in crate::dashboard) async fn review(
    PathId(id): PathId,
    posted: Posted,
) -> Result<Response, ApiError> {
    let (_, job) = posted.job(Action::ActOnJobs, &id).await?;
    if !super::actions::is_to_review(&job) {
        return super::refusal::of_state(&posted.operator, &job).await;
    }
    if posted.fields().is_set(changes::REVEAL) {
        posted.operator.reveal(&job, None).await?;
    }
    let draft = Draft::read(posted.fields(), &job)?;
    let extra = Extra { notice: None, draft };
    super::render(&posted.operator, &id, &Wanted::default(), &extra).await
}
