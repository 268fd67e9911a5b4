//! What the syncs changed, why some failed, and how quickly logins were answered, over a span of
//! time.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use mis_sync_domain::JobKind;
use mis_sync_store::{
    Pool,
    figures::{Cause, KindPoint, Now, Point, Window},
    login_minutes::{self, LoginCount},
};

use crate::{
    ApiError,
    dashboard::{
        charts::{Bar, Line, bars, lines},
        parts::{count, length, now, number, scroll, time},
    },
    state::Operator,
};

/// Names of spans, in addresses.
pub(super) const WANTED: &str = "one of 15m, 24h and 30d";

pub(super) fn name(window: Window) -> &'static str {
    match window {
        Window::Minutes15 => "15m",
        Window::Hours24 => "24h",
        Window::Days30 => "30d",
    }
}

fn words(window: Window) -> &'static str {
    match window {
        Window::Minutes15 => "15 minutes",
        Window::Hours24 => "24 hours",
        Window::Days30 => "30 days",
    }
}

pub(super) fn window(text: Option<&str>) -> Result<Window, ApiError> {
    let Some(text) = text else { return Ok(Window::Hours24) };
    Window::ALL.into_iter().find(|window| name(*window) == text).ok_or_else(|| {
        ApiError::InvalidParameter {
            parameter: "window".into(),
            found: text.chars().take(20).collect(),
            wanted: WANTED.into(),
        }
    })
}

/// How quickly 95 of 100 logins should be answered, in milliseconds.
const BUDGET_MS: i32 = 800;

/// The failed jobs of the last 24 hours with an error.
const FAILED: &str = "/dashboard/jobs?state.failed=on&age=24h&retried=on&error=";

/// The links to the spans.
pub(super) fn windows(window: Window) -> Markup {
    html! {
        nav.windows aria-label="Span of the graphs" {
            "The last"
            @for other in Window::ALL {
                a   href={ "/dashboard?window=" (name(other)) }
                    aria-current=[(other == window).then_some("true")]
                { (words(other)) }
            }
        }
    }
}

/// Where the figures of a graph come from.
pub(super) fn source(window: Window) -> &'static str {
    match window {
        Window::Minutes15 => "Live, in steps of 15 s",
        Window::Hours24 => "Live, in steps of 30 min",
        Window::Days30 => "Live, in steps of 6 h",
    }
}

/// How many people the syncs changed, and why syncs failed.
pub(super) fn syncs(operator: &Operator, points: &[Point], now: &Result<Now, String>) -> Markup {
    let of = |point: &Point| -> Option<KindPoint> {
        point.kinds.iter().find(|of| of.kind == JobKind::SyncSchool).cloned()
    };
    let steps: Vec<(DateTime<Utc>, KindPoint)> =
        points.iter().filter_map(|point| Some((point.at, of(point)?))).collect();
    let sum = |of: fn(&KindPoint) -> i64| steps.iter().map(|(_, step)| of(step)).sum::<i64>();
    let [ended, changed, failed] = [
        sum(|step| step.succeeded + step.failed + step.cancelled),
        sum(|step| step.people_changed),
        sum(|step| step.failed),
    ];
    if ended == 0 {
        return html! { p.empty { "No sync ended in this time." } };
    }
    let people = |people: i64| count(people, "person", "people");
    let drawn: Vec<Bar<'_>> = steps
        .iter()
        .map(|(at, step)| Bar {
            parts: vec![("running", step.people_changed)],
            is_event: false,
            title: format!(
                "{}: {} changed by {}, {} failed",
                operator.preferences().exact_time(*at),
                people(step.people_changed),
                count(step.succeeded, "sync", "syncs"),
                number(step.failed)
            ),
        })
        .collect();
    html! {
        p.answer-line {
            strong { (people(changed)) " changed" }
            " by "
            (count(ended, "sync", "syncs"))
            ", "
            span.bad[failed > 0] { (number(failed)) " failed" }
        }
        (bars("People changed", &drawn, number))
        (axis(operator, &times(points)))
        @if let Ok(now) = now { (failures(now)) }
        (sync_table(operator, &steps))
    }
}

