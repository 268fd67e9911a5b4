//! How a job reached its state: its attempts, each with where its time went, and the waits between
//! them, on one time axis.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use mis_sync_domain::Job;
use mis_sync_store::{
    Error, Pool,
    audit::{self, AuditFilter, AuditLine},
    jobs::{self, Attempt},
};

use super::refusal::done;
use crate::{
    dashboard::{
        parts::{badge, length, now, time},
        waiting::waits_for,
    },
    state::Operator,
};

/// Width of the chart, in its own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 14.0;
/// A shorter wait is not shown.
const SHORT: TimeDelta = TimeDelta::seconds(1);

/// A part of a job's time.
#[derive(Debug, PartialEq)]
enum Stretch<'a> {
    Attempt(&'a Attempt),
    Wait {
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        why: String,
    },
    /// What a person did.
    Act(&'a AuditLine),
}

/// What is known about the way of a job.
pub(super) struct History {
    pub(super) attempts: Vec<Attempt>,
    /// What people did to it, oldest first.
    acts: Vec<AuditLine>,
    /// What the job waits for now, if it waits.
    waits_for: Option<&'static str>,
}

/// The most acts that are shown.
const ACTS: i64 = 100;

impl History {
    pub(super) async fn read(pool: &Pool, job: &Job) -> Result<Self, Error> {
        let attempts = jobs::attempts(pool, job.id).await?;
        let filter = AuditFilter { job_id: Some(job.id), ..AuditFilter::default() };
        let mut acts = audit::list(pool, &filter, ACTS).await?;
        acts.retain(|line| !done(line.action).is_empty());
        acts.reverse();
        Ok(Self { attempts, acts, waits_for: waits_for(pool, job).await? })
    }
}

pub(super) fn show(operator: &Operator, job: &Job, history: &History) -> Markup {
    let end = job.finished_at.unwrap_or_else(now);
    let stretches = stretches(job.created_at, end, history);
    if stretches.is_empty() {
        return html! {
            p.quiet {
                @if job.undo_of.is_some() {
                    "An undo is done at once, without a worker."
                } @else {
                    "No worker has taken the job yet."
                }
            }
        };
    }
    let span = Span {
        start: job.created_at,
        end: stretches.iter().map(Stretch::end).max().unwrap_or(job.created_at),
    };
    html! {
        ol.timeline {
            @for stretch in &stretches {
                @match stretch {
                    Stretch::Attempt(attempt) => li { (ran(operator, attempt, &span)) },
                    Stretch::Act(line) => li { (act(operator, line)) },
                    Stretch::Wait { from, to, why } => li.wait {
                        p.quiet {
                            @if history.waits_for.is_some() && *to == span.end { "Waits" } @else { "Waited" }
                            " "
                            (length(*to - *from))
                            " "
                            (why)
                        }
                        (bar(&html! {
                            rect
                                .waiting
                                x=(span.at(*from))
                                width=(span.width(*from, *to))
                                height=(HEIGHT) {}
                        }))
                    },
                }
            }
        }
        p.axis aria-hidden="true" { (time(operator, span.start)) (time(operator, span.end)) }
    }
}

/// What a person did, and why.
fn act(operator: &Operator, line: &AuditLine) -> Markup {
    html! {
        p {
            strong { (line.actor) " " (done(line.action)) " it" }
            " "
            (time(operator, line.at))
            @if let Some(reason) = &line.reason { ": " (reason) }
        }
    }
}

/// The attempts, what people did and the waits that are worth showing, oldest first, from the request
/// to the end.
fn stretches(asked: DateTime<Utc>, end: DateTime<Utc>, history: &History) -> Vec<Stretch<'_>> {
    let wait = |from: Option<DateTime<Utc>>, to: DateTime<Utc>, why: &str| {
        let from = from.filter(|from| to - *from >= SHORT)?;
        Some(Stretch::Wait { from, to, why: why.to_owned() })
    };
    let attempts = &history.attempts;
    let mut stretches = Vec::with_capacity(attempts.len() * 2 + 1);
    let (mut from, mut why) = (Some(asked), "for a worker");
    for attempt in attempts {
        stretches.extend(wait(from, attempt.started_at, why));
        stretches.push(Stretch::Attempt(attempt));
        // A running attempt is not followed by a wait.
        (from, why) = (attempt.ended_at, waited_for(attempt));
    }
    stretches.extend(wait(from, end, history.waits_for.unwrap_or(why)));
    for line in &history.acts {
        let at = stretches.iter().rposition(|stretch| stretch.start() <= line.at);
        stretches.insert(at.map_or(0, |at| at + 1), Stretch::Act(line));
    }
    stretches
}

/// What a job has waited for after an attempt.
fn waited_for(attempt: &Attempt) -> &'static str {
    match attempt.outcome.as_deref() {
        Some("held") => "for approval",
        Some("retry") => "before the next attempt",
        Some("snoozed") => "as Wonde asked",
        _ => "for another worker",
    }
}

