//! The list of jobs. Every filter is part of the address, so that it can be kept, sent and saved.

mod filter;
mod form;
mod views;

use axum::response::Response;
use maud::{Markup, html};
use mis_sync_domain::{Action, Job, JobState};
use mis_sync_store::{
    Pool,
    bulk::BulkAction,
    jobs::{self, Count},
    saved_views,
};

pub(super) use filter::{Filter, by_id};
pub(super) use views::{forget_view, save_view};

use super::{
    job, live,
    page::{Page, Tab},
    parts::{
        self, Names, ago, announced, empty, job_path, length, names_of, panel, ran, read, school,
        scroll, short, state, time, what,
    },
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// Jobs per page.
const LIMIT: usize = 50;
/// Beyond this the list says "more than".
pub(super) const COUNT_AT_MOST: i64 = 10_000;

/// The content of a page.
struct Found {
    /// One more than fits, if there are more.
    jobs: Vec<Job>,
    /// How many match.
    count: Count,
    /// How many would match in each state.
    states: Vec<(JobState, Count)>,
    /// The names of the schools.
    names: Names,
}

pub(super) async fn show(operator: Operator, parameters: Parameters) -> Result<Response, ApiError> {
    let filter = Filter::read(parameters, operator.preferences())?;
    let watch = live::ledger(&operator).await;
    let pool = operator.access().pool();
    let (found, views, errors) = tokio::join!(
        read(find(pool, &filter)),
        read(saved_views::list(pool)),
        read(jobs::error_codes(pool))
    );
    let states = found.as_ref().map(|found| found.states.as_slice()).unwrap_or_default();
    let errors = errors.unwrap_or_default();
    let content = html! {
        h1 { "Jobs" }
        (form::show(&operator, &filter, states, &errors))
        (views::show(&operator, &views, &filter))
        div #jobs
            hx-get={ "/dashboard/jobs" (filter.query_string()) }
            hx-trigger="changed from:#live"
            hx-select="#jobs"
            hx-swap="outerMorph"
            hx-select-oob=(form::BESIDE)
        { (panel(heading(&found), "Live", &found, |found| {
            list_of(&operator, &filter, found)
        })) }
    };
    let page = Page { operator: &operator, tab: Tab::Jobs, title: "Jobs", watch };
    Ok(page.show(&content))
}

async fn find(pool: &Pool, filter: &Filter) -> Result<Found, mis_sync_store::Error> {
    let Some(wanted) = filter.resolve(pool).await? else {
        let none = Count { number: 0, is_exact: true };
        let states = JobState::ALL.iter().map(|state| (*state, none)).collect();
        return Ok(Found { jobs: Vec::new(), count: none, states, names: Names::new() });
    };
    let limit = i64::try_from(LIMIT + 1).expect("a small number");
    let (jobs, (count, states)) = tokio::try_join!(
        jobs::list(pool, &wanted, limit),
        jobs::counts(pool, &wanted, COUNT_AT_MOST),
    )?;
    let names = names_of(pool, jobs.iter().filter_map(|job| job.school_id.as_ref())).await;
    Ok(Found { jobs, count, states, names })
}

fn list_of(operator: &Operator, filter: &Filter, found: &Found) -> Markup {
    let jobs = &found.jobs;
    if jobs.is_empty() {
        return empty(
            "No job matches.",
            &html! {
                @if filter.query_string().is_empty() {
                    "There are no jobs yet. Open a "
                    a href="/dashboard/schools" { "school" }
                    " and sync it."
                } @else {
                    a href="/dashboard/jobs" { "Clear the filter" }
                    " to see all jobs."
                }
            },
        );
    }
    let (page, more) = (&jobs[..jobs.len().min(LIMIT)], jobs.len() > LIMIT);
    html! {
        (bulk_offers(operator, filter))
        (table(operator, page, Some(&found.names)))
        (ticked(operator))
        nav.pages aria-label="Pages of the list" {
            @if filter.before.is_some() {
                a.button href={ "/dashboard/jobs" (filter.before(None)) } { "Newest" }
            }
            @if let Some(last) = page.last().filter(|_| more) {
                a.button href={ "/dashboard/jobs" (filter.before(Some(last.id))) } { "Older" }
            }
        }
    }
}

/// How many jobs match, if that could be read.
fn heading(found: &Result<Found, String>) -> Markup {
    html! { @if let Ok(found) = found { (announced(&counted(found.count))) } }
}

pub(super) fn counted(count: Count) -> String {
    let number = parts::count(count.number, "job", "jobs");
    if count.is_exact { number } else { format!("more than {number}") }
}

/// Retry and cancel for everything that matches, if the filter has jobs that allow it.
fn bulk_offers(operator: &Operator, filter: &Filter) -> Markup {
    let offered = [BulkAction::Retry, BulkAction::Cancel].map(|action| {
        (operator.is_allowed(Action::ActOnJobs) && filter.may_hold(action)).then_some(action)
    });
    html! {
        @if offered.iter().any(Option::is_some) {
            div.buttons.list-head {
                @for action in offered.into_iter().flatten() {
                    a   .button
                        href={ "/dashboard/bulk/review" (filter.with("action", action.as_str())) }
                    {
                        @match action {
                            BulkAction::Retry => "Retry all …",
                            BulkAction::Cancel => "Cancel all …",
                        }
                    }
                }
            }
        }
    }
}

/// Retry and cancel for ticked rows, which appear once a row is ticked.
fn ticked(operator: &Operator) -> Markup {
    html! {
        @if operator.is_allowed(Action::ActOnJobs) {
            form #ticked.ticked action="/dashboard/bulk/review" {
                span.tally { "ticked" }
                button name="action" value=(BulkAction::Retry) { "Retry …" }
                button name="action" value=(BulkAction::Cancel) { "Cancel …" }
            }
        }
    }
}

