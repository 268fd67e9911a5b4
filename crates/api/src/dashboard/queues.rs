//! Lanes, schools and workers, and the buttons that pause and resume them.

use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use mis_sync_control as control;
use mis_sync_domain::{Action, Lane};
use mis_sync_store::{
    figures::{self, Now},
    pauses::{self, Pause, Scope},
    workers::{self, WorkerRow, WorkerState},
};

use super::{
    form::{Fields, Posted},
    live,
    login::{go, is_ours},
    page::{FRAME, Page, Tab, form_token},
    parts::{
        ActionButton, Names, ago, badge, count, name_of, names_of, now, number, panel, read,
        running, school, scroll, time,
    },
};
use crate::{ApiError, state::Operator};

pub(super) async fn show(operator: Operator) -> Result<Response, ApiError> {
    let watch = live::ledger(&operator).await;
    let pool = operator.access().pool();
    let (figures, paused, workers) =
        tokio::join!(read(figures::now(pool)), read(pauses::list(pool)), read(workers::list(pool)));
    let busy = workers.iter().flatten().flat_map(|worker| &worker.running);
    let stopped = paused.iter().flatten().filter_map(|pause| match &pause.scope {
        Scope::School(id) => Some(id),
        Scope::Lane(_) => None,
    });
    let names = names_of(pool, busy.map(|job| &job.school_id).chain(stopped)).await;
    let content = html! {
        h1 { "Queues" }
        div #queues
            hx-get="/dashboard/queues"
            hx-trigger="changed from:#live"
            hx-select="#queues"
            hx-swap="outerMorph"
            hx-select-oob=(FRAME)
        {
            (panel("Lanes", "Live", &figures, |now| {
                lanes(&operator, now, paused.as_deref().unwrap_or_default())
            }))
            (panel("Paused schools", "Live", &paused, |paused| {
                schools(&operator, paused, &names)
            }))
            (panel("Workers", "Live; each worker reports every 2 s", &workers, |workers| {
                table(&operator, workers, &names)
            }))
        }
        @if operator.is_allowed(Action::ActOnJobs) { (pause_a_school(&operator)) }
    };
    let page = Page { operator: &operator, tab: Tab::Queues, title: "Queues", watch };
    Ok(page.show(&content))
}

fn lanes(operator: &Operator, now: &Now, paused: &[Pause]) -> Markup {
    html! {
        (scroll("Lanes", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Lane" }
                        th { "For" }
                        th.number { "Unfinished" }
                        th { "State" }
                        th {
                            span.hidden { "Actions" }
                        }
                    }
                }
                tbody {
                    @for lane in Lane::SHOWN {
                        @let pause = paused
                            .iter()
                            .find(|pause| pause.scope == Scope::Lane(*lane));
                        @let jobs: i64 = now
                            .unfinished
                            .iter()
                            .filter(|(of, ..)| of == lane)
                            .map(|(.., jobs)| jobs)
                            .sum();
                        tr {
                            td {
                                strong { (lane) }
                            }
                            td {
                                (jobs_of(*lane))
                            }
                            td.number data-label="Unfinished" { (number(jobs)) }
                            td {
                                @match pause {
                                    Some(pause) => (paused_since(operator, pause)),
                                    None => (badge("succeeded", "✓", "open")),
                                }
                            }
                            td {
                                (lever(operator, &Names::new(), &Scope::Lane(*lane), pause.is_some()))
                            }
                        }
                    }
                }
            }
        }))
    }
}

fn schools(operator: &Operator, paused: &[Pause], names: &Names) -> Markup {
    let mut paused =
        paused.iter().filter(|pause| matches!(pause.scope, Scope::School(_))).peekable();
    if paused.peek().is_none() {
        return html! { p.quiet { "No school is paused." } };
    }
    html! {
        (scroll("Paused schools", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "School" }
                        th.number { "Waiting jobs" }
                        th { "State" }
                        th {
                            span.hidden { "Actions" }
                        }
                    }
                }
                tbody {
                    @for pause in paused {
                        tr {
                            td {
                                @if let Scope::School(id) = &pause.scope { (school(names, id)) }
                            }
                            td.number data-label="Waiting jobs" { (number(pause.waiting)) }
                            td { (paused_since(operator, pause)) }
                            td { (lever(operator, names, &pause.scope, true)) }
                        }
                    }
                }
            }
        }))
    }
}

