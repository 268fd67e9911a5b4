//! What a job did, in figures.

use maud::{Markup, html};
use mis_sync_domain::{Job, Report};

use crate::dashboard::parts::{count, length, number};

/// A figure of a report: its name and its value.
type Figure = (&'static str, fn(&Report) -> u64);

/// The figures of a job. Their places are there from the start, so that nothing jumps.
pub(super) fn show(job: &Job) -> Markup {
    let report = job.report.as_ref();
    if report.is_none() && job.state.is_finished() {
        return html! {};
    }
    let people: [Figure; 9] = [
        ("Fetched", |report| report.fetched),
        ("Current", |report| report.current),
        ("Created", |report| report.created),
        ("Updated", |report| report.updated),
        ("Unchanged", |report| report.unchanged),
        ("Deactivated", |report| report.deactivated),
        ("Restored", |report| report.restored),
        ("Left out", |report| report.skipped),
        ("Issues", |report| report.issues),
    ];
    html! {
        section.panel {
            header {
                h2 { "Report" }
                p.source {
                    @match report {
                        Some(report) => {
                            (count(report.requests, "request", "requests"))
                            " to Wonde in "
                            (length(chrono::TimeDelta::milliseconds(
                                i64::try_from(report.duration_ms).unwrap_or(i64::MAX),
                            )))
                        }
                        None => "appears once the records have been compared",
                    }
                }
            }
            @if let Some(outcome) = report.and_then(|report| report.outcome) {
                p {
                    "Outcome: "
                    strong { (outcome.as_str().replace('_', " ")) }
                }
            }
            dl.tiles {
                @for (name, of) in people {
                    @let value = report.map_or(0, of);
                    div.zero[value == 0] {
                        dt { (name) }
                        dd {
                            @if report.is_some() { (number(value)) } @else { "–" }
                        }
                    }
                }
            }
            @if let Some(report) = report { (rest_of(report)) }
        }
    }
}

/// Classes, subjects and photos, if there were any.
fn rest_of(report: &Report) -> Markup {
    let teaching = [("Classes", &report.classes), ("Subjects", &report.subjects)];
    html! {
        @for (name, counts) in teaching.into_iter().filter(|(_, counts)| counts.fetched > 0) {
            p {
                strong { (name) }
                ": "
                (number(counts.fetched))
                " fetched, "
                (number(counts.created))
                " new, "
                (number(counts.updated))
                " updated, "
                (number(counts.archived))
                " archived, "
                (number(counts.restored))
                " restored, "
                (number(counts.skipped))
                " left out"
            }
        }
        @if report.photos.fetched > 0 {
            p {
                strong { "Photos" }
                ": "
                (number(report.photos.fetched))
                " fetched, "
                (number(report.photos.updated))
                " new, "
                (number(report.photos.removed))
                " removed, "
                (number(report.photos.skipped))
                " left out"
            }
        }
    }
}
