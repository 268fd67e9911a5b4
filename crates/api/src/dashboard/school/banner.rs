//! What is wrong with a school, with the cause in words and the buttons that fix it.

use maud::{Markup, html};
use mis_sync_domain::{Action, AlertKind, Job, JobState, SchoolHealth, TokenState};
use mis_sync_store::{
    pauses::Scope,
    schools::{MisChange, Outage, Paused, Standing},
};

use super::{View, token};
use crate::dashboard::{
    page::form_token,
    parts::{ago, badge, count, job_path, now, school_path, time},
};

/// One thing that is wrong: its colour, what it is, and what can be done.
struct Trouble {
    kind: &'static str,
    says: Markup,
    fix: Markup,
}

/// Whether the banner tells how the last sync ended.
pub(super) fn tells_last_sync(of: &View<'_>) -> bool {
    let last = of.last.as_ref().ok().and_then(Option::as_ref);
    last.is_some_and(|last| of_last_sync(of, last).is_some())
}

/// Everything that is wrong with the school, the worst first.
pub(super) fn show(of: &View<'_>) -> Markup {
    let standing = of.standing.as_ref().cloned().unwrap_or_default();
    let last = of.last.as_ref().ok().and_then(Option::as_ref);
    let found = [
        of_token(of, &standing),
        last.and_then(|last| of_last_sync(of, last)),
        is_new(of).then(|| of_first_run(of)),
        standing.outage.as_ref().map(|outage| of_outage(of, outage)),
        standing.paused.as_ref().map(|paused| of_pause(of, paused)),
        is_stale(of).then(|| of_age(of)),
        standing.mis_change.as_ref().and_then(|change| of_mis(of, change, &standing)),
        (standing.undecided > 0).then(|| of_matches(of, &standing)),
        (!standing.withheld.is_empty()).then(|| of_permissions(of, &standing)),
    ];
    let found = found.into_iter().flatten();
    html! {
        @for Trouble { kind, says, fix } in found {
            section.trouble data-kind=(kind) {
                p { (says) }
                (fix)
            }
        }
        (token::result(of))
    }
}

fn of_token(of: &View<'_>, standing: &Standing) -> Option<Trouble> {
    let says = match of.school.token {
        TokenState::Held => return None,
        TokenState::Missing => html! {
            strong { "This school is not connected." }
            " There is no Wonde token, so nothing is synced and no one's login is refreshed."
        },
        TokenState::Rejected => html! {
            strong { "Wonde refuses this school's token" }
            @if let Some(at) = standing.token_rejected_at {
                " since "
                (time(of.operator, at))
                " ("
                (ago(at))
                " ago)"
            }
            ". The school revoked access in Wonde, or the token was replaced there. Nothing is synced \
             until Wonde accepts a token; the present one is tried again every few minutes."
        },
    };
    Some(Trouble { kind: "failed", says, fix: token::forms(of) })
}

/// Whether the school is connected and nothing has been read from it yet.
pub(super) fn is_new(of: &View<'_>) -> bool {
    of.school.token == TokenState::Held && of.last.as_ref().is_ok_and(Option::is_none)
}

fn of_first_run(of: &View<'_>) -> Trouble {
    let has_read = of.standing.as_ref().is_ok_and(|standing| standing.read_at.is_some());
    let says = html! {
        @if has_read {
            strong { "A dry run has read this school, and nothing has been changed." }
            " If its result is right, sync the school."
        } @else {
            strong { "This school is connected and has never been synced." }
            " Check its settings below. A dry run then shows what a sync would do, and changes nothing."
        }
    };
    let button = |what: &str, text: &str, is_next: bool| {
        html! { button .primary[is_next] name="what" value=(what) { (text) } }
    };
    let fix = html! {
        @if of.operator.is_allowed(Action::Sync) {
            form.buttons method="post" action={ (school_path(&of.school.id)) "/sync" } {
                (form_token(of.operator))
                (button("dry-run", if has_read { "Another dry run" } else { "First dry run" }, !has_read))
                (button("full", "Sync now", has_read))
            }
        }
    };
    Trouble { kind: "running", says, fix }
}

