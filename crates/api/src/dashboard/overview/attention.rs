//! What needs a person: the service itself, incidents that many schools share, and schools.

use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{Action, AlertKind, Condition, JobId, SchoolId};
use mis_sync_store::{
    bulk::BulkAction,
    figures::Now,
    incidents::{self, Incident},
};

use crate::{
    dashboard::{
        health::Trouble,
        jobs::Filter,
        page::form_token,
        parts::{
            ActionButton, Names, badge, count, job_path, now, number, read, school, short, time,
        },
        schools::{condition_badge, urgency},
    },
    state::Operator,
};

/// How many schools are named; the list of schools has all.
const SCHOOLS: usize = 8;
/// More jobs than these do not fit into a form; they are chosen by a filter.
const AT_ONCE: usize = 500;
/// An incident whose last failure is younger than this goes on.
const GOES_ON: TimeDelta = TimeDelta::minutes(10);

/// What is wrong with schools.
pub(super) struct Attention {
    /// Failures that several schools share, each with the last syncs of schools that it made fail.
    incidents: Vec<(Incident, Vec<JobId>)>,
    /// Everything that is wrong with a single school, the worst first.
    single: Vec<Condition>,
    /// Schools of both.
    schools: usize,
}

impl Attention {
    /// The schools that are named.
    pub(super) fn schools(&self) -> impl Iterator<Item = &SchoolId> {
        self.single.iter().take(SCHOOLS).map(|condition| &condition.school_id)
    }
}

pub(super) async fn read_all(operator: &Operator) -> Result<Attention, String> {
    let incidents = read(incidents::list(operator.access().pool())).await?;
    let schools = operator.health().schools.as_ref().map_err(Clone::clone)?;
    let mut single: Vec<Condition> = schools.values().flatten().cloned().collect();
    single.sort_by(|a, b| urgency(b).cmp(&urgency(a)).then_with(|| a.school_id.cmp(&b.school_id)));
    let mut taken = Vec::new();
    for incident in incidents {
        let belongs = |condition: &Condition| {
            condition.kind == AlertKind::SyncFailed && condition.reason == incident.code
        };
        let (its, others): (Vec<_>, Vec<_>) = single.into_iter().partition(belongs);
        single = others;
        taken.push((incident, its.into_iter().filter_map(|condition| condition.job_id).collect()));
    }
    Ok(Attention { incidents: taken, single, schools: schools.len() })
}

/// One line that answers the first question: is anything wrong?
pub(super) fn headline(
    operator: &Operator,
    wrong: &Result<Attention, String>,
    now: &Result<Now, String>,
) -> Markup {
    let (Ok(wrong), Ok(now), Some(troubles)) = (wrong, now, &operator.health().troubles) else {
        return html! { h1 { "Overview" } };
    };
    let mut parts: Vec<String> = troubles.iter().map(Trouble::headline).collect();
    parts.dedup();
    let schools = i64::try_from(wrong.schools).unwrap_or(i64::MAX);
    if schools > 0 {
        let need = if schools == 1 { "needs" } else { "need" };
        parts.push(format!("{} {need} attention", count(schools, "school", "schools")));
    }
    if now.held > 0 {
        let waits = if now.held == 1 { "change waits" } else { "changes wait" };
        parts.push(format!("{} {waits} for approval", number(now.held)));
    }
    if parts.is_empty() {
        parts.push("All is well".into());
    }
    let unfinished = now.unfinished.iter().map(|(.., jobs)| jobs).sum::<i64>() - now.held;
    if unfinished > 0 && troubles.is_empty() {
        parts.push(format!("{} in progress", count(unfinished, "job", "jobs")));
    }
    html! { h1 { (parts.join(" · ")) } }
}

/// What is wrong with the service itself, and what helps.
pub(super) fn service(operator: &Operator) -> Markup {
    let troubles = operator.health().troubles.as_deref().unwrap_or_default();
    if troubles.is_empty() {
        return html! {};
    }
    html! {
        section.panel.alarm role="status" {
            ul.needs {
                @for trouble in troubles {
                    li {
                        strong { (trouble.headline()) "." }
                        " "
                        (trouble.sentence())
                        " "
                        (remedy(operator, trouble))
                    }
                }
            }
        }
    }
}

fn remedy(operator: &Operator, trouble: &Trouble) -> Markup {
    match trouble {
        Trouble::NoWorker { draining: false, .. } => html! {
            "Start one: "
            code { "mis-sync worker" }
            "."
        },
        Trouble::NoWorker { draining: true, .. } => html! {
            a href="/dashboard/queues" { "Undrain one" }
            ", or start another."
        },
        Trouble::Paused(pause) => html! {
            "Paused by "
            (pause.actor)
            " "
            (time(operator, pause.since))
            @if let Some(until) = pause.until { " until " (time(operator, until)) }
            @if let Some(reason) = &pause.reason { ": " (reason) }
            ". "
            @if operator.is_allowed(Action::ActOnJobs) {
                form.at-once method="post" action="/dashboard/queues/resume" {
                    (form_token(operator))
                    input type="hidden" name="lane" value=(pause.lane);
                    input type="hidden" name="back" value="/dashboard";
                    button { "Resume" }
                }
            }
        },
        Trouble::RedisAway => html! { "See that it runs, and that this machine can reach it." },
        Trouble::LostWorker { name, .. } => html! { code { (name) } },
    }
}

