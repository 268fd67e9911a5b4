//! Every school at a glance, those that need attention first.

use std::collections::HashMap;

use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use mis_sync_domain::{AlertKind, Condition, IssueCode, SchoolId, TokenState};
use mis_sync_store::{
    Pool, alerts,
    schools::{self, Quality, SchoolSummary},
};
use url::form_urlencoded::Serializer;

use super::{
    page::{Page, Tab},
    parts::{
        ago, announced, badge, count, empty, job_path, now, panel, read, school_path, scroll,
        state, time_or_dash,
    },
};
use crate::{ApiError, parameters::Parameters, state::Operator};

/// Schools per page.
const LIMIT: usize = 100;

/// The filter of the list.
#[derive(Default)]
struct Filter {
    q: Option<String>,
    /// Only schools that need attention.
    trouble: bool,
    page: usize,
}

impl Filter {
    fn read(mut parameters: Parameters) -> Result<Self, ApiError> {
        parameters.drop_empty();
        let filter = Self {
            q: parameters.take_text("q", "a text")?.map(|q| q.to_lowercase()),
            trouble: parameters.take_text("trouble", "on")?.is_some(),
            page: parameters.take("page", "a page's number")?.unwrap_or_default(),
        };
        parameters.finish("`q`, `trouble` and `page`")?;
        Ok(filter)
    }

    fn address(&self, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        if let Some(q) = &self.q {
            query.append_pair("q", q);
        }
        if self.trouble {
            query.append_pair("trouble", "on");
        }
        if page > 0 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            "/dashboard/schools".into()
        } else {
            format!("/dashboard/schools?{query}")
        }
    }

    fn matches(&self, row: &Row) -> bool {
        let school = &row.school;
        let has = |text: &str| self.q.as_ref().is_none_or(|q| text.to_lowercase().contains(q));
        (has(school.id.as_str()) || has(&school.name) || school.mis.as_deref().is_some_and(has))
            && (!self.trouble || row.rank() > 0)
    }
}

/// A school with its problems.
struct Row {
    school: SchoolSummary,
    conditions: Vec<Condition>,
}

impl Row {
    /// How urgently it needs attention.
    fn rank(&self) -> u8 {
        let outage = u8::from(self.school.outage.is_some());
        self.conditions.iter().map(urgency).max().unwrap_or_default().max(outage)
    }
}

pub(super) async fn show(operator: Operator, parameters: Parameters) -> Result<Response, ApiError> {
    let filter = Filter::read(parameters)?;
    let access = operator.access();
    let found = read(list(access.pool(), access.state().stale_after(), &filter)).await;
    let address = filter.address(filter.page);
    let content = html! {
        h1 { "Schools" }
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
            label.chip {
                input type="checkbox" name="trouble" checked[filter.trouble];
                span { "needs someone" }
            }
            span.buttons {
                button.no-script { "Filter" }
                a.button href="/dashboard/schools" { "Clear" }
            }
        }
        div #schools
            hx-get=(address)
            hx-trigger="changed from:#live"
            hx-select="#schools"
            hx-swap="outerMorph"
        { (panel(heading(&found), "Live", &found, |found| {
            list_of(&operator, &filter, found)
        })) }
    };
    let page = Page {
        operator: &operator,
        tab: Tab::Schools,
        title: "Schools",
        watch: Some("ledger".into()),
    };
    Ok(page.show(&content))
}

struct Found {
    rows: Vec<Row>,
    quality: HashMap<SchoolId, Quality>,
    withheld: HashMap<SchoolId, Vec<IssueCode>>,
    /// Schools that match, on all pages.
    total: usize,
}

async fn list(
    pool: &Pool,
    stale_after: TimeDelta,
    filter: &Filter,
) -> Result<Found, mis_sync_store::Error> {
    let now = now();
    let (summaries, mut conditions) =
        tokio::try_join!(schools::summaries(pool), conditions(pool, now, stale_after))?;
    let mut rows: Vec<Row> = summaries
        .into_iter()
        .map(|school| Row { conditions: conditions.remove(&school.id).unwrap_or_default(), school })
        .filter(|row| filter.matches(row))
        .collect();
    // The sort is stable: equal schools stay in the order of their ids.
    rows.sort_by_key(|row| std::cmp::Reverse(row.rank()));
    let total = rows.len();
    let rows: Vec<Row> = rows.into_iter().skip(filter.page * LIMIT).take(LIMIT).collect();
    let ids: Vec<SchoolId> = rows.iter().map(|row| row.school.id.clone()).collect();
    let (quality, withheld) =
        tokio::try_join!(schools::quality(pool, &ids), schools::withheld(pool, &ids))?;
    let quality = quality.into_iter().map(|quality| (quality.school_id.clone(), quality)).collect();
    Ok(Found { rows, quality, withheld, total })
}

