//! Everything that happened to a person, the newest first: what jobs changed or would have changed, logins,
//! and what people did.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};
use mis_sync_domain::{
    AuditAction, ChangedField, JobKind, JobState, RefreshOutcome, School, StaffId,
};
use mis_sync_store::{
    Error, Pool,
    audit::{self, AuditLine},
    jobs::{self, JobOfPerson},
};

use super::{Wanted, person_path};
use crate::{
    dashboard::{
        job::changes::{value, words},
        parts::{job_path, now, panel, read, short, state, time, what},
    },
    state::Operator,
};

/// Entries on a page.
const LIMIT: usize = 30;

/// When something happened, and what.
type Event = (DateTime<Utc>, Markup);

pub(super) async fn show(
    operator: &Operator,
    school: &School,
    id: StaffId,
    wanted: &Wanted,
) -> Markup {
    let before = wanted.before.unwrap_or_else(|| now() + chrono::TimeDelta::minutes(1));
    let events = read(events(operator.access().pool(), id, before, wanted)).await;
    panel("History", "Jobs and actions, newest first", &events, |events| {
        html! {
            @if events.is_empty() {
                p.quiet { "Nothing is recorded of this person." }
            }
            ol.history {
                @for (at, event) in events.iter().take(LIMIT) {
                li {
                    (time(operator, *at))
                    " "
                    (event)
                }
            }
        }
        @if let Some((last, _)) = events.get(LIMIT - 1).filter(|_| events.len() > LIMIT) {
                nav.pages aria-label="Pages of the history" {
                    a.button href={
                        (person_path(&school.id, &id.to_string()))
                        "?before="
                        (last.to_rfc3339_opts(SecondsFormat::Micros, true))
                    } { "Older" }
                }
            }
        }
    })
}

async fn events(
    pool: &Pool,
    id: StaffId,
    before: DateTime<Utc>,
    wanted: &Wanted,
) -> Result<Vec<Event>, Error> {
    let limit = i64::try_from(LIMIT + 1).unwrap_or(i64::MAX);
    let (jobs, lines) = tokio::try_join!(
        jobs::of_person(pool, id, before, limit),
        audit::of_person(pool, id, before, limit),
    )?;
    let jobs = jobs.iter().map(|of| (of.job.created_at, job(of, wanted)));
    let lines = lines.iter().map(|line| (line.at, action(line)));
    let mut events: Vec<Event> = jobs.chain(lines).collect();
    events.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(events)
}

fn job(of: &JobOfPerson, wanted: &Wanted) -> Markup {
    let JobOfPerson { job, changes } = of;
    html! {
        a href=(job_path(job.id)) title=(job.id) { (what(job)) " " code { (short(job.id)) } }
        " "
        (state(job.state))
        @if job.kind == JobKind::RefreshUser { " " (login(of)) }
        @if !changes.is_empty() {
            " "
            (led_to(of))
            ul {
                @for change in changes.iter().filter(|change| change.field != ChangedField::Created) {
                    li {
                        (words(change.field))
                        @if change.old.is_some() || change.new.is_some() {
                            ": "
                            (value(change, change.old.as_ref(), wanted.shown))
                            " → "
                            (value(change, change.new.as_ref(), wanted.shown))
                        }
                    }
                }
            }
        }
    }
}

/// Whether the changes took effect.
fn led_to(of: &JobOfPerson) -> &'static str {
    let is_new = of.changes.iter().any(|change| change.field == ChangedField::Created);
    match (of.job.state, of.job.options.dry_run, of.job.undo_of) {
        (JobState::Succeeded, false, None) if is_new => "created the person",
        (_, true, _) => "would change:",
        (JobState::Held, ..) => "would change, once it is approved:",
        (JobState::Succeeded, _, Some(_)) => "restored:",
        (JobState::Succeeded, ..) => "changed:",
        _ => "would have changed; it was not applied:",
    }
}

fn login(of: &JobOfPerson) -> &'static str {
    match of.job.report.as_ref().and_then(|report| report.outcome) {
        Some(RefreshOutcome::Updated) => "The person logged in and was brought up to date.",
        Some(RefreshOutcome::Unchanged) => "The person logged in; nothing had changed.",
        Some(RefreshOutcome::NoLongerCurrent) => {
            "The person logged in and is no longer current staff."
        }
        Some(RefreshOutcome::NotLinked) => "The person logged in and is not linked to the MIS.",
        None if of.job.state.is_finished() => "The person logged in with iP's data as they were.",
        None => "The person is logging in.",
    }
}

fn action(line: &AuditLine) -> Markup {
    let did = match line.action {
        AuditAction::Reveal => "saw personal data",
        AuditAction::Export => "downloaded personal data",
        AuditAction::Match => "decided who a record belongs to",
        other => other.as_str(),
    };
    html! {
        (line.actor)
        " "
        (did)
        @if let Some(subject) = &line.subject { " " code { (subject) } }
        @if let Some(reason) = &line.reason { ": “" (reason) "”" }
    }
}