impl Stretch<'_> {
    fn start(&self) -> DateTime<Utc> {
        match self {
            Self::Attempt(attempt) => attempt.started_at,
            Self::Wait { from, .. } => *from,
            Self::Act(line) => line.at,
        }
    }

    fn end(&self) -> DateTime<Utc> {
        match self {
            Self::Attempt(attempt) => attempt.ended_at.unwrap_or_else(now),
            Self::Wait { to, .. } => *to,
            Self::Act(line) => line.at,
        }
    }
}

fn ran(operator: &Operator, attempt: &Attempt, span: &Span) -> Markup {
    let end = attempt.ended_at.unwrap_or_else(now);
    let turn = attempt.comparing_at.unwrap_or(end).min(end);
    html! {
        p {
            strong { "Attempt " (attempt.attempt) }
            " "
            (outcome(attempt))
            " "
            (time(operator, attempt.started_at))
            ", "
            (length(end - attempt.started_at))
            " "
            span.quiet {
                "on "
                code { (attempt.worker) }
            }
        }
        (bar(&html! {
            rect
                .fetching
                x=(span.at(attempt.started_at))
                width=(span.width(attempt.started_at, turn))
                height=(HEIGHT) {}
            @if attempt.comparing_at.is_some() {
                rect.comparing x=(span.at(turn)) width=(span.width(turn, end)) height=(HEIGHT) {}
            }
        }))
        p.legend {
            span data-kind="running" { "fetching " (length(turn - attempt.started_at)) }
            @if attempt.comparing_at.is_some() {
                span data-kind="succeeded" { "comparing and applying " (length(end - turn)) }
            }
        }
        @if let Some(error) = &attempt.error {
            p {
                code { (error.code) }
                " "
                (error.title)
            }
        }
    }
}

fn bar(parts: &Markup) -> Markup {
    html! {
        svg.bar viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
            rect.track width=(WIDTH) height=(HEIGHT) {}
            (parts)
        }
    }
}

fn outcome(attempt: &Attempt) -> Markup {
    let (kind, shape) = match attempt.outcome.as_deref() {
        None => ("running", "◐"),
        Some("succeeded") => ("succeeded", "✓"),
        Some("held") => ("held", "‖"),
        Some("cancelled" | "released") => ("cancelled", "–"),
        Some("snoozed") => ("queued", "○"),
        Some("retry") => ("retrying", "↻"),
        Some(_) => ("failed", "✕"),
    };
    badge(kind, shape, attempt.outcome.as_deref().unwrap_or("running"))
}

/// The time that the chart shows.
struct Span {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Span {
    #[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
    fn at(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.end - self.start).num_milliseconds().max(1) as f64;
        let part = (time - self.start).num_milliseconds().max(0) as f64;
        (part / whole * WIDTH).clamp(0.0, WIDTH - 3.0)
    }

    /// Never too narrow to be seen.
    fn width(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
        (self.at(to) - self.at(from)).max(3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn attempt(start: i64, end: Option<i64>, outcome: Option<&str>) -> Attempt {
        Attempt {
            attempt: 1,
            worker: "w".into(),
            started_at: at(start),
            comparing_at: None,
            ended_at: end.map(at),
            outcome: outcome.map(str::to_owned),
            error: None,
        }
    }

    fn waits(end: i64, attempts: &[Attempt]) -> Vec<(i64, String)> {
        let history = History { attempts: attempts.to_vec(), acts: vec![], waits_for: None };
        let all = stretches(at(0), at(end), &history);
        let wait = |stretch| match stretch {
            Stretch::Wait { from, to, why } => Some(((to - from).num_seconds(), why)),
            Stretch::Attempt(_) | Stretch::Act(_) => None,
        };
        all.into_iter().filter_map(wait).collect()
    }

    fn told(waits: &[(i64, &str)]) -> Vec<(i64, String)> {
        waits.iter().map(|(seconds, why)| (*seconds, (*why).to_owned())).collect()
    }

    #[test]
    fn waits_are_told_with_what_for() {
        assert_eq!(waits(40, &[]), told(&[(40, "for a worker")]));
        let done = [
            attempt(0, Some(2), Some("retry")),
            attempt(32, Some(33), Some("held")),
            attempt(60, Some(61), Some("succeeded")),
        ];
        assert_eq!(
            waits(61, &done),
            told(&[(30, "before the next attempt"), (27, "for approval")])
        );
    }

    #[test]
    fn what_runs_is_followed_by_no_wait_and_what_waits_yet_has_one() {
        assert_eq!(waits(90, &[attempt(0, None, None)]), told(&[]));
        let asked_to_wait = [attempt(0, Some(1), Some("snoozed"))];
        assert_eq!(waits(90, &asked_to_wait), told(&[(89, "as Wonde asked")]));
    }
}
