//! Every school at a glance, those that need attention first.

mod filter;

use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_domain::{Action, AlertKind, Condition, TokenState};
use mis_sync_store::schools::{self, Quality, SchoolSummary};

use super::{
    live,
    page::{FRAME, Page, Tab},
    parts::{
        ago, announced, badge, count, empty, job_path, now, number, panel, read, school_path,
        scroll, state, time_or_dash,
    },
};
use crate::{
    ApiError,
    parameters::Parameters,
    state::{Access, Operator},
};
use filter::{Filter, Show, Sort};

/// Schools per page.
const LIMIT: usize = 100;

/// A school with its problems.
struct Row {
    school: SchoolSummary,
    conditions: Vec<Condition>,
    /// When it is synced next.
    next: Option<DateTime<Utc>>,
}

impl Row {
    /// How urgently it needs attention.
    fn rank(&self) -> u8 {
        let outage = u8::from(self.school.outage.is_some());
        self.conditions.iter().map(urgency).max().unwrap_or_default().max(outage)
    }

    fn name(&self) -> String {
        self.school.name.to_lowercase()
    }
}

pub(super) async fn show(operator: Operator, parameters: Parameters) -> Result<Response, ApiError> {
    let filter = Filter::read(parameters)?;
    let watch = live::ledger(&operator).await;
    let found = list(&operator, &filter).await;
    let content = html! {
        div.title {
            h1 { "Schools" }
            @if operator.is_allowed(Action::ManageSchools) {
                a.button.primary href="/dashboard/connect" { "Connect a school" }
            }
        }
        (form(&filter, found.as_ref().map_or(&[], |found| &found.mis)))
        div #schools
            hx-get=(filter.address())
            hx-trigger="changed from:#live"
            hx-select="#schools"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        {
            @if let Ok(found) = &found { (groups(&filter, found)) }
            (panel(heading(&found), "Live", &found, |found| list_of(&operator, &filter, found)))
        }
    };
    let page = Page { operator: &operator, tab: Tab::Schools, title: "Schools", watch };
    Ok(page.show(&content))
}

fn form(filter: &Filter, mis: &[String]) -> Markup {
    html! {
        form
            .filters
            action="/dashboard/schools"
            hx-get="/dashboard/schools"
            hx-trigger="input delay:250ms, change"
            hx-target="#schools"
            hx-select="#schools"
            hx-swap="outerMorph"
            hx-push-url="true"
        {
            label {
                "Search"
                input
                    name="q"
                    type="search"
                    value=[filter.q.as_deref()]
                    autocomplete="off"
                    placeholder="id, name or MIS";
            }
            label {
                "MIS"
                select name="mis" {
                    option value="" { "any" }
                    @for mis in mis {
                        option value=(mis) selected[filter.mis.as_ref() == Some(mis)] { (mis) }
                    }
                }
            }
            @if let Some(show) = filter.show { input type="hidden" name="show" value=(show); }
            @if let Some(sort) = filter.order() { input type="hidden" name="sort" value=(sort); }
            span.buttons {
                button.no-script { "Filter" }
                a.button href="/dashboard/schools" { "Clear" }
            }
        }
    }
}

struct Found {
    /// The schools of this page.
    rows: Vec<Row>,
    /// Schools that match, on all pages.
    total: usize,
    /// How many of those that the text and the MIS match are in each group, and in all.
    groups: Vec<(Option<Show>, usize)>,
    /// Every MIS of a school.
    mis: Vec<String>,
}

