//! One job: how it reached its state, what it did or would do, and what can be done about it.

mod actions;
mod changes;
mod issues;
mod timeline;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{Affected, Approval, Job, JobState, Report};
use mis_sync_store::jobs::{self, Attempt};

pub(super) use actions::{approve, cancel, offer, reject, remedy, retry, undo};
use changes::Shown;
pub(super) use changes::{Wanted, reveal as reveal_changes, summary};

use super::{
    live,
    page::{FRAME, Page, Tab},
    parts::{
        Names, count, job_path, length, names_of, now, number, panel, read, school, state, time,
        time_or_dash, what,
    },
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
    render(&operator, &job_id, &wanted, Shown::Hidden).await
}

/// The page; `shown` says whether personal data are in it.
async fn render(
    operator: &Operator,
    job_id: &str,
    wanted: &Wanted,
    shown: Shown,
) -> Result<Response, ApiError> {
    let access = operator.access();
    let job = access.job(job_id).await?;
    let pool = access.pool();
    // Revealed data are not replaced while a person reads them: that page does not refresh itself.
    let is_live = shown == Shown::Hidden;
    let watch = if is_live { live::job(operator, job.id).await } else { None };
    let (attempts, lineage, groups, changes, issues) = tokio::join!(
        read(jobs::attempts(pool, job.id)),
        read(jobs::lineage(pool, job.id)),
        read(jobs::change_groups(pool, job.id)),
        read(changes::page(pool, job.id, wanted)),
        read(issues::page(pool, job.id)),
    );
    let names = names_of(pool, &job.school_id).await;
    let lineage_of: &[Job] = lineage.as_deref().unwrap_or_default();
    let source = if is_live { "Live" } else { "As of page load" };
    let content = html! {
        div #job
            hx-get=[is_live.then(|| wanted.address(&job))]
            hx-trigger="changed from:#live"
            hx-select="#job"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        {
            (head(operator, &job, lineage_of, &names))
            (standing(&job, attempts.as_deref().unwrap_or_default()))
            (super::school::after_dry_run(operator, &job))
            @if let Some(error) = &job.error { (failure(operator, &job, error)) }
            @if let Some(approval) = &job.approval { (approved(approval)) }
            (report_of(&job))
            (panel("Attempts", source, &attempts, |attempts| {
                timeline::show(operator, &job, attempts)
            }))
            @if lineage_of.len() > 1 { (family(operator, &job, lineage_of)) }
            (panel("Issues", source, &issues, |issues| issues::show(&job, issues)))
            (panel(changes_title(&job), source, &groups, |groups| html! {
                (summary(&job, groups, wanted))
                @match &changes {
                    Ok(page) => (changes::show(operator, &job, page, wanted, shown)),
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
            (actions::offer(operator, job, lineage))
        }
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
                        a href={ "/dashboard/jobs?user=" (person) } {
                            code { (person) }
                        }
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

/// What a person approved and what not.
fn approved(approval: &Approval) -> Markup {
    let sentences =
        |all: &[Affected]| all.iter().map(Affected::sentence).collect::<Vec<_>>().join("; ");
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

/// A figure of a report: its name and its value.
type Figure = (&'static str, fn(&Report) -> u64);

/// The figures of a job. Their places are there from the start, so that nothing jumps.
fn report_of(job: &Job) -> Markup {
    let report = job.report.as_ref();
    if report.is_none() && job.state.is_finished() {
        return html! {};
    }
    let people: [Figure; 9] = [
        ("Fetched", |report| report.fetched),
        ("Current", |report| report.current),
        ("Created", |report| report.created),
        ("Updated", |report| report.updated),
        ("Unchanged", |report| report.unchanged),
        ("Deactivated", |report| report.deactivated),
        ("Restored", |report| report.restored),
        ("Left out", |report| report.skipped),
        ("Issues", |report| report.issues),
    ];
    html! {
        section.panel {
            header {
                h2 { "Report" }
                p.source {
                    @match report {
                        Some(report) => {
                            (count(report.requests, "request", "requests"))
                            " to Wonde in "
                            (length(chrono::TimeDelta::milliseconds(
                                i64::try_from(report.duration_ms).unwrap_or(i64::MAX),
                            )))
                        }
                        None => "appears once the records have been compared",
                    }
                }
            }
            @if let Some(outcome) = report.and_then(|report| report.outcome) {
                p {
                    "Outcome: "
                    strong { (outcome.as_str().replace('_', " ")) }
                }
            }
            dl.tiles {
                @for (name, of) in people {
                    @let value = report.map_or(0, of);
                    div.zero[value == 0] {
                        dt { (name) }
                        dd {
                            @if report.is_some() { (number(value)) } @else { "–" }
                        }
                    }
                }
            }
            @if let Some(report) = report { (rest_of(report)) }
        }
    }
}

/// Classes, subjects and photos, if there were any.
fn rest_of(report: &Report) -> Markup {
    let teaching = [("Classes", &report.classes), ("Subjects", &report.subjects)];
    html! {
        @for (name, counts) in teaching.into_iter().filter(|(_, counts)| counts.fetched > 0) {
            p {
                strong { (name) }
                ": "
                (number(counts.fetched))
                " fetched, "
                (number(counts.created))
                " new, "
                (number(counts.updated))
                " updated, "
                (number(counts.archived))
                " archived, "
                (number(counts.restored))
                " restored, "
                (number(counts.skipped))
                " left out"
            }
        }
        @if report.photos.fetched > 0 {
            p {
                strong { "Photos" }
                ": "
                (number(report.photos.fetched))
                " fetched, "
                (number(report.photos.updated))
                " new, "
                (number(report.photos.removed))
                " removed, "
                (number(report.photos.skipped))
                " left out"
            }
        }
    }
}
