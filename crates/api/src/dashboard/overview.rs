//! What an operator sees at 8:30 on a Monday: is anything wrong, at which school, and why.

mod attention;
mod graphs;
mod servers;
mod wonde;

use std::time::Duration;

use axum::response::Response;
use chrono::TimeDelta;
use maud::{Markup, html};
use mis_sync_domain::{JobState, Lane};
use mis_sync_queue::RedisHealth;
use mis_sync_store::{
    figures::{self, Now},
    workers::{self, WorkerRow},
};

use super::{
    live,
    page::{FRAME, Page, Tab},
    parts::{Names, broken, length, names_of, number, panel, read, running, scroll},
    queues::worker_badge,
};
use crate::{
    ApiError,
    parameters::Parameters,
    state::{Access, Operator},
};
use attention::Attention;

pub(super) async fn show(
    operator: Operator,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    parameters.drop_empty();
    let window = graphs::window(parameters.take_text("window", graphs::WANTED)?.as_deref())?;
    parameters.finish("`window`")?;
    let watch = live::ledger(&operator).await;
    let access = operator.access();
    let pool = access.pool();
    let (wrong, now, points, logins, workers, traffic, postgres, redis) = tokio::join!(
        attention::read_all(&operator),
        read(figures::now(pool)),
        read(figures::series(pool, window)),
        read(graphs::logins(pool, window)),
        read(workers::list(pool)),
        read(access.state().wonde_traffic()),
        read(mis_sync_store::health(pool)),
        read(ask_redis(access)),
    );
    let ids = wrong.iter().flat_map(Attention::schools);
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
            hx-select-oob=(FRAME)
        {
            (attention::headline(&operator, &wrong, &now))
            (attention::service(&operator))
            (panel("Needs attention", "Live", &wrong, |wrong| {
                attention::show(&operator, wrong, &names)
            }))
            (panel("Jobs", "Live; finished jobs: the last 24 hours", &now, jobs))
            (graphs::windows(window))
            div.grid {
                div.stack {
                    (panel("Syncs", graphs::source(window), &points, |points| {
                        graphs::syncs(&operator, points, &now)
                    }))
                    (panel("Queues", "Live; each worker reports every 2 s", &Ok(()), |()| html! {
                        @match &now {
                            Ok(now) => (lanes(now)),
                            Err(reason) => (broken(reason)),
                        }
                        @match &workers {
                            Ok(workers) => (at_work(workers, &names)),
                            Err(reason) => (broken(reason)),
                        }
                    }))
                }
                div.stack {
                    (panel("Logins", graphs::source(window), &logins, |logins| {
                        graphs::of_logins(&operator, window, logins)
                    }))
                    (wonde::show(&operator, &traffic, &now, &names))
                }
            }
            (servers::show(&postgres, &redis))
        }
    };
    let page = Page { operator: &operator, tab: Tab::Overview, title: "Overview", watch };
    Ok(page.show(&content))
}

async fn ask_redis(access: &Access) -> Result<RedisHealth, mis_sync_queue::Error> {
    Ok(access.queue().redis().health().await?)
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
    let ended = now.ended.iter().filter(|(state, _)| state.is_finished()).map(|(state, jobs)| {
        (*state, *jobs, if *state == JobState::Failed { "&age=24h&retried=on" } else { "&age=24h" })
    });
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
                        a href={ "/dashboard/jobs?state." (state) "=on" (age) } {
                            (number(jobs))
                        }
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
            table.rows.cards {
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
                            td.wide {
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
                            td.number data-label="Waiting" { (number(of(*lane, JobState::Queued))) }
                            td.number data-label="Oldest waits" {
                                (length(TimeDelta::from_std(oldest(*lane)).unwrap_or_default()))
                            }
                            td.number data-label="Running" { (number(of(*lane, JobState::Running))) }
                            td.number data-label="Retrying" { (number(of(*lane, JobState::Retrying))) }
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