async fn list(operator: &Operator, filter: &Filter) -> Result<Found, String> {
    let (access, now) = (operator.access(), now());
    let summaries = read(schools::summaries(access.pool())).await?;
    let conditions = operator.health().schools.as_ref().map_err(Clone::clone)?;
    let mut mis: Vec<String> = summaries.iter().filter_map(|school| school.mis.clone()).collect();
    mis.sort();
    mis.dedup();
    let row = |school: SchoolSummary| {
        let conditions = conditions.get(&school.id).cloned().unwrap_or_default();
        Row { conditions, next: None, school }
    };
    let about = summaries.into_iter().map(row).filter(|row| filter.is_about(row));
    let mut rows: Vec<Row> = about.collect();
    let of = |show: &Show| rows.iter().filter(|row| show.has(row, now)).count();
    let groups = Show::ALL.iter().map(|show| (Some(*show), of(show)));
    let groups = [(None, rows.len())].into_iter().chain(groups).collect();
    rows.retain(|row| filter.show.is_none_or(|show| show.has(row, now)));
    if filter.sort == Sort::Next {
        find_next(access, &mut rows);
    }
    filter.sort(&mut rows);
    let total = rows.len();
    let mut rows: Vec<Row> = rows.into_iter().skip(filter.page * LIMIT).take(LIMIT).collect();
    find_next(access, &mut rows);
    Ok(Found { rows, total, groups, mis })
}

/// When each of these schools is synced next, which takes its schedule a while to say.
fn find_next(access: &Access, rows: &mut [Row]) {
    for row in rows {
        let school = &row.school;
        let schedule = school.settings.as_ref().map(|settings| &settings.schedule);
        row.next =
            schedule.and_then(|schedule| access.next_sync(&school.id, school.token, schedule));
    }
}

/// The groups of schools, each with how many there are.
fn groups(filter: &Filter, found: &Found) -> Markup {
    html! {
        nav.groups aria-label="Groups of schools" {
            @for (show, schools) in &found.groups {
                a   href=(filter.showing(*show).address())
                    aria-current=[(*show == filter.show).then_some("true")]
                {
                    (show.map_or("All", Show::label))
                    " "
                    strong { (number(i64::try_from(*schools).unwrap_or(i64::MAX))) }
                }
            }
        }
    }
}

/// How many schools match, if that could be read.
fn heading(found: &Result<Found, String>) -> Markup {
    let total = |found: &Found| i64::try_from(found.total).unwrap_or(i64::MAX);
    html! { @if let Ok(found) = found { (announced(&count(total(found), "school", "schools"))) } }
}

fn list_of(operator: &Operator, filter: &Filter, found: &Found) -> Markup {
    if found.rows.is_empty() {
        return none(operator, filter);
    }
    html! {
        (scroll("Schools", &html! {
            table.rows.cards {
                thead {
                    tr {
                        @for sort in Sort::ALL { (column(filter, *sort)) }
                    }
                }
                tbody {
                    @for row in &found.rows { (line(operator, row)) }
                }
            }
        }))
        nav.pages aria-label="Pages of the list" {
            @if filter.page > 0 {
                a.button href=(filter.on_page(filter.page - 1).address()) { "Previous" }
            }
            @if (filter.page + 1) * LIMIT < found.total {
                a.button href=(filter.on_page(filter.page + 1).address()) { "Next" }
            }
        }
    }
}

fn none(operator: &Operator, filter: &Filter) -> Markup {
    let is_filtered = filter.q.is_some() || filter.mis.is_some();
    empty(
        "No school matches.",
        &html! {
            @if is_filtered {
                a href="/dashboard/schools" { "Clear the filter" }
                " to see all schools."
            } @else if filter.show == Some(Show::Attention) {
                "No schools need attention. "
                a href="/dashboard/schools" { "See all schools" }
                "."
            } @else if filter.show.is_some() {
                a href="/dashboard/schools" { "See all schools" }
                "."
            } @else if operator.is_allowed(Action::ManageSchools) {
                a href="/dashboard/connect" { "Connect a school" }
                ", or connect one from the iP app."
            } @else { "The iP app or an administrator connects schools." }
        },
    )
}

