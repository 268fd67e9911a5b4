//! One job: how it came to where it stands, what it did or would do, and what to do about it.

mod actions;
mod changes;
mod timeline;

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use mis_sync_domain::{Affected, Approval, Job, JobState, Report};
use mis_sync_store::jobs::{self, Attempt};

pub(super) use actions::{approve, cancel, offer, reject, retry, undo};
use changes::Shown;
pub(super) use changes::{Wanted, reveal as reveal_changes, summary};

use super::{
    page::{Page, Tab},
    parts::{
        Names, count, job_path, length, names_of, now, number, panel, read, school, scroll, state,
        time, time_or_dash, what,
    },
};
use crate::{
    ApiError,
    parameters::{Parameters, PathId},
    state::Operator,
};

/// Issues on the page; the file has all of them.
const ISSUES: i64 = 100;

pub(super) async fn show(
    operator: Operator,
    PathId(job_id): PathId,
    parameters: Parameters,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(parameters)?;
    render(&operator, &job_id, &wanted, Shown::Hidden).await
}

/// The page; `shown` says whether personal data is in it.
async fn render(
    operator: &Operator,
    job_id: &str,
    wanted: &Wanted,
    shown: Shown,
) -> Result<Response, ApiError> {
    let access = operator.access();
    let job = access.job(job_id).await?;
    let pool = access.pool();
    let (attempts, lineage, groups, changes, issues) = tokio::join!(
        read(jobs::attempts(pool, job.id)),
        read(jobs::lineage(pool, job.id)),
        read(jobs::change_groups(pool, job.id)),
        read(changes::page(pool, job.id, wanted)),
        read(jobs::issues(pool, job.id, 0, ISSUES)),
    );
    let names = names_of(pool, &[&job]).await;
    let lineage_of: &[Job] = lineage.as_deref().unwrap_or_default();
    let content = html! {
        div #job hx-get=(job_path(job.id)) hx-trigger="changed from:#live" hx-select="#job" hx-swap="outerMorph" {
            (head(operator, &job, lineage_of, &names))
            (standing(&job, attempts.as_deref().unwrap_or_default()))
            @if let Some(error) = &job.error { (failure(operator, &job, error)) }
            @if let Some(approval) = &job.approval { (approved(approval)) }
            @if lineage_of.len() > 1 { (family(operator, &job, lineage_of)) }
            @if let Some(report) = &job.report { (report_of(report)) }
            (panel("Attempts", "Ledger (Postgres), now", &attempts, |attempts| timeline::show(operator, attempts)))
        }
        (panel("Issues", "Ledger (Postgres), when the page was loaded", &issues, |issues| issues_of(&job, issues)))
        (panel(changes_title(&job), "Ledger (Postgres), when the page was loaded", &groups, |groups| html! {
            (summary(&job, groups, wanted))
            @match &changes {
                Ok(page) => (changes::show(operator, &job, page, wanted, shown)),
                Err(reason) => p.broken { (reason) }
            }
        }))
    };
    let page = Page {
        operator,
        tab: Tab::Jobs,
        title: &format!("{} {}", what(&job), job.school_id),
        watch: Some(job.id.to_string()),
    };
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
            h1 { (what(job)) " of " (school(names, &job.school_id)) " " (state(job.state)) }
            (actions::offer(operator, job, lineage))
        }
        dl.facts {
            div { dt { "Id" } dd { code { (job.id) } } }
            @if let Some(person) = job.staff_id {
                div { dt { "Person" } dd { a href={ "/dashboard/jobs?user=" (person) } { code { (person) } } } }
            }
            div { dt { "Asked for by" } dd { (job.requested_by) } }
            div { dt { "Asked for" } dd { (time(operator, job.created_at)) } }
            div { dt { "Waited" } dd { @match job.started_at {
                Some(started) => (length(started - job.created_at)),
                None => span.quiet { "–" } } } }
            div { dt { "Ended" } dd { (time_or_dash(operator, job.finished_at)) } }
            @if let Some(next) = job.next_attempt_at { div { dt { "Next attempt" } dd { (time(operator, next)) } } }
            div { dt { "Attempts" } dd { (job.attempt) " of " (job.max_attempts) } }
            @if job.options.photos { div { dt { "Photos" } dd { "asked for" } } }
        }
    }
}

/// Where an unfinished job is, and how long it may take yet.
fn standing(job: &Job, attempts: &[Attempt]) -> Markup {
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
                strong { (percent) " %" } " " (progress.stage) ", "
                (number(progress.done)) @if let Some(total) = progress.total { " of " (number(total)) } " records"
                @if let Some(left) = left { ", about " (length(left)) " left" }
            }
        }
    }
}

