//! Throughput, failures, durations and waits over a span of time.

use maud::{Markup, html};
use mis_sync_domain::JobKind;
use mis_sync_store::figures::{Point, Window};

use crate::{
    ApiError,
    dashboard::{
        charts::{Bar, Line, bars, lines},
        parts::{length, number, panel, scroll, time},
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

pub(super) fn show(
    operator: &Operator,
    window: Window,
    points: &Result<Vec<Point>, String>,
) -> Markup {
    let source = format!("Live, in steps of {}", length(step(window)));
    html! {
        nav.windows aria-label="Span of the graphs" {
            "The last"
            @for other in Window::ALL {
                a   href={ "/dashboard?window=" (name(other)) }
                    aria-current=[(other == window).then_some("true")]
                { (words(other)) }
            }
        }
        div.grid {
            @for kind in JobKind::SHOWN {
                (panel(title(*kind), &source, points, |points| of_kind(operator, *kind, points)))
            }
        }
    }
}

fn step(window: Window) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(window.width()).unwrap_or_default()
}

fn title(kind: JobKind) -> &'static str {
    match kind {
        JobKind::SyncSchool => "Syncs",
        JobKind::RefreshUser => "Logins",
        _ => "Others",
    }
}

/// Jobs that ended in one step.
struct Step<'a> {
    point: &'a Point,
    succeeded: i64,
    failed: i64,
    cancelled: i64,
    p50: Option<f64>,
    p95: Option<f64>,
    wait: Option<f64>,
}

fn steps<'p>(kind: JobKind, points: &'p [Point]) -> Vec<Step<'p>> {
    let of = |point: &'p Point| {
        let found = point.kinds.iter().find(|of| of.kind == kind);
        Step {
            point,
            succeeded: found.map_or(0, |of| of.succeeded),
            failed: found.map_or(0, |of| of.failed),
            cancelled: found.map_or(0, |of| of.cancelled),
            p50: found.and_then(|of| of.ran_p50_ms),
            p95: found.and_then(|of| of.ran_p95_ms),
            wait: found.and_then(|of| of.waited_p95_ms),
        }
    };
    points.iter().map(of).collect()
}

fn of_kind(operator: &Operator, kind: JobKind, points: &[Point]) -> Markup {
    let steps = steps(kind, points);
    let sum = |of: fn(&Step<'_>) -> i64| steps.iter().map(of).sum::<i64>();
    let throughput: Vec<Bar<'_>> = steps
        .iter()
        .map(|step| Bar {
            parts: vec![
                ("succeeded", step.succeeded),
                ("cancelled", step.cancelled),
                ("failed", step.failed),
            ],
            title: format!(
                "{}: {} succeeded, {} failed, {} cancelled",
                operator.preferences().exact_time(step.point.at),
                step.succeeded,
                step.failed,
                step.cancelled
            ),
        })
        .collect();
    let line = |kind, of: fn(&Step<'_>) -> Option<f64>| Line {
        kind,
        values: steps.iter().map(of).collect(),
    };
    let durations = [
        line("p50", |step| step.p50),
        line("p95", |step| step.p95),
        line("wait", |step| step.wait),
    ];
    if throughput.iter().all(|bar| bar.parts.iter().all(|(_, jobs)| *jobs == 0)) {
        return html! { p.empty { "No jobs finished in this time." } };
    }
    html! {
        (bars("Jobs that ended", &throughput, number))
        (axis(operator, points))
        p.legend {
            span data-kind="succeeded" { (number(sum(|step| step.succeeded))) " succeeded" }
            span data-kind="failed" { (number(sum(|step| step.failed))) " failed" }
            span { (number(sum(|step| step.cancelled))) " cancelled" }
        }
        (lines("How long jobs ran and waited", &durations, |slowest| milliseconds(Some(slowest))))
        (axis(operator, points))
        p.legend {
            span data-kind="p50" { "ran, median" }
            span data-kind="p95" { "ran, 95 %" }
            span data-kind="wait" { "waited, 95 %" }
        }
        (table(operator, &steps))
    }
}

fn axis(operator: &Operator, points: &[Point]) -> Markup {
    let ticks = [0, points.len() / 3, points.len() * 2 / 3];
    html! {
        p.axis aria-hidden="true" {
            @for point in ticks.iter().filter_map(|tick| points.get(*tick)) {
                (time(operator, point.at))
            }
            span { "now" }
        }
    }
}

fn table(operator: &Operator, steps: &[Step<'_>]) -> Markup {
    let used = steps.iter().rev().filter(|step| step.succeeded + step.failed + step.cancelled > 0);
    html! {
        details.data {
            summary { "As a table" }
            (scroll("Figures of the graphs", &html! {
                table.rows {
                    thead {
                        tr {
                            th { "From" }
                            th.number { "Succeeded" }
                            th.number { "Failed" }
                            th.number { "Cancelled" }
                            th.number { "Ran, median" }
                            th.number { "Ran, 95 %" }
                            th.number { "Waited, 95 %" }
                        }
                    }
                    tbody {
                        @for step in used {
                            tr {
                                td { (time(operator, step.point.at)) }
                                td.number { (number(step.succeeded)) }
                                td.number { (number(step.failed)) }
                                td.number { (number(step.cancelled)) }
                                td.number { (milliseconds(step.p50)) }
                                td.number { (milliseconds(step.p95)) }
                                td.number { (milliseconds(step.wait)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "for people, to the millisecond")]
fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| length(chrono::TimeDelta::milliseconds(value as i64)))
}