/// The head of a column, which sorts by it.
fn column(filter: &Filter, sort: Sort) -> Markup {
    let is_current = filter.sort == sort;
    let order = if filter.is_descending { "descending" } else { "ascending" };
    html! {
        th .number[sort == Sort::Quality] aria-sort=[is_current.then_some(order)] {
            a href=(filter.sorted_by(sort).address()) {
                (sort.label())
                @if is_current {
                    span aria-hidden="true" { (if filter.is_descending { " ↓" } else { " ↑" }) }
                }
            }
        }
    }
}

fn line(operator: &Operator, row: &Row) -> Markup {
    let school = &row.school;
    html! {
        tr #{ "school-" (school.id) } {
            td {
                a.open href=(school_path(&school.id)) { (school.name) }
                div.quiet {
                    code { (school.id) }
                }
            }
            td data-label="MIS" { (school.mis.as_deref().unwrap_or("not said")) }
            td.needs-of { (needs(row)) }
            td data-label="Last sync" {
                @match school.last_sync {
                    Some((id, last, at)) => {
                        a href=(job_path(id)) { (state(last)) }
                        div.quiet { (ago(at)) " ago" }
                    }
                    None => span.quiet { "never" },
                }
            }
            td data-label="Last good" {
                (time_or_dash(operator, school.last_synced_at))
                @if let Some(at) = school.last_synced_at {
                    div.quiet { (ago(at)) " ago" }
                }
            }
            td.number data-label="Data quality" { (score(school.quality)) }
            td data-label="Next" {
                @if school.paused_at.is_some() { span.quiet { "paused" } } @else {
                    (time_or_dash(operator, row.next))
                }
            }
        }
    }
}

/// What a school needs.
fn needs(row: &Row) -> Markup {
    let (school, conditions) = (&row.school, &row.conditions);
    let is_quiet = school.paused_at.is_none() && school.withheld == 0;
    html! {
        @if school.token == TokenState::Missing { (badge("cancelled", "–", "not connected")) }
        @for condition in conditions { (condition_badge(condition)) " " }
        @if let Some(reason) = &school.outage {
            (badge("retrying", "↻", &format!("Wonde {}", reason.replace('_', " ")))) " "
        }
        @if let Some(at) = school.paused_at {
            (badge("held", "‖", &format!("paused {}", ago(at)))) " "
        }
        @if school.withheld > 0 {
            (badge("retrying", "◌", &format!("{} withheld", school.withheld)))
        }
        @if school.token != TokenState::Missing && row.rank() == 0 && is_quiet {
            (badge("succeeded", "✓", "nothing"))
        }
    }
}

pub(super) fn condition_badge(condition: &Condition) -> Markup {
    let (shape, text) = match condition.kind {
        AlertKind::TokenRejected => ("✕", "token refused"),
        AlertKind::SyncFailed => ("✕", "sync failed"),
        AlertKind::SyncHeld => ("‖", "approval"),
        AlertKind::SyncStale => ("◷", "stale"),
    };
    badge(condition_kind(condition), shape, text)
}

/// How urgent a condition is, the highest first; always more than no condition.
pub(super) fn urgency(condition: &Condition) -> u8 {
    match condition.kind {
        AlertKind::TokenRejected => 5,
        AlertKind::SyncFailed => 4,
        AlertKind::SyncHeld => 3,
        AlertKind::SyncStale => 2,
    }
}

/// The colour of a condition.
pub(super) fn condition_kind(condition: &Condition) -> &'static str {
    match condition.kind {
        AlertKind::TokenRejected | AlertKind::SyncFailed => "failed",
        AlertKind::SyncHeld => "held",
        AlertKind::SyncStale => "retrying",
    }
}

/// Percentage of current staff that could be imported.
fn score(quality: Quality) -> Markup {
    html! {
        @match quality.score() {
            Some(score) => {
                meter
                    min="0"
                    max="100"
                    low="80"
                    high="97"
                    optimum="100"
                    value=(score)
                    aria-label="Data quality" {}
                " "
                (score)
                " %"
            }
            None => span.quiet { "–" },
        }
    }
}