/// Jobs as rows. Without `names` they all belong to one school, which is not shown, and cannot be
/// ticked.
pub(super) fn table(operator: &Operator, jobs: &[Job], names: Option<&Names>) -> Markup {
    let may_act = operator.is_allowed(Action::ActOnJobs);
    html! {
        (scroll("Jobs", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th {
                            @if may_act && names.is_some() {
                                input #tick-all.script type="checkbox" aria-label="Tick all on this page";
                            }
                            "State"
                        }
                        th { "Job" }
                        @if names.is_some() {
                            th { "School" }
                        }
                        th { "Requested" }
                        th.number { "Took" }
                        th.number { "Attempt" }
                        th { "By" }
                        th { "Id" }
                        @if may_act {
                            th {
                                span.hidden { "Actions" }
                            }
                        }
                    }
                }
                tbody {
                    @for job in jobs { (row(operator, job, names, may_act)) }
                }
            }
        }))
    }
}

fn row(operator: &Operator, job: &Job, names: Option<&Names>, may_act: bool) -> Markup {
    html! {
        tr #{ "job-" (job.id) } {
            td {
                @if may_act && names.is_some() { (tick(job)) }
                (state(job.state))
                @if let Some(progress) = bar(job) { " " (progress) }
            }
            td {
                (what(job))
                @if let Some(error) = &job.error {
                    div.quiet title=(error.code) { (error.title) }
                }
            }
            @if let Some(names) = names {
                td { (school(names, job.school_id.as_ref())) }
            }
            td {
                (time(operator, job.created_at))
                div.quiet { (ago(job.created_at)) " ago" }
            }
            td.number data-label="Took" {
                @match ran(job) {
                    Some(length_) => (length(length_)),
                    None => span.quiet { "–" },
                }
            }
            td.number data-label="Attempt" { (job.attempt) "/" (job.max_attempts) }
            td data-label="By" { (job.requested_by) }
            td {
                a.open href=(job_path(job.id)) title=(job.id) {
                    code { (short(job.id)) }
                }
            }
            @if may_act {
                td { (job::remedy(operator, job, names)) }
            }
        }
    }
}

/// A box to tick, if there is an action for the job, otherwise an empty place.
fn tick(job: &Job) -> Markup {
    let may = |action: BulkAction| action.states().contains(&job.state);
    html! {
        @if may(BulkAction::Retry) || may(BulkAction::Cancel) {
            input
                .tick
                type="checkbox"
                name={ "id." (job.id) }
                form="ticked"
                aria-label={ "Tick job " (short(job.id)) };
        } @else {
            span.tick {}
        }
    }
}

/// The progress of a running job.
fn bar(job: &Job) -> Option<Markup> {
    let progress = job.progress.filter(|_| job.state == JobState::Running)?;
    let percent = progress.percent();
    Some(html! { progress max="100" value=(percent) aria-label={ (percent) " percent" } {} })
}