fn jobs_of(lane: Lane) -> &'static str {
    match lane {
        Lane::Bulk => "syncs of schools",
        Lane::Interactive => "refreshes of people who log in",
        Lane::Internal => "",
    }
}

pub(super) fn paused_since(operator: &Operator, pause: &Pause) -> Markup {
    html! {
        (badge("held", "‖", "paused"))
        " since "
        (time(operator, pause.paused_at))
        " by "
        (pause.actor)
        @if let Some(until) = pause.until { ", until " (time(operator, until)) }
        @if let Some(reason) = &pause.reason { ": " (reason) }
    }
}

fn lever(operator: &Operator, names: &Names, scope: &Scope, is_paused: bool) -> Markup {
    if !operator.is_allowed(Action::ActOnJobs) {
        return html! {};
    }
    let whose = match scope {
        Scope::Lane(lane) => format!("all {}", jobs_of(*lane)),
        Scope::School(id) => format!("the jobs of {}", name_of(names, id)),
    };
    let fields = html! { input type="hidden" name=(scope_name(scope)) value=(scope.target()); };
    let button = if is_paused {
        ActionButton {
            label: "Resume",
            whose,
            action: "/dashboard/queues/resume".into(),
            kind: "primary",
            says: "Waiting jobs start immediately; their deadlines move by the length of the pause.",
        }
    } else {
        ActionButton {
            label: "Pause",
            whose,
            action: "/dashboard/queues/pause".into(),
            kind: "danger",
            says: "No worker starts another of these jobs. Running jobs finish, new \
                   ones wait, and logins are answered from iP's current record.",
        }
    };
    let fields = html! {
        (fields)
        @if !is_paused { (until_field(operator, None)) }
    };
    button.show(operator, &fields)
}

/// When a pause ends by itself.
pub(super) fn until_field(operator: &Operator, until: Option<DateTime<Utc>>) -> Markup {
    let preferences = operator.preferences();
    html! {
        label {
            "Until "
            span.quiet { "(empty: until resumed)" }
            input
                name="until"
                type="datetime-local"
                min=(preferences.field(now()))
                value=[until.map(|until| preferences.field(until))];
        }
    }
}

fn scope_name(scope: &Scope) -> &'static str {
    match scope {
        Scope::Lane(_) => "lane",
        Scope::School(_) => "school",
    }
}

fn pause_a_school(operator: &Operator) -> Markup {
    html! {
        section.panel {
            header {
                h2 { "Pause a school" }
                p.source { "For example while the school changes its MIS" }
            }
            form.inline method="post" action="/dashboard/queues/pause" {
                (form_token(operator))
                label {
                    "School"
                    input name="school" required autocomplete="off" placeholder="id";
                }
                (until_field(operator, None))
                label {
                    "Reason"
                    input name="reason" maxlength="500" autocomplete="off";
                }
                button.danger { "Pause" }
            }
        }
    }
}

