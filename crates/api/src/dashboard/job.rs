//! One job: how it reached its state, what it did or would do, and what can be done about it.

mod actions;
pub(super) mod changes;
mod issues;
mod refusal;
mod report;
mod review;
mod timeline;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{Affected, Approval, Job, JobState};
use mis_sync_store::jobs::{self, Attempt};

pub(super) use actions::{
    approval, approve, cancel, is_to_review, offer, reject, remedy, retry, undo,
};
use changes::Shown;
pub(super) use changes::{Wanted, download_changes, reveal as reveal_changes, summary};
pub(super) use review::review;

use super::{
    live,
    page::{FRAME, Page, Tab},
    parts::{
        Names, count, job_path, length, names_of, now, number, panel, person as person_link, ran,
        read, school, state, time, time_or_dash, what,
    },
    undone,
};
use crate::{
    ApiError,
    parameters::{Parameters, PathId},
    state::Operator,
};

pub(super) async fn show(
    operator: Operator,
    PathId(job_id): PathId,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(parameters)?;
    render(&operator, &job_id, &wanted, &Extra::default()).await
}

/// What the answer to a form adds to the page.
#[derive(Default)]
struct Extra {
    /// Why nothing was done.
    notice: Option<String>,
    /// What is ticked in the review.
    draft: review::Draft,
}

async fn render(
    operator: &Operator,
    job_id: &str,
    wanted: &Wanted,
    extra: &Extra,
) -> Result<Response, ApiError> {
    let access = operator.access();
    let job = access.job(job_id).await?;
    let pool = access.pool();
    let watch = live::job(operator, job.id).await;
    let shown = match operator.sees_data_of(job.id).await? {
        Some(_) => Shown::Shown,
        None => Shown::Hidden,
    };
    let (history, lineage, groups, changes, issues) = tokio::join!(
        read(timeline::History::read(pool, &job)),
        read(jobs::lineage(pool, job.id)),
        read(jobs::change_groups(pool, job.id)),
        read(changes::page(pool, job.id, wanted)),
        read(issues::page(pool, job.id)),
    );
    let held = if is_to_review(&job) {
        Some(read(review::Held::read(pool, &job, shown)).await)
    } else {
        None
    };
    let undone = undone::of_job(operator, &job).await;
    let names = names_of(pool, &job.school_id).await;
    let lineage_of: &[Job] = lineage.as_deref().unwrap_or_default();
    let attempts = history.as_ref().map(|history| history.attempts.as_slice()).unwrap_or_default();
    let has_personal = changes.as_deref().is_ok_and(changes::has_personal);
    let content = html! {
        div #job
            hx-get=(wanted.address(&job))
            hx-trigger="changed from:#live"
            hx-select="#job"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        {
            (head(operator, &job, lineage_of, &names))
            @if let Some(notice) = &extra.notice {
                p.refusal role="alert" { (notice) }
            }
            (standing(&job, attempts))
            (super::school::after_dry_run(operator, &job))
            @if let Some(error) = &job.error { (failure(operator, &job, error)) }
            (undone)
            @if has_personal && held.is_none() {
                (changes::curtain_alone(operator, &job, wanted, shown))
            }
            @match &held {
                Some(Ok(held)) => {
                    (review::show(operator, &job, held, &extra.draft, shown))
                }
                Some(Err(reason)) => p.broken { (reason) },
                None => {}
            }
            @if let Some(approval) = &job.approval { (approved(&job, approval)) }
            (facts(operator, &job))
            (report::show(&job))
            (panel("Timeline", "Live", &history, |history| {
                timeline::show(operator, &job, history)
            }))
            @if lineage_of.len() > 1 { (family(operator, &job, lineage_of)) }
            (panel("Issues", "Live", &issues, |issues| issues::show(&job, issues)))
            (panel(changes_title(&job), "Live", &groups, |groups| html! {
                (summary(&job, groups, wanted))
                @match &changes {
                    // The review has everyone of them already.
                    Ok(page) if held.is_some() => details.data open[!wanted.is_all()] {
                        summary { "See every change" }
                        (changes::show(&job, page, wanted, shown))
                    },
                    Ok(page) => (changes::show(&job, page, wanted, shown)),
                    Err(reason) => p.broken { (reason) },
                }
            }))
        }
    };
    let page = Page { operator, tab: Tab::Jobs, title: &title(&job), watch };
    Ok(page.show(&content).into_response())
}

fn changes_title(job: &Job) -> &'static str {
    match job.state {
        JobState::Held => "What would change",
        _ if job.options.dry_run => "What would change",
        _ => "Changes",
    }
}

fn head(operator: &Operator, job: &Job, lineage: &[Job], names: &Names) -> Markup {
    html! {
        div.title {
            h1 {
                (what(job))
                @if job.school_id.is_some() {
                    " of "
                    (school(names, job.school_id.as_ref()))
                }
                " "
                (state(job.state))
            }
            (actions::offer(operator, job, lineage, names))
        }
    }
}

/// Ids, times and attempts.
fn facts(operator: &Operator, job: &Job) -> Markup {
    html! {
        dl.facts {
            div {
                dt { "Id" }
                dd {
                    code.whole { (job.id) }
                }
            }
            @if let Some(person) = job.staff_id {
                div {
                    dt { "Person" }
                    dd {
                        (person_link(job.school_id.as_ref(), &person.to_string()))
                        " "
                        a.quiet href={ "/dashboard/jobs?user=" (person) } { "their jobs" }
                    }
                }
            }
            div {
                dt { "Requested by" }
                dd { (job.requested_by) }
            }
            div {
                dt { "Requested" }
                dd { (time(operator, job.created_at)) }
            }
            div {
                dt { "Waited" }
                dd {
                    @match job.started_at {
                        Some(started) => (length(started - job.created_at)),
                        None => span.quiet { "–" },
                    }
                }
            }
            @if let Some(ran) = ran(job) {
                div {
                    dt { "Ran" }
                    dd { (length(ran)) }
                }
            }
            div {
                dt { "Ended" }
                dd { (time_or_dash(operator, job.finished_at)) }
            }
            @if let Some(next) = job.next_attempt_at {
                div {
                    dt { "Next attempt" }
                    dd { (time(operator, next)) }
                }
            }
            div {
                dt { "Attempts used" }
                dd { (job.attempt) " of " (job.max_attempts) }
            }
            @if job.options.photos {
                div {
                    dt { "Photos" }
                    dd { "asked for" }
                }
            }
        }
    }
}