/// What is wrong with which school, as for alerts.
pub(super) async fn conditions(
    pool: &Pool,
    now: DateTime<Utc>,
    stale_after: TimeDelta,
) -> Result<HashMap<SchoolId, Vec<Condition>>, mis_sync_store::Error> {
    let unwell = alerts::unwell(pool, now - stale_after).await?;
    let of = |health: mis_sync_domain::SchoolHealth| {
        let conditions = health.conditions(now, stale_after);
        (health.id, conditions)
    };
    Ok(unwell.into_iter().map(of).filter(|(_, conditions)| !conditions.is_empty()).collect())
}

/// How many schools match, if that could be read.
fn heading(found: &Result<Found, String>) -> Markup {
    let total = |found: &Found| i64::try_from(found.total).unwrap_or(i64::MAX);
    html! { @if let Ok(found) = found { (announced(&count(total(found), "school", "schools"))) } }
}

fn list_of(operator: &Operator, filter: &Filter, found: &Found) -> Markup {
    if found.rows.is_empty() {
        return empty(
            "No school matches.",
            &html! {
                @if filter.q.is_none() && !filter.trouble {
                    "Connect one with "
                    code { "PUT /v1/schools/{school_id}" }
                    " or from the iP app; see "
                    a href="/docs" { "the API reference" }
                    "."
                } @else if filter.trouble && filter.q.is_none() {
                    "No schools need attention. "
                    a href="/dashboard/schools" { "See all schools" }
                    "."
                } @else {
                    a href="/dashboard/schools" { "Clear the filter" }
                    " to see all schools."
                }
            },
        );
    }
    html! {
        (scroll("Schools", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "School" }
                        th { "MIS" }
                        th { "Needs" }
                        th { "Last sync" }
                        th { "Last good" }
                        th.number { "Data quality" }
                        th { "Next" }
                    }
                }
                tbody {
                    @for row in &found.rows { (line(operator, row, found)) }
                }
            }
        }))
        nav.pages aria-label="Pages of the list" {
            @if filter.page > 0 {
                a.button href=(filter.address(filter.page - 1)) { "Previous" }
            }
            @if (filter.page + 1) * LIMIT < found.total {
                a.button href=(filter.address(filter.page + 1)) { "Next" }
            }
        }
    }
}

fn line(operator: &Operator, row: &Row, found: &Found) -> Markup {
    let school = &row.school;
    let withheld = found.withheld.get(&school.id).map_or(0, Vec::len);
    let schedule = school.settings.as_ref().map(|settings| &settings.schedule);
    let next = schedule
        .and_then(|schedule| operator.access().next_sync(&school.id, school.token, schedule));
    html! {
        tr #{ "school-" (school.id) } {
            td {
                a.open href=(school_path(&school.id)) { (school.name) }
                div.quiet {
                    code { (school.id) }
                }
            }
            td data-label="MIS" { (school.mis.as_deref().unwrap_or("not said")) }
            td {
                (needs(school, &row.conditions))
                @if withheld > 0 { " " (badge("retrying", "◌", &format!("{withheld} withheld"))) }
            }
            td data-label="Last sync" {
                @match school.last_sync {
                    Some((id, last)) => a href=(job_path(id)) { (state(last)) },
                    None => span.quiet { "never" },
                }
            }
            td data-label="Last good" {
                (time_or_dash(operator, school.last_synced_at))
                @if let Some(at) = school.last_synced_at {
                    div.quiet { (ago(at)) " ago" }
                }
            }
            td.number data-label="Data quality" { (score(found.quality.get(&school.id))) }
            td data-label="Next" { (time_or_dash(operator, next)) }
        }
    }
}

/// What a school needs.
pub(super) fn needs(school: &SchoolSummary, conditions: &[Condition]) -> Markup {
    html! {
        @if school.token == TokenState::Missing { (badge("cancelled", "–", "not connected")) }
        @for condition in conditions { (condition_badge(condition)) " " }
        @if let Some(reason) = &school.outage {
            (badge("retrying", "↻", &format!("Wonde {}", reason.replace('_', " "))))
        }
        @if {
            school.token != TokenState::Missing && conditions.is_empty()
                && school.outage.is_none()
        } { (badge("succeeded", "✓", "nothing")) }
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
pub(super) fn score(quality: Option<&Quality>) -> Markup {
    html! {
        @match quality.and_then(Quality::score) {
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