fn table(operator: &Operator, workers: &[WorkerRow], names: &Names) -> Markup {
    if workers.is_empty() {
        return html! {
            p.warning {
                "No worker has been seen for a day. Start one: "
                code { "mis-sync worker" }
                "."
            }
        };
    }
    html! {
        (scroll("Workers", &html! {
            table.rows.cards {
                thead {
                    tr {
                        th { "Worker" }
                        th { "State" }
                        th { "Slots" }
                        th { "Runs" }
                        th { "Started" }
                        th { "Seen" }
                        th {
                            span.hidden { "Actions" }
                        }
                    }
                }
                tbody {
                    @for worker in workers {
                        tr {
                            td {
                                code { (worker.name) }
                                div.quiet { "release " (worker.version) }
                            }
                            td { (worker_badge(worker.state)) }
                            td {
                                @for (lane, slots) in &worker.lanes {
                                    div { (lane) ": " (slots) }
                                }
                            }
                            td {
                                @if worker.running.is_empty() {
                                    span.quiet { "nothing" }
                                }
                                @for job in worker.running.iter().take(5) {
                                    div { (running(names, job)) }
                                }
                                @if worker.running.len() > 5 {
                                    span.quiet {
                                        "and "
                                        (count(
                                            i64::try_from(worker.running.len() - 5)
                                                .unwrap_or_default(),
                                            "more",
                                            "more",
                                        ))
                                    }
                                }
                            }
                            td data-label="Started" { (time(operator, worker.started_at)) }
                            td data-label="Seen" { (ago(worker.seen_at)) " ago" }
                            td { (drain_lever(operator, worker)) }
                        }
                    }
                }
            }
        }))
    }
}

fn drain_lever(operator: &Operator, worker: &WorkerRow) -> Markup {
    if !operator.is_allowed(Action::ActOnJobs) {
        return html! {};
    }
    let fields = html! { input type="hidden" name="worker" value=(worker.name); };
    let button = match worker.state {
        WorkerState::Alive => ActionButton {
            label: "Drain",
            whose: format!("worker {}", worker.name),
            action: "/dashboard/queues/drain".into(),
            kind: "",
            says: "The worker finishes its current jobs and takes no new ones until it is undrained or restarted.",
        },
        WorkerState::Draining | WorkerState::Drained => ActionButton {
            label: "Undrain",
            whose: format!("worker {}", worker.name),
            action: "/dashboard/queues/undrain".into(),
            kind: "primary",
            says: "The worker takes jobs again.",
        },
        WorkerState::Stopped | WorkerState::Dead => return html! {},
    };
    button.show(operator, &fields)
}

/// How a worker stands.
pub(super) fn worker_badge(state: WorkerState) -> Markup {
    let (kind, shape) = match state {
        WorkerState::Alive => ("succeeded", "✓"),
        WorkerState::Draining => ("retrying", "↓"),
        WorkerState::Drained => ("held", "‖"),
        WorkerState::Stopped => ("cancelled", "–"),
        WorkerState::Dead => ("failed", "✕"),
    };
    badge(kind, shape, state.as_str())
}

fn read_scope(fields: &Fields) -> Result<Scope, ApiError> {
    let wrong = |text: &str| ApiError::MalformedBody(text.to_owned());
    match (fields.text("lane"), fields.text("school")) {
        (Some(lane), None) => {
            Ok(Scope::Lane(lane.parse().map_err(|_| wrong("there is no such lane"))?))
        }
        (None, Some(id)) => Ok(Scope::School(id.parse().map_err(|_| ApiError::UnknownSchool)?)),
        _ => Err(wrong("a lane or a school has to be named")),
    }
}

pub(super) async fn pause(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let scope = read_scope(posted.fields())?;
    let until = posted.time_to_come("until")?;
    let is_there = control::pause_until(access.pool(), &scope, until, &posted.actor()?).await?;
    if is_there { Ok(go("/dashboard/queues", None)) } else { Err(ApiError::UnknownSchool) }
}

pub(super) async fn resume(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let scope = read_scope(posted.fields())?;
    // If another person was faster, the result is the same.
    control::resume(access.queue(), &scope, &posted.actor()?).await?;
    // The overview has the button too.
    let back = posted.fields().text("back").filter(|back| is_ours(back));
    Ok(go(back.unwrap_or("/dashboard/queues"), None))
}

pub(super) async fn drain(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let worker = posted.fields().required("worker")?;
    control::drain(access.pool(), worker, &posted.actor()?).await?;
    Ok(go("/dashboard/queues", None))
}

pub(super) async fn undrain(posted: Posted) -> Result<Response, ApiError> {
    let access = posted.may(Action::ActOnJobs)?;
    let worker = posted.fields().required("worker")?;
    control::undrain(access.pool(), worker, &posted.actor()?).await?;
    Ok(go("/dashboard/queues", None))
}
