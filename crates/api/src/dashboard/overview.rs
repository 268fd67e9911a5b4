//! What an operator sees at 8:30 on a Monday: is anything wrong, at which school, and why.

mod graphs;
mod servers;
mod wonde;

use std::{collections::HashSet, time::Duration};

use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{Condition, JobState, Lane};
use mis_sync_queue::RedisHealth;
use mis_sync_store::{
    Pool,
    figures::{self, Now},
    workers::{self, WorkerRow},
};

use super::{
    page::{Page, Tab},
    parts::{
        Names, count, job_path, length, names_of, now, number, panel, read, running, school,
        scroll, short,
    },
    queues::worker_badge,
    schools::{condition_badge, conditions, urgency},
};
use crate::{
    ApiError,
    parameters::Parameters,
    state::{Access, Operator},
};

/// How many schools are named; the list of schools has all.
const SCHOOLS: usize = 8;

pub(super) async fn show(
    operator: Operator,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.drop_empty();
    let window = graphs::window(parameters.take_text("window", graphs::WANTED)?.as_deref())?;
    parameters.finish("`window`")?;
    let access = operator.access();
    let pool = access.pool();
    let (wrong, now, points, workers, traffic, postgres, redis) = tokio::join!(
        read(wrong(pool, access.state().stale_after())),
        read(figures::now(pool)),
        read(figures::series(pool, window)),
        read(workers::list(pool)),
        read(access.state().wonde_traffic()),
        read(mis_sync_store::health(pool)),
        read(ask_redis(access)),
    );
    let ids = wrong.iter().flatten().take(SCHOOLS).map(|condition| &condition.school_id);
    let busy = workers.iter().flatten().flat_map(|worker| &worker.running);
    let out = now.iter().flat_map(|now| &now.outages).map(|outage| &outage.school_id);
    let asked = traffic.iter().flatten().flat_map(wonde::schools);
    let ids = ids.chain(busy.map(|job| &job.school_id)).chain(out).chain(asked);
    let names = names_of(pool, ids).await;
    let content = html! {
        div #overview
            hx-get={ "/dashboard?window=" (graphs::name(window)) }
            hx-trigger="changed from:#live"
            hx-select="#overview"
            hx-swap="outerMorph"
        {
            (headline(&wrong, &now))
            (panel("Needs attention", "Live", &wrong, |wrong| {
                schools(wrong, &names)
            }))
            (panel("Jobs", "Live; finished jobs: the last 24 hours", &now, jobs))
            (graphs::show(&operator, window, &points))
            div.grid {
                (panel("Lanes", "Live", &now, lanes))
                (panel("Workers", "Live; each worker reports every 2 s", &workers, |workers| {
                    at_work(workers, &names)
                }))
                (panel(
                    "Failures by error",
                    "The last 24 hours",
                    &now,
                    failures,
                ))
                (wonde::show(&operator, &traffic, &now, &names))
                (servers::postgres(&postgres))
                (servers::redis(&redis))
            }
        }
    };
    let page = Page {
        operator: &operator,
        tab: Tab::Overview,
        title: "Overview",
        watch: Some("ledger".into()),
    };
    Ok(page.show(&content))
}

async fn ask_redis(access: &Access) -> Result<RedisHealth, mis_sync_queue::Error> {
    Ok(access.queue().redis().health().await?)
}

/// Everything that is wrong with a school, the worst first.
async fn wrong(
    pool: &Pool,
    stale_after: TimeDelta,
) -> Result<Vec<Condition>, mis_sync_store::Error> {
    let by_school = conditions(pool, now(), stale_after).await?;
    let mut all: Vec<Condition> = by_school.into_values().flatten().collect();
    all.sort_by(|a, b| urgency(b).cmp(&urgency(a)).then_with(|| a.school_id.cmp(&b.school_id)));
    Ok(all)
}

/// One line that answers the first question: is anything wrong?
fn headline(wrong: &Result<Vec<Condition>, String>, now: &Result<Now, String>) -> Markup {
    let (Ok(wrong), Ok(now)) = (wrong, now) else {
        return html! { h1 { "Overview" } };
    };
    let schools: HashSet<_> = wrong.iter().map(|condition| &condition.school_id).collect();
    let schools = i64::try_from(schools.len()).unwrap_or(i64::MAX);
    let waiting = now.unfinished.iter().map(|(.., jobs)| jobs).sum::<i64>() - now.held;
    let mut parts = Vec::new();
    if schools > 0 {
        let need = if schools == 1 { "needs" } else { "need" };
        parts.push(format!("{} {need} attention", count(schools, "school", "schools")));
    }
    if now.held > 0 {
        parts.push(format!(
            "{} approval",
            if now.held == 1 {
                "1 change waits for".into()
            } else {
                format!("{} changes wait for", number(now.held))
            }
        ));
    }
    if parts.is_empty() {
        parts.push("All is well".into());
    }
    if waiting > 0 {
        parts.push(format!("{} in progress", count(waiting, "job", "jobs")));
    }
    html! { h1 { (parts.join(" · ")) } }
}