fn title(job: &Job) -> String {
    match &job.school_id {
        Some(school_id) => format!("{} {school_id}", what(job)),
        None => what(job).to_owned(),
    }
}

/// The progress of an unfinished job and the time that it may still take, or how a finished one
/// ended.
fn standing(job: &Job, attempts: &[Attempt]) -> Markup {
    if job.state == JobState::Succeeded {
        return html! { p.standing.good { "✓ " (ended(job)) } };
    }
    if job.state == JobState::Queued {
        return html! { p.standing.quiet { "It has not started." } };
    }
    let Some(progress) = job.progress.filter(|_| job.state == JobState::Running) else {
        return html! {};
    };
    let percent = progress.percent();
    let ran = attempts.last().map(|attempt| now() - attempt.started_at);
    let left = ran
        .filter(|_| (5..100).contains(&percent))
        .map(|ran| ran * i32::from(100 - percent) / i32::from(percent));
    html! {
        div.standing {
            progress max="100" value=(percent) aria-label="Progress" {}
            p aria-live="polite" {
                strong { (percent) " %" }
                " "
                (progress.stage)
                ", "
                (number(progress.done))
                @if let Some(total) = progress.total { " of " (number(total)) }
                " records"
                @if let Some(left) = left { ", about " (length(left)) " left" }
            }
        }
    }
}

/// The result of a job that succeeded, in a sentence or two.
fn ended(job: &Job) -> String {
    let Some(report) = &job.report else { return "Done.".into() };
    let people = report.created + report.updated + report.deactivated + report.restored;
    let [classes, subjects] = [report.classes, report.subjects]
        .map(|of| of.created + of.updated + of.archived + of.restored);
    let changed: Vec<String> = [
        (people, "person", "people"),
        (classes, "class", "classes"),
        (subjects, "subject", "subjects"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| count(number, one, many))
    .collect();
    let changed = match (changed.is_empty(), job.options.dry_run) {
        (true, true) => "Nothing would change.".into(),
        (true, false) => "Nothing had to change.".into(),
        (false, true) => format!("Would change: {}.", changed.join(", ")),
        (false, false) => format!("Changed: {}.", changed.join(", ")),
    };
    match report.skipped {
        0 => changed,
        skipped => {
            format!("{changed} Left out: {}; see the issues.", count(skipped, "person", "people"))
        }
    }
}

fn failure(operator: &Operator, job: &Job, error: &mis_sync_domain::JobFailure) -> Markup {
    let kind = match job.state {
        JobState::Held | JobState::Failed | JobState::Cancelled => job.state,
        // It is tried again.
        _ => JobState::Retrying,
    };
    html! {
        section.failure data-kind=(kind) {
            h2 { (error.title) }
            p { (error.detail) }
            p.quiet {
                code { (error.code) }
                @if let Some(next) = job.next_attempt_at { " · next attempt " (time(operator, next)) }
                " · "
                a href={ "/dashboard/jobs?error=" (error.code) } { "other jobs with this error" }
            }
        }
    }
}

/// What a person approved and what not, and why the numbers differ in the end.
fn approved(job: &Job, approval: &Approval) -> Markup {
    let sentences =
        |all: &[Affected]| all.iter().map(Affected::sentence).collect::<Vec<_>>().join("; ");
    let left = i64::try_from(approval.leave_people.len()).unwrap_or(i64::MAX);
    let recounts = job.report.iter().flat_map(|report| &report.recounts);
    html! {
        div.good {
            p {
                strong { "Approved: " }
                (sentences(&approval.approved))
                "."
            }
            @if !approval.left_out.is_empty() {
                p {
                    strong { "Left unchanged in iP: " }
                    (sentences(&approval.left_out))
                    "."
                }
            }
            @if left > 0 {
                p {
                    strong { "Left as they are: " }
                    (count(left, "person", "people"))
                    "."
                }
            }
            @for recount in recounts {
                p {
                    strong { (recount.records) " of " (recount.shown) }
                    " "
                    (recount.category.past())
                    @if !recount.reasons().is_empty() { ": " (recount.reasons().join("; ")) }
                    "."
                }
            }
        }
    }
}

/// Jobs that repeat or reverse this one, and jobs that they repeat.
fn family(operator: &Operator, job: &Job, lineage: &[Job]) -> Markup {
    html! {
        section.panel {
            header {
                h2 { "Related jobs" }
                p.source { "Retries and undos of the same job, oldest first" }
            }
            ol.lineage {
                @for member in lineage {
                    li aria-current=[(member.id == job.id).then_some("true")] {
                        a href=(job_path(member.id)) { (what(member)) }
                        " "
                        (state(member.state))
                        " "
                        (time(operator, member.created_at))
                        " by "
                        (member.requested_by)
                        @if member.retry_of.is_some() {
                            " "
                            span.quiet { "(retry of the previous one)" }
                        }
                        @if member.undo_of.is_some() {
                            " "
                            span.quiet { "(reverses changes)" }
                        }
                    }
                }
            }
        }
    }
}