fn failure(operator: &Operator, job: &Job, error: &mis_sync_domain::JobFailure) -> Markup {
    html! {
        section.failure data-kind=(job.state) {
            h2 { (error.title) }
            p { (error.detail) }
            p.quiet { code { (error.code) }
                @if let Some(next) = job.next_attempt_at { " · next attempt " (time(operator, next)) }
                " · " a href={ "/dashboard/jobs?error=" (error.code) } { "other jobs with this error" }
            }
        }
    }
}

/// What a person let the job do, and what not.
fn approved(approval: &Approval) -> Markup {
    let sentences =
        |all: &[Affected]| all.iter().map(Affected::sentence).collect::<Vec<_>>().join("; ");
    html! {
        div.good {
            p { strong { "Approved: " } (sentences(&approval.approved)) "." }
            @if !approval.left_out.is_empty() { p { strong { "Stays as iP has it: " } (sentences(&approval.left_out)) "." } }
        }
    }
}

/// Jobs that repeat this one, or take it back, and what they repeat.
fn family(operator: &Operator, job: &Job, lineage: &[Job]) -> Markup {
    html! {
        section.panel {
            header { h2 { "Lineage" } p.source { "Repeats and undos of the same job, oldest first" } }
            ol.lineage {
                @for member in lineage {
                    li aria-current=[(member.id == job.id).then_some("true")] {
                        a href=(job_path(member.id)) { (what(member)) } " " (state(member.state)) " "
                        (time(operator, member.created_at)) " by " (member.requested_by)
                        @if member.retry_of.is_some() { " " span.quiet { "(repeats the one before)" } }
                        @if member.undo_of.is_some() { " " span.quiet { "(takes changes back)" } }
                    }
                }
            }
        }
    }
}

fn report_of(report: &Report) -> Markup {
    let people = [
        ("Fetched", report.fetched),
        ("Current", report.current),
        ("Created", report.created),
        ("Updated", report.updated),
        ("Unchanged", report.unchanged),
        ("Deactivated", report.deactivated),
        ("Restored", report.restored),
        ("Left out", report.skipped),
        ("Issues", report.issues),
    ];
    let teaching = [("Classes", &report.classes), ("Subjects", &report.subjects)];
    html! {
        section.panel {
            header { h2 { "Report" } p.source {
                (count(report.requests, "request", "requests")) " to Wonde in "
                (length(chrono::TimeDelta::milliseconds(i64::try_from(report.duration_ms).unwrap_or(i64::MAX)))) } }
            @if let Some(outcome) = report.outcome { p { "Outcome: " strong { (format!("{outcome:?}")) } } }
            dl.tiles { @for (name, value) in people { div.zero[value == 0] { dt { (name) } dd { (number(value)) } } } }
            @for (name, counts) in teaching.into_iter().filter(|(_, counts)| counts.fetched > 0) {
                p { strong { (name) } ": " (number(counts.fetched)) " fetched, " (number(counts.created)) " new, "
                    (number(counts.updated)) " updated, " (number(counts.archived)) " archived, "
                    (number(counts.restored)) " restored, " (number(counts.skipped)) " left out" }
            }
            @if report.photos.fetched > 0 {
                p { strong { "Photos" } ": " (number(report.photos.fetched)) " fetched, " (number(report.photos.updated))
                    " new, " (number(report.photos.removed)) " removed, " (number(report.photos.skipped)) " left out" }
            }
        }
    }
}

fn issues_of(job: &Job, issues: &[(i64, mis_sync_domain::Issue)]) -> Markup {
    html! {
        @if issues.is_empty() {
            p.quiet { @if job.report.is_some() { "No record had a problem." } @else { "None so far." } }
        } @else {
            (scroll("Issues", &html! {
                table.rows {
                    thead { tr { th { "Record" } th { "Reason" } th { "What it means" } } }
                    tbody { @for (_, issue) in issues {
                        tr {
                            td { @match &issue.wonde_id { Some(id) => code { (id) }, None => span.quiet { "the whole school" } } }
                            td { code { (issue.code.as_str()) } }
                            td { (issue.code.sentence()) }
                        }
                    } }
                }
            }))
            @if issues.len() >= usize::try_from(ISSUES).expect("a small number") {
                p.quiet { "The first " (ISSUES) " are shown. The school's page has the data-quality report with all of them." }
            }
        }
    }
}
