//! A school's syncs: the last one in words, and how many people each of them changed.

use maud::{Markup, html};
use mis_sync_domain::{Action, Job, JobState, Report};
use mis_sync_store::schools::PastSync;

use crate::{
    dashboard::{
        charts::{Bar, bars},
        page::form_token,
        parts::{ago, count, job_path, length, number, school_path, scroll, state, time},
    },
    state::Operator,
};

/// The last sync in a sentence, with what it waits for if it waits.
pub(super) fn in_words(operator: &Operator, last: Option<&Job>, waits: Option<&str>) -> Markup {
    let Some(last) = last else {
        return html! { p.last { "This school has never been synced." } };
    };
    let waits = waits.unwrap_or("to run");
    let since = ago(last.finished_at.unwrap_or(last.created_at));
    let words = match last.state {
        JobState::Succeeded => {
            format!("The last sync succeeded {since} ago: {}.", result(last.report.as_ref()))
        }
        JobState::Failed => format!("The last sync failed {since} ago."),
        JobState::Cancelled => format!("The last sync was cancelled {since} ago."),
        JobState::Running => match last.progress {
            Some(progress) => format!("A sync is in progress: {} %.", progress.percent()),
            None => "A sync is in progress.".into(),
        },
        JobState::Queued | JobState::Retrying | JobState::Held => format!("A sync waits {waits}."),
    };
    html! {
        p.last {
            (words)
            " "
            a href=(job_path(last.id)) { "Open it" }
            @if !matches!(last.state, JobState::Succeeded) {
                span.quiet { " Requested " (time(operator, last.created_at)) "." }
            }
        }
    }
}

fn result(report: Option<&Report>) -> String {
    let Some(report) = report else { return "nothing was reported".into() };
    let changed = report.created + report.updated + report.deactivated + report.restored;
    let changed = match changed {
        0 => "no one changed".to_owned(),
        _ => count(changed, "person changed", "people changed"),
    };
    match report.skipped {
        0 => changed,
        left_out => format!("{changed}, {} left out", number(left_out)),
    }
}

/// What follows a dry run: nothing was changed, and the sync itself is a button away.
pub(in crate::dashboard) fn after_dry_run(operator: &Operator, job: &Job) -> Markup {
    let Some(school) =
        job.school_id.as_ref().filter(|_| job.options.dry_run && job.state == JobState::Succeeded)
    else {
        return html! {};
    };
    html! {
        section.trouble data-kind="succeeded" {
            p {
                strong { "This was a dry run: nothing has been changed." }
                " A sync would do what is listed here."
            }
            form.buttons method="post" action={ (school_path(school)) "/sync" } {
                @if operator.is_allowed(Action::Sync) {
                    (form_token(operator))
                    button.primary name="what" value="full" { "Sync now" }
                }
                a.button href=(school_path(school)) { "To the school" }
            }
        }
    }
}

/// The last syncs: how many people each changed.
pub(super) fn history(operator: &Operator, past: &[PastSync]) -> Markup {
    if past.is_empty() {
        return html! {
            p.quiet {
                "This school has never been synced. "
                strong { "Sync now" }
                " reads it from Wonde."
            }
        };
    }
    let words = |sync: &PastSync| count(sync.changed, "person changed", "people changed");
    let drawn: Vec<Bar> = past
        .iter()
        .map(|sync| Bar {
            parts: vec![(sync.state.as_str(), sync.changed)],
            is_event: true,
            title: format!(
                "{}: {}, {}, {}",
                operator.preferences().exact_time(sync.created_at),
                sync.state,
                words(sync),
                count(sync.issues, "issue", "issues"),
            ),
        })
        .collect();
    html! {
        (bars("How many people the last syncs changed", &drawn, |people| {
            count(people, "person", "people")
        }))
        p.legend {
            @for kind in JobState::ALL {
                @let syncs = past.iter().filter(|sync| sync.state == *kind).count();
                @if syncs > 0 {
                    span data-kind=(kind) { (syncs) " " (kind) }
                }
            }
            @if let Some(first) = past.first() { "since " (time(operator, first.created_at)) }
        }
        details.data {
            summary { "As a table" }
            (table(operator, past))
        }
    }
}

fn table(operator: &Operator, past: &[PastSync]) -> Markup {
    scroll(
        "The last syncs",
        &html! {
            table.rows {
                thead {
                    tr {
                        th { "Requested" }
                        th { "State" }
                        th.number { "Changed" }
                        th.number { "Issues" }
                        th.number { "Ran" }
                    }
                }
                tbody {
                    @for sync in past.iter().rev() {
                        tr {
                            td {
                                a href=(job_path(sync.job_id)) { (time(operator, sync.created_at)) }
                            }
                            td { (state(sync.state)) }
                            td.number { (number(sync.changed)) }
                            td.number { (number(sync.issues)) }
                            td.number {
                                @match sync.ran_ms {
                                    Some(ms) => (length(chrono::TimeDelta::milliseconds(ms))),
                                    None => "–",
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}