fn of_last_sync(of: &View<'_>, last: &Job) -> Option<Trouble> {
    let operator = of.operator;
    let at = last.finished_at.unwrap_or(last.created_at);
    let open = html! { a.button href=(job_path(last.id)) { "Open the job" } };
    let error = last.error.as_ref();
    let title = error.map_or("no cause was recorded", |error| error.title.as_str());
    match last.state {
        JobState::Held => Some(Trouble {
            kind: "held",
            says: html! {
                strong { "Unusually large change: needs approval." }
                " The sync waits since "
                (time(operator, last.started_at.unwrap_or(last.created_at)))
                ", and nothing has been changed yet."
            },
            fix: html! {
                div.buttons {
                    a.button.primary href=(job_path(last.id)) { "Review the change" }
                }
            },
        }),
        // The refusal is told above, and no sync can succeed until then.
        JobState::Failed if of.school.token == TokenState::Held => {
            let was_refused = error.is_some_and(|error| error.code == "wonde_unauthorized");
            let says = html! {
                strong { "The last sync failed" }
                " "
                (time(operator, at))
                " ("
                (ago(at))
                " ago): "
                (title)
                ". "
                @if was_refused { "Wonde accepts the token now." }
            };
            let fix = html! {
                div.buttons {
                    @if operator.is_allowed(Action::Sync) {
                        (again(of, last))
                        (token::test(of))
                    }
                    (open)
                }
            };
            Some(Trouble { kind: "failed", says, fix })
        }
        JobState::Retrying => Some(Trouble {
            kind: "retrying",
            says: html! {
                strong { "A sync failed and waits " (of.waits.unwrap_or("for the next attempt")) }
                @if let Some(at) = last.next_attempt_at { " (due " (time(operator, at)) ")" }
                ": "
                (title)
                "."
            },
            fix: html! { div.buttons { (open) } },
        }),
        _ => None,
    }
}

/// Runs the failed sync again.
fn again(of: &View<'_>, failed: &Job) -> Markup {
    html! {
        form method="post" action={ (school_path(&of.school.id)) "/sync" } {
            (form_token(of.operator))
            input type="hidden" name="again" value=(failed.id);
            button.primary name="what" value="full" { "Run the sync again" }
        }
    }
}

fn of_outage(of: &View<'_>, outage: &Outage) -> Trouble {
    let what = match outage.reason.as_str() {
        "rate_limited" => "Wonde asks us to wait",
        "forbidden" => "Wonde refuses access to the people of this school",
        _ => "Wonde is unavailable for this school",
    };
    let says = html! {
        strong { (what) "." }
        " A login failed to reach it "
        (ago(outage.noted_at))
        " ago, and no one has reached it since. People can log in: iP shows what the last sync left."
    };
    let fix = html! {
        @if of.operator.is_allowed(Action::Sync) {
            div.buttons { (token::test(of)) }
        }
    };
    Trouble { kind: "retrying", says, fix }
}

fn of_pause(of: &View<'_>, paused: &Paused) -> Trouble {
    let says = html! {
        strong { "This school is paused" }
        " since "
        (time(of.operator, paused.since))
        ", by "
        (paused.by)
        @match &paused.reason {
            Some(reason) => { ": " (reason) }
            None => { ", without a reason" }
        }
        ". Its syncs and logins wait until it is resumed."
    };
    let scope = Scope::School(of.school.id.clone());
    let fix = html! {
        @if of.operator.is_allowed(Action::ActOnJobs) {
            form.buttons method="post" action={ (school_path(&of.school.id)) "/resume" } {
                (form_token(of.operator))
                input type="hidden" name="school" value=(scope.target());
                button.primary { "Resume" }
            }
        }
    };
    Trouble { kind: "held", says, fix }
}

