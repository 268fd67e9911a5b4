//! The list of jobs. Every filter is part of the address, so that it can be kept, sent and saved.

mod filter;

use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_domain::{Action, Job, JobKind, JobState};
use mis_sync_store::{
    Pool,
    bulk::BulkAction,
    jobs::{self, Count},
    saved_views::{self, SavedView},
};

pub(super) use filter::{Filter, id_prefix};

use super::{
    form::Posted,
    job,
    login::go,
    page::{Page, Tab, form_token},
    parts::{
        self, Names, ago, announced, empty, job_path, length, names_of, panel, ran, read, school,
        scroll, short, state, time, what,
    },
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// Jobs on a page.
const LIMIT: usize = 50;
/// Beyond this the list says "more than".
pub(super) const COUNT_AT_MOST: i64 = 10_000;

pub(super) async fn show(operator: Operator, parameters: Parameters) -> Result<Response, ApiError> {
    let filter = Filter::read(parameters, operator.preferences())?;
    let pool = operator.access().pool();
    let (found, views) = tokio::join!(read(list(pool, &filter)), read(saved_views::list(pool)));
    let content = html! {
        h1 { "Jobs" }
        (filters(&operator, &filter))
        (saved(&operator, &views, &filter))
        div #jobs hx-get={ "/dashboard/jobs" (filter.query_string()) } hx-trigger="changed from:#live"
            hx-select="#jobs" hx-swap="outerMorph" {
            (panel(heading(&found), "Ledger (Postgres), now", &found, |(jobs, _, names)| {
                list_of(&operator, &filter, jobs, names)
            }))
        }
    };
    let page =
        Page { operator: &operator, tab: Tab::Jobs, title: "Jobs", watch: Some("ledger".into()) };
    Ok(page.show(&content))
}

/// The jobs of a page, one more where there are more; how many match; what their schools are called.
async fn list(
    pool: &Pool,
    filter: &Filter,
) -> Result<(Vec<Job>, Count, Names), mis_sync_store::Error> {
    let Some(wanted) = filter.resolve(pool).await? else {
        return Ok((Vec::new(), Count { number: 0, is_exact: true }, Names::new()));
    };
    let uncut = jobs::JobFilter { before: None, ..wanted.clone() };
    let limit = i64::try_from(LIMIT + 1).expect("a small number");
    let (found, count) = tokio::try_join!(
        jobs::list(pool, &wanted, limit),
        jobs::count(pool, &uncut, COUNT_AT_MOST)
    )?;
    let names = names_of(pool, found.iter().map(|job| &job.school_id)).await;
    Ok((found, count, names))
}

fn filters(operator: &Operator, filter: &Filter) -> Markup {
    let field = |at: Option<DateTime<Utc>>| at.map(|at| operator.preferences().field(at));
    html! {
        form #filters .filters action="/dashboard/jobs" hx-get="/dashboard/jobs"
            hx-trigger="input delay:250ms, change" hx-target="#jobs" hx-select="#jobs" hx-swap="outerMorph"
            hx-push-url="true" {
            label { "Search"
                input name="q" type="search" value=[filter.q.as_deref()] autocomplete="off"
                    placeholder="id, school or user"; }
            label { "Kind"
                select name="kind" {
                    option value="" { "any" }
                    @for kind in JobKind::ALL {
                        option value=(kind) selected[filter.kind == Some(*kind)] { (kind) }
                    }
                }
            }
            label { "School" input name="school" value=[filter.school.as_deref()] autocomplete="off" placeholder="id or name"; }
            label { "User" input name="user" value=[filter.user.map(|id| id.to_string())] autocomplete="off" placeholder="staff id"; }
            label { "Error" input name="error" value=[filter.error.as_deref()] autocomplete="off" placeholder="wonde_unauthorized"; }
            label { "Asked for"
                select name="age" {
                    @for (value, text) in filter::AGES {
                        option value=(value) selected[filter.age == *value] { (text) }
                    }
                }
            }
            fieldset.states {
                legend { "State" }
                @for state in JobState::ALL {
                    label.chip { input type="checkbox" name={ "state." (state) } checked[filter.states.contains(state)];
                        span { (state) } }
                }
            }
            label { "From" input name="from" type="datetime-local" value=[field(filter.from)]; }
            label { "Until" input name="until" type="datetime-local" value=[field(filter.until)]; }
            button.no-script { "Filter" }
        }
    }
}

fn saved(operator: &Operator, views: &Result<Vec<SavedView>, String>, filter: &Filter) -> Markup {
    let views: &[SavedView] = views.as_deref().unwrap_or_default();
    let query = filter.query_string();
    html! {
        div.views {
            span.quiet { "Views" }
            @for (name, query) in BUILT_IN { a.chip href={ "/dashboard/jobs" (query) } { (name) } }
            @for view in views {
                span.chip {
                    a href={ "/dashboard/jobs" (view.query) } title={ "Saved by " (view.saved_by) } { (view.name) }
                    form method="post" action="/dashboard/jobs/views/forget" {
                        (form_token(operator))
                        input type="hidden" name="name" value=(view.name);
                        button.cross aria-label={ "Forget the view " (view.name) } { "×" }
                    }
                }
            }
            @if !query.is_empty() {
                details.deed {
                    summary.button { "Save this view" }
                    form.sheet method="post" action="/dashboard/jobs/views" {
                        (form_token(operator))
                        input type="hidden" name="query" value=(query);
                        label { "Name" input name="name" required maxlength="60" autocomplete="off"; }
                        p.quiet { "Everybody who uses the dashboard sees it." }
                        button.primary { "Save" }
                    }
                }
            }
        }
    }
}

/// What is asked for most often.
const BUILT_IN: [(&str, &str); 5] = [
    ("All", ""),
    ("Unfinished", "?state.queued=on&state.running=on&state.retrying=on&state.held=on"),
    ("Failed today", "?state.failed=on&age=24h"),
    ("Held", "?state.held=on"),
    ("Syncs", "?kind=sync-school"),
];

fn list_of(operator: &Operator, filter: &Filter, jobs: &[Job], names: &Names) -> Markup {
    if jobs.is_empty() {
        return empty(
            "No job matches.",
            &html! {
                @if filter.query_string().is_empty() {
                    "Nothing has been asked for yet. Open a " a href="/dashboard/schools" { "school" } " and sync it."
                } @else {
                    a href="/dashboard/jobs" { "Clear the filter" } " to see all jobs."
                }
            },
        );
    }
    let (page, more) = (&jobs[..jobs.len().min(LIMIT)], jobs.len() > LIMIT);
    html! {
        (bulk_offers(operator, filter))
        (table(operator, page, Some(names)))
        nav.pages aria-label="Pages of the list" {
            @if filter.before.is_some() { a.button href={ "/dashboard/jobs" (filter.before(None)) } { "Newest" } }
            @if let Some(last) = page.last().filter(|_| more) {
                a.button href={ "/dashboard/jobs" (filter.before(Some(last.id))) } { "Older" }
            }
        }
    }
}

/// How many jobs match, where that could be read.
fn heading(found: &Result<(Vec<Job>, Count, Names), String>) -> Markup {
    html! { @if let Ok((_, count, _)) = found { (announced(&counted(*count))) } }
}

pub(super) fn counted(count: Count) -> String {
    let number = parts::count(count.number, "job", "jobs");
    if count.is_exact { number } else { format!("more than {number}") }
}

/// Retry and cancel for everything that matches, where the filter has jobs that allow it.
fn bulk_offers(operator: &Operator, filter: &Filter) -> Markup {
    let offered = [BulkAction::Retry, BulkAction::Cancel].map(|action| {
        (operator.is_allowed(Action::ActOnJobs) && filter.may_hold(action)).then_some(action)
    });
    html! {
        @if offered.iter().any(Option::is_some) { div.buttons.list-head {
            @for action in offered.into_iter().flatten() {
                a.button href={ "/dashboard/bulk/review" (filter.with("action", action.as_str())) } {
                    @match action { BulkAction::Retry => "Retry all …", BulkAction::Cancel => "Cancel all …" }
                }
            }
        } }
    }
}

/// Jobs as rows; without `names` they are all of one school, which is not said.
pub(super) fn table(operator: &Operator, jobs: &[Job], names: Option<&Names>) -> Markup {
    let may_act = operator.is_allowed(Action::ActOnJobs);
    html! {
        (scroll("Jobs", &html! {
            table.rows.cards {
                thead { tr {
                    th { "State" } th { "Job" } @if names.is_some() { th { "School" } } th { "Asked for" } th.number { "Took" }
                    th.number { "Attempt" } th { "By" } th { "Id" } @if may_act { th { span.hidden { "Actions" } } }
                } }
                tbody { @for job in jobs { (row(operator, job, names, may_act)) } }
            }
        }))
    }
}

fn row(operator: &Operator, job: &Job, names: Option<&Names>, may_act: bool) -> Markup {
    html! {
        tr #{ "job-" (job.id) } {
            td { (state(job.state)) @if let Some(progress) = bar(job) { " " (progress) } }
            td { (what(job)) @if let Some(error) = &job.error { div.quiet title=(error.title) { code { (error.code) } } } }
            @if let Some(names) = names { td { (school(names, &job.school_id)) } }
            td { (time(operator, job.created_at)) div.quiet { (ago(job.created_at)) " ago" } }
            td.number data-label="Took" { @match ran(job) { Some(length_) => (length(length_)), None => span.quiet { "–" } } }
            td.number data-label="Attempt" { (job.attempt) "/" (job.max_attempts) }
            td data-label="By" { (job.requested_by) }
            td { a.open href=(job_path(job.id)) title=(job.id) { code { (short(job.id)) } } }
            @if may_act { td { (job::remedy(operator, job)) } }
        }
    }
}

/// How far a running job is.
fn bar(job: &Job) -> Option<Markup> {
    let progress = job.progress.filter(|_| job.state == JobState::Running)?;
    let percent = progress.percent();
    Some(html! { progress max="100" value=(percent) aria-label={ (percent) " percent" } {} })
}

pub(super) async fn save_view(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::UseDashboard)?;
    let fields = posted.fields();
    let (name, query) = (fields.required("name")?, fields.required("query")?);
    if name.chars().count() > 60 || query.len() > 1000 || !query.starts_with('?') {
        return Err(ApiError::MalformedBody("a name has at most 60 characters".into()));
    }
    saved_views::save(access.pool(), name, query, &access.key().name).await?;
    Ok(go(&format!("/dashboard/jobs{query}"), None))
}

pub(super) async fn forget_view(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::UseDashboard)?;
    saved_views::forget(access.pool(), posted.fields().required("name")?).await?;
    Ok(go("/dashboard/jobs", None))
}