fn times(points: &[Point]) -> Vec<DateTime<Utc>> {
    points.iter().map(|point| point.at).collect()
}

/// Causes of failed jobs, the most frequent first.
fn failures(now: &Now) -> Markup {
    let most = now.failures.first().map_or(1, |cause| cause.jobs).max(1);
    html! {
        @if !now.failures.is_empty() {
            table.causes {
                caption { "Failed in the last 24 hours, by cause" }
                tbody {
                    @for Cause { code, title, jobs } in now.failures.iter().take(5) {
                        tr {
                            td {
                                a   href={ (FAILED) (code) } title=(code) { (title) }
                            }
                            td.number { (number(*jobs)) }
                            td {
                                progress max=(most) value=(jobs) aria-hidden="true" {}
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sync_table(operator: &Operator, steps: &[(DateTime<Utc>, KindPoint)]) -> Markup {
    let used = steps.iter().rev().filter(|(_, of)| of.succeeded + of.failed + of.cancelled > 0);
    let heads = [
        "People changed",
        "Succeeded",
        "Failed",
        "Cancelled",
        "Ran, median",
        "Ran, 95 %",
        "Waited, 95 %",
    ];
    let rows = used.map(|(at, step)| {
        let numbers = [step.people_changed, step.succeeded, step.failed, step.cancelled];
        let [changed, succeeded, failed, cancelled] = numbers.map(number);
        let times = [step.ran_p50_ms, step.ran_p95_ms, step.waited_p95_ms];
        let [ran_p50, ran_p95, waited_p95] = times.map(milliseconds);
        (*at, [changed, succeeded, failed, cancelled, ran_p50, ran_p95, waited_p95])
    });
    as_table(operator, "sync-table", "Syncs by time", heads, rows)
}

/// The numbers of a graph by time, folded away.
pub(super) fn as_table<const N: usize>(
    operator: &Operator,
    id: &str,
    label: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = (DateTime<Utc>, [String; N])>,
) -> Markup {
    html! {
        details #(id) .data {
            summary { "As a table" }
            (scroll(label, &html! {
                table.rows {
                    thead {
                        tr {
                            th { "From" }
                            @for head in heads { th.number { (head) } }
                        }
                    }
                    tbody {
                        @for (at, numbers) in rows {
                            tr {
                                td { (time(operator, at)) }
                                @for number in numbers { td.number { (number) } }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// The steps of a span, each with its logins.
pub(super) type Logins = Vec<(DateTime<Utc>, Vec<LoginCount>)>;

pub(super) async fn logins(pool: &Pool, window: Window) -> Result<Logins, mis_sync_store::Error> {
    // Logins are counted by minute.
    let width = TimeDelta::from_std(window.width()).unwrap_or_default().max(TimeDelta::minutes(1));
    let until = now();
    let seconds = i32::try_from(width.num_seconds()).unwrap_or(i32::MAX);
    let last = until.timestamp().div_euclid(seconds.into()) * i64::from(seconds);
    let steps = window.length().as_secs() / u64::from(seconds.unsigned_abs());
    let mut all: Logins = (0..i64::try_from(steps).unwrap_or_default())
        .rev()
        .filter_map(|step| DateTime::from_timestamp(last - step * i64::from(seconds), 0))
        .map(|at| (at, Vec::new()))
        .collect();
    let Some((from, _)) = all.first() else { return Ok(all) };
    for count in login_minutes::list(pool, *from, until, seconds).await? {
        if let Some((_, of)) = all.iter_mut().find(|(at, _)| *at == count.minute) {
            of.push(count);
        }
    }
    Ok(all)
}

fn stale(counts: &[LoginCount]) -> i64 {
    counts.iter().filter(|count| count.outcome == "stale").map(|count| count.logins).sum()
}

fn all(counts: &[LoginCount]) -> i64 {
    counts.iter().map(|count| count.logins).sum()
}

/// How quickly logins were answered, against the time that they may take, and how many from what
/// iP holds.
pub(super) fn of_logins(operator: &Operator, window: Window, steps: &Logins) -> Markup {
    let logins: i64 = steps.iter().map(|(_, counts)| all(counts)).sum();
    if logins == 0 {
        return html! { p.empty { "No logins in the last " (words(window)) "." } };
    }
    let stale_logins: i64 = steps.iter().map(|(_, counts)| stale(counts)).sum();
    let p95 = login_minutes::p95_ms(steps.iter().flat_map(|(_, counts)| counts));
    let is_slow = p95.is_some_and(|p95| p95 > BUDGET_MS);
    let drawn: Vec<Bar<'_>> = steps
        .iter()
        .map(|(at, counts)| Bar {
            parts: vec![("succeeded", all(counts) - stale(counts)), ("retrying", stale(counts))],
            is_event: false,
            title: format!(
                "{}: {} logins, {} of them stale",
                operator.preferences().exact_time(*at),
                number(all(counts)),
                number(stale(counts))
            ),
        })
        .collect();
    let quickness = [
        Line {
            kind: "p95",
            values: steps
                .iter()
                .map(|(_, counts)| login_minutes::p95_ms(counts).map(f64::from))
                .collect(),
        },
        Line { kind: "budget", values: vec![Some(f64::from(BUDGET_MS)); steps.len()] },
    ];
    let times: Vec<_> = steps.iter().map(|(at, _)| *at).collect();
    html! {
        p.answer-line {
            strong.bad[is_slow] { "95 % answered within " (milliseconds(p95.map(f64::from))) }
            " (budget 0.8 s), "
            span.bad[stale_logins * 10 > logins] { (share(stale_logins, logins)) " stale" }
        }
        (bars("Logins answered", &drawn, number))
        (axis(operator, &times))
        p.legend {
            span data-kind="succeeded" { (number(logins - stale_logins)) " from the MIS" }
            span data-kind="retrying" { (number(stale_logins)) " stale: from what iP holds" }
        }
        (lines("Time to answer 95 % of logins", &quickness, |top| milliseconds(Some(top))))
        (axis(operator, &times))
        p.legend {
            span.line data-kind="p95" { "95 % answered within" }
            span.line data-kind="budget" { "budget 0.8 s" }
        }
        (login_table(operator, steps))
    }
}

fn login_table(operator: &Operator, steps: &Logins) -> Markup {
    let used = steps.iter().rev().filter(|(_, counts)| !counts.is_empty());
    let rows = used.map(|(at, counts)| {
        let p95 = login_minutes::p95_ms(counts).map(f64::from);
        (*at, [number(all(counts)), number(stale(counts)), milliseconds(p95)])
    });
    as_table(operator, "login-table", "Logins by time", ["Logins", "Stale", "95 % within"], rows)
}

/// A share in percent; never 0 % of something.
fn share(part: i64, of: i64) -> String {
    match part * 100 / of.max(1) {
        0 if part > 0 => "under 1 %".into(),
        percent => format!("{percent} %"),
    }
}

fn axis(operator: &Operator, times: &[DateTime<Utc>]) -> Markup {
    let ticks = [0, times.len() / 3, times.len() * 2 / 3];
    let span = times.first().zip(times.last()).map_or(TimeDelta::zero(), |(from, to)| *to - *from);
    html! {
        p.axis aria-hidden="true" {
            @for at in ticks.iter().filter_map(|tick| times.get(*tick)) {
                span { (operator.preferences().axis_time(*at, span)) }
            }
            span { "now" }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "for people, to the millisecond")]
fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| length(TimeDelta::milliseconds(value as i64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_many_are_not_none() {
        assert_eq!(
            (share(0, 10), share(1, 1000), share(5, 10)),
            ("0 %".into(), "under 1 %".into(), "50 %".into())
        );
    }
}