/// Whether no sync was applied for too long. A refused token explains it, and so does a last sync
/// that failed or waits.
fn is_stale(of: &View<'_>) -> bool {
    let school = of.school;
    let health = SchoolHealth {
        id: school.id.clone(),
        schedule: school.settings.schedule.clone(),
        token_rejected: school.token != TokenState::Held,
        good_since: school.last_synced_at.unwrap_or(school.created_at).max(school.created_at),
        last_sync: None,
    };
    let conditions = health.conditions(now(), of.operator.access().state().stale_after());
    conditions.iter().any(|condition| condition.kind == AlertKind::SyncStale)
}

fn of_age(of: &View<'_>) -> Trouble {
    let says = html! {
        strong { "No sync has been applied" }
        @match of.school.last_synced_at {
            Some(at) => { " for " (ago(at)) "." }
            None => { " yet." }
        }
        " iP may be out of date."
    };
    Trouble { kind: "retrying", says, fix: html! {} }
}

fn of_mis(of: &View<'_>, change: &MisChange, standing: &Standing) -> Option<Trouble> {
    // Once a full sync has read the new MIS and no match waits, there is nothing left to do.
    let is_read = of.school.last_full_sync_at.is_some_and(|at| at > change.noted_at);
    if change.is_completed && is_read && standing.undecided == 0 {
        return None;
    }
    let name = |mis: &Option<String>| mis.clone().unwrap_or_else(|| "another MIS".into());
    let says = html! {
        strong { "Wonde: " (name(&change.from)) " → " (name(&change.to)) "; " }
        (count(standing.people, "new id is", "new ids are"))
        " expected. "
        @if change.is_completed {
            "The change is complete. The next full sync gives everyone who is recognised their new \
             id, and lists the others here."
        } @else {
            "Wonde announced the change "
            (time(of.operator, change.noted_at))
            " and has not completed it. People keep their logins."
        }
    };
    Some(Trouble { kind: "held", says, fix: html! {} })
}

fn of_matches(of: &View<'_>, standing: &Standing) -> Trouble {
    let says = html! {
        strong { (count(standing.undecided, "possible match", "possible matches")) }
        (if standing.undecided == 1 { " waits" } else { " wait" })
        " for a decision: is a record in the MIS the same person as one in iP? Until then the record \
         is left out."
    };
    let fix = html! {
        div.buttons {
            a.button.primary href={ (school_path(&of.school.id)) "/matches" } { "Decide" }
        }
    };
    Trouble { kind: "held", says, fix }
}

fn of_permissions(of: &View<'_>, standing: &Standing) -> Trouble {
    let says = html! {
        strong {
            "The school withholds "
            (count(i64::try_from(standing.withheld.len()).unwrap_or(i64::MAX), "kind of data", "kinds of data"))
        }
        @if let Some(since) = standing.withheld.iter().filter_map(|kind| standing.since(*kind)).min() {
            @if standing.withheld.len() == 1 { ", since " } @else { ", the first since " }
            (time(of.operator, since))
        }
        ". Ask it to approve them in Wonde; "
        a href="#delivers" { "see which" }
        "."
    };
    let fix = html! {
        @if of.operator.is_allowed(Action::Sync) && of.school.token == TokenState::Held {
            div.buttons { (token::test(of)) }
        }
    };
    Trouble { kind: "retrying", says, fix }
}

/// What there is to know about a school, for its head.
pub(super) fn is_paused(standing: &Result<Standing, String>) -> bool {
    standing.as_ref().is_ok_and(|standing| standing.paused.is_some())
}

/// The school's state of access in a word.
pub(super) fn access(of: &View<'_>) -> Markup {
    match of.school.token {
        TokenState::Held if of.forbidden_at().is_some() => badge("failed", "?", "unknown"),
        TokenState::Held => badge("succeeded", "✓", "approved"),
        TokenState::Rejected => badge("failed", "✕", "refused"),
        TokenState::Missing => badge("cancelled", "–", "not connected"),
    }
}