fn schools(wrong: &[Condition], names: &Names) -> Markup {
    if wrong.is_empty() {
        return html! { p.good { "✓ No schools need attention." } };
    }
    let more = wrong.len().saturating_sub(SCHOOLS);
    html! {
        ul.needs {
            @for condition in wrong.iter().take(SCHOOLS) {
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
        @if more > 0 {
            p {
                a href="/dashboard/schools?trouble=on" {
                    (number(i64::try_from(more).unwrap_or(i64::MAX)))
                    " more"
                }
            }
        }
    }
}

fn jobs(now: &Now) -> Markup {
    let of = |state: JobState| {
        now.unfinished
            .iter()
            .filter(|(_, found, _)| *found == state)
            .map(|(.., jobs)| jobs)
            .sum::<i64>()
    };
    let unfinished = JobState::ALL
        .iter()
        .filter(|state| !state.is_finished())
        .map(|state| (*state, of(*state), ""));
    let ended = now
        .ended
        .iter()
        .filter(|(state, _)| state.is_finished())
        .map(|(state, jobs)| (*state, *jobs, "&age=24h"));
    html! {
        dl.tiles {
            @for (state, jobs, age) in unfinished.chain(ended) {
                @let needs_a_look = matches!(
                    state,
                    JobState::Failed | JobState::Held | JobState::Retrying
                );
                div.zero[jobs == 0] data-kind=[needs_a_look.then_some(state)] {
                    dt { (state) }
                    dd {
                        a href={ "/dashboard/jobs?state." (state) "=on" (age) } { (number(jobs)) }
                    }
                }
            }
        }
    }
}

fn lanes(now: &Now) -> Markup {
    let of = |lane: Lane, state: JobState| {
        now.unfinished
            .iter()
            .find(|(l, s, _)| *l == lane && *s == state)
            .map_or(0, |(.., jobs)| *jobs)
    };
    let oldest = |lane: Lane| {
        now.oldest_waiting.iter().find(|(l, _)| *l == lane).map_or(Duration::ZERO, |(_, age)| *age)
    };
    html! {
        (scroll("Lanes", &html! {
            table.rows {
                thead {
                    tr {
                        th { "Lane" }
                        th.number { "Waiting" }
                        th.number { "Oldest waits" }
                        th.number { "Running" }
                        th.number { "Retrying" }
                    }
                }
                tbody {
                    @for lane in Lane::SHOWN {
                        tr {
                            td {
                                (lane)
                                " "
                                span.quiet {
                                    (match lane {
                                        Lane::Bulk => "syncs",
                                        Lane::Interactive => "logins",
                                        Lane::Internal => "",
                                    })
                                }
                            }
                            td.number { (number(of(*lane, JobState::Queued))) }
                            td.number {
                                (length(TimeDelta::from_std(oldest(*lane)).unwrap_or_default()))
                            }
                            td.number { (number(of(*lane, JobState::Running))) }
                            td.number { (number(of(*lane, JobState::Retrying))) }
                        }
                    }
                }
            }
        }))
    }
}

fn at_work(workers: &[WorkerRow], names: &Names) -> Markup {
    if workers.is_empty() {
        return html! {
            p.warning {
                strong { "No worker has been seen for a day. " }
                "Jobs wait until one runs: "
                code { "mis-sync worker" }
                "."
            }
        };
    }
    html! {
        ul.needs {
            @for worker in workers {
                li {
                    (worker_badge(worker.state))
                    " "
                    code { (worker.name) }
                    " "
                    span.quiet {
                        (worker.running.len())
                        " of "
                        (worker.lanes.iter().map(|(_, slots)| slots).sum::<usize>())
                        " slots in use"
                    }
                    @for job in worker.running.iter().take(3) { " " (running(names, job)) }
                }
            }
        }
    }
}

fn failures(now: &Now) -> Markup {
    if now.failures.is_empty() {
        return html! { p.quiet { "No job failed." } };
    }
    html! {
        (scroll("Failures by error", &html! {
            table.rows {
                thead {
                    tr {
                        th { "Error" }
                        th.number { "Jobs" }
                    }
                }
                tbody {
                    @for (code, jobs) in &now.failures {
                        tr {
                            td {
                                a href={ "/dashboard/jobs?state.failed=on&age=24h&error=" (code) } {
                                    code { (code) }
                                }
                            }
                            td.number { (number(*jobs)) }
                        }
                    }
                }
            }
        }))
    }
}
