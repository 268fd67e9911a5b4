//! The attempts at a job, each with where its time went.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_store::jobs::Attempt;

use crate::{
    dashboard::parts::{badge, length, now, time},
    state::Operator,
};

/// Width of the drawing, in its own units.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 14.0;

pub(super) fn show(operator: &Operator, attempts: &[Attempt]) -> Markup {
    let Some(first) = attempts.first() else {
        return html! { p.quiet { "No worker has taken the job yet." } };
    };
    let end_of = |attempt: &Attempt| attempt.ended_at.unwrap_or_else(now);
    let span = Span {
        start: first.started_at,
        end: attempts.iter().map(end_of).max().unwrap_or_default(),
    };
    html! {
        ol.timeline {
            @for attempt in attempts {
                @let end = end_of(attempt);
                li {
                    p {
                        strong { "Attempt " (attempt.attempt) } " " (outcome(attempt)) " "
                        (time(operator, attempt.started_at)) ", " (length(end - attempt.started_at))
                        " " span.quiet { "on " code { (attempt.worker) } }
                    }
                    svg.bar viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true" {
                        rect.track width=(WIDTH) height=(HEIGHT) {}
                        @let turn = attempt.comparing_at.unwrap_or(end).min(end);
                        rect.fetching x=(span.at(attempt.started_at)) width=(span.width(attempt.started_at, turn)) height=(HEIGHT) {}
                        @if attempt.comparing_at.is_some() {
                            rect.comparing x=(span.at(turn)) width=(span.width(turn, end)) height=(HEIGHT) {}
                        }
                    }
                    p.quiet { (stages(attempt, end)) }
                    @if let Some(error) = &attempt.error { p { code { (error.code) } " " (error.title) } }
                }
            }
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

fn stages(attempt: &Attempt, end: DateTime<Utc>) -> String {
    match attempt.comparing_at {
        Some(turn) => format!(
            "fetching {}, comparing and applying {}",
            length(turn - attempt.started_at),
            length(end - turn)
        ),
        None => format!("fetching {}", length(end - attempt.started_at)),
    }
}

/// The time that the drawing shows.
struct Span {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Span {
    #[expect(clippy::cast_precision_loss, reason = "a place in a drawing")]
    fn at(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.end - self.start).num_milliseconds().max(1) as f64;
        let part = (time - self.start).num_milliseconds().max(0) as f64;
        (part / whole * WIDTH).clamp(0.0, WIDTH)
    }

    /// Never too narrow to be seen.
    fn width(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
        (self.at(to) - self.at(from)).max(2.0)
    }
}
