//! Requests to Wonde, how often it asks us to wait, and which schools' Wonde cannot be reached.

use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::SchoolId;
use mis_sync_queue::{KeyTraffic, WondeTraffic};
use mis_sync_store::figures::Now;

use super::graphs::as_table;
use crate::{
    dashboard::{
        charts::{Bar, bars},
        parts::{Names, ago, badge, length, number, panel, school, scroll},
    },
    state::Operator,
};

/// How many tokens are named.
const TOKENS: usize = 5;

pub(super) fn show(
    operator: &Operator,
    traffic: &Result<Option<WondeTraffic>, String>,
    now: &Result<Now, String>,
    names: &Names,
) -> Markup {
    panel("Wonde", "The last 15 minutes", traffic, |traffic| {
        html! {
            @if let Ok(now) = now { (breakers(now, names)) }
            @match traffic {
                Some(traffic) => (figures(operator, traffic, names)),
                None => p.quiet { "This process was started without the workers' rate limit." },
            }
        }
    })
}

fn by_minute(operator: &Operator, traffic: &WondeTraffic) -> Markup {
    let used = traffic.minutes.iter().rev().filter(|minute| minute.sent + minute.limited > 0);
    let rows = used.map(|minute| {
        (minute.at, [minute.sent, minute.limited].map(|requests| number(i128::from(requests))))
    });
    as_table(operator, "by-minute", "Requests to Wonde by minute", ["Requests", "429"], rows)
}

/// The schools that are named.
pub(super) fn schools(traffic: &WondeTraffic) -> impl Iterator<Item = &SchoolId> {
    traffic.keys.iter().take(TOKENS).filter_map(|key| key.school.as_ref())
}

fn breakers(now: &Now, names: &Names) -> Markup {
    if now.outages.is_empty() {
        return html! {};
    }
    html! {
        ul.needs {
            @for outage in &now.outages {
                li {
                    (badge("retrying", "↻", outage.reason.as_str()))
                    " "
                    (school(names, &outage.school_id))
                    " is not asked at logins. The last failure was "
                    (ago(outage.noted_at))
                    " ago"
                }
            }
        }
    }
}

fn figures(operator: &Operator, traffic: &WondeTraffic, names: &Names) -> Markup {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let sum = |of: fn(&KeyTraffic) -> u64| traffic.keys.iter().map(of).sum::<u64>();
    let minutes: Vec<Bar<'_>> = traffic
        .minutes
        .iter()
        .map(|minute| Bar {
            parts: vec![
                ("running", count(minute.sent.saturating_sub(minute.limited))),
                ("failed", count(minute.limited)),
            ],
            is_event: false,
            title: format!(
                "{}: {} requests, {} answered 429",
                operator.preferences().exact_time(minute.at),
                minute.sent,
                minute.limited
            ),
        })
        .collect();
    html! {
        (bars("Requests to Wonde by minute", &minutes, number))
        p.axis aria-hidden="true" {
            span { "15 minutes ago" }
            span { "now" }
        }
        p.legend {
            span data-kind="p50" { (number(count(sum(|key| key.sent)))) " requests" }
            span data-kind="failed" { (number(count(sum(|key| key.limited)))) " answered 429" }
        }
        (by_minute(operator, traffic))
        @if traffic.keys.is_empty() {
            p.quiet { "No requests in the last 15 minutes." }
        } @else { (scroll("Requests by school", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "School" }
                        th.number { "Requests" }
                        th.number { "429" }
                        th.number { "Left now" }
                        th.number { "Next waits" }
                    }
                }
                tbody {
                    @for key in traffic.keys.iter().take(TOKENS) {
                        tr {
                            td.wide {
                                @match &key.school {
                                    Some(id) => (school(names, id)),
                                    None => code { (&key.key[..8.min(key.key.len())]) },
                                }
                            }
                            td.number data-label="Requests" { (number(count(key.sent))) }
                            td.number data-label="429" { (number(count(key.limited))) }
                            td.number data-label="Left now" { (number(count(key.left))) }
                            td.number data-label="Next waits" {
                                (length(TimeDelta::from_std(key.wait).unwrap_or_default()))
                            }
                        }
                    }
                }
            }
        })) }
    }
}