/// The incidents, then the schools.
pub(super) fn show(operator: &Operator, wrong: &Attention, names: &Names) -> Markup {
    let is_well =
        wrong.single.is_empty() && wrong.incidents.iter().all(|(_, jobs)| jobs.is_empty());
    let more = wrong.single.len().saturating_sub(SCHOOLS);
    html! {
        @if !wrong.incidents.is_empty() {
            ul.needs.incidents {
                @for (incident, failed) in &wrong.incidents { (of_incident(operator, incident, failed)) }
            }
        }
        @if is_well {
            p.good { "✓ No schools need attention." }
        } @else {
            ul.needs {
                @for condition in wrong.single.iter().take(SCHOOLS) { (of_school(condition, names)) }
            }
        }
        @if more > 0 {
            p {
                a href="/dashboard/schools?show=attention" {
                    (number(i64::try_from(more).unwrap_or(i64::MAX)))
                    " more"
                }
            }
        }
    }
}

fn of_school(condition: &Condition, names: &Names) -> Markup {
    html! {
        li {
            (condition_badge(condition))
            " "
            (school(names, &condition.school_id))
            " "
            (condition.detail)
            @if let Some(id) = condition.job_id {
                " "
                a href=(job_path(id)) {
                    "job "
                    code { (short(id)) }
                }
            }
        }
    }
}

/// What many schools met together, in one line, and the button that repeats what it made fail.
fn of_incident(operator: &Operator, incident: &Incident, failed: &[JobId]) -> Markup {
    let goes_on = now() - incident.until < GOES_ON;
    let kind = if failed.is_empty() { "cancelled" } else { "failed" };
    html! {
        li {
            (badge(kind, "⚡", title(&incident.code)))
            " "
            @if goes_on { "since " } @else { "" }
            (time(operator, incident.from))
            @if !goes_on { "–" (time(operator, incident.until)) }
            " · "
            (count(incident.schools, "school", "schools"))
            @if incident.stale_logins > 0 {
                ", "
                (count(incident.stale_logins, "login", "logins"))
                " answered from what iP holds"
            }
            ". "
            (consequence(incident, failed.len()))
            " "
            @if !failed.is_empty() && operator.is_allowed(Action::ActOnJobs) {
                @if failed.len() > AT_ONCE {
                    a.button href={
                        "/dashboard/jobs?state.failed=on&kind=sync-school&age=24h&error="
                        (incident.code)
                    } { "Review the failed syncs" }
                } @else { (retry_all(operator, failed)) }
            }
        }
    }
}

fn title(code: &str) -> &'static str {
    match code {
        "database" => "The database failed",
        _ => "Wonde was unavailable",
    }
}

fn consequence(incident: &Incident, failed: usize) -> String {
    let failed = i64::try_from(failed).unwrap_or(i64::MAX);
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{} failed", count(failed, "sync", "syncs")));
    }
    if incident.retrying > 0 {
        parts.push(format!(
            "{} tried again automatically",
            count(incident.retrying, "sync is", "syncs are")
        ));
    }
    match parts.is_empty() {
        true if incident.syncs > 0 => "All its syncs have succeeded or were repeated.".into(),
        true => String::new(),
        false => format!("{}.", parts.join(", ")),
    }
}

fn retry_all(operator: &Operator, failed: &[JobId]) -> Markup {
    let syncs = count(i64::try_from(failed.len()).unwrap_or(i64::MAX), "sync", "syncs");
    let label = format!("Retry the {syncs}");
    let filter = Filter::of_jobs(failed.to_vec());
    let button = ActionButton {
        label: &label,
        whose: "the syncs of this incident".into(),
        action: "/dashboard/bulk".into(),
        says: "Each of these syncs runs again, one after the other. The next page shows what became \
               of each.",
        kind: "primary",
    };
    button.show(
        operator,
        &html! {
            input type="hidden" name="action" value=(BulkAction::Retry);
            input type="hidden" name="query" value=(filter.query_string());
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_says_what_became_of_its_syncs() {
        let incident = |syncs, retrying| Incident {
            code: "wonde_unavailable".into(),
            from: now(),
            until: now(),
            schools: 3,
            syncs,
            retrying,
            stale_logins: 0,
        };
        for (syncs, retrying, failed, says) in [
            (3, 0, 3, "3 syncs failed."),
            (4, 1, 2, "2 syncs failed, 1 sync is tried again automatically."),
            (3, 0, 0, "All its syncs have succeeded or were repeated."),
            (0, 0, 0, ""),
        ] {
            assert_eq!(consequence(&incident(syncs, retrying), failed), says);
        }
    }
}
