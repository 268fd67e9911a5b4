//! What an operator sees at 8:30 on a Monday: is anything wrong, for which school, and why.

mod graphs;
mod servers;
mod wonde;

use std::time::Duration;

use axum::response::Response;
use chrono::{TimeDelta, Utc};
use maud::{Markup, html};
use mis_sync_domain::{AlertKind, Condition, JobState, Lane};
use mis_sync_queue::{RedisHealth, WondeTraffic};
use mis_sync_store::{
    Pool,
    figures::{self, Now},
    workers::{self, WorkerRow},
};

use super::{
    page::{Page, Tab},
    parts::{count, job_path, length, number, panel, read, scroll, short},
    queues::worker_badge,
    schools::{condition_badge, conditions, school_path},
};
use crate::{
    ApiError,
    parameters::Parameters,
    state::{Access, Operator},
};

/// Schools that are named; the list of schools has all.
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
        read(ask_wonde_limit(access)),
        read(mis_sync_store::health(pool)),
        read(ask_redis(access)),
    );
    let content = html! {
        h1.hidden { "Overview" }
        div #overview hx-get={ "/dashboard?window=" (graphs::name(window)) } hx-trigger="changed from:#live"
            hx-select="#overview" hx-swap="outerMorph" {
            (panel("Needs someone", "Schools (Postgres), now", &wrong, |wrong| schools(wrong)))
            (panel("Jobs", "Ledger (Postgres), now; ended: the last 24 hours", &now, |now| jobs(now)))
            (graphs::show(&operator, window, &points))
            div.grid {
                (panel("Lanes", "Ledger (Postgres), now", &now, |now| lanes(now)))
                (panel("Workers", "Reported by each worker every 2 s", &workers, |workers| at_work(workers)))
                (panel("Failures by error", "Ledger (Postgres), the last 24 hours", &now, |now| failures(now)))
                (wonde::show(&operator, &traffic, &now))
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

async fn ask_wonde_limit(access: &Access) -> Result<Option<WondeTraffic>, mis_sync_queue::Error> {
    Ok(access.state().wonde_traffic().await?)
}

async fn ask_redis(access: &Access) -> Result<RedisHealth, mis_sync_queue::Error> {
    Ok(access.queue().redis().health().await?)
}

/// Everything that is wrong with a school, the worst first.
async fn wrong(
    pool: &Pool,
    stale_after: TimeDelta,
) -> Result<Vec<Condition>, mis_sync_store::Error> {
    let by_school = conditions(pool, Utc::now(), stale_after).await?;
    let mut all: Vec<Condition> = by_school.into_values().flatten().collect();
    let rank = |kind| match kind {
        AlertKind::TokenRejected => 0,
        AlertKind::SyncFailed => 1,
        AlertKind::SyncHeld => 2,
        AlertKind::SyncStale => 3,
    };
    all.sort_by(|a, b| (rank(a.kind), &a.school_id).cmp(&(rank(b.kind), &b.school_id)));
    Ok(all)
}

fn schools(wrong: &[Condition]) -> Markup {
    if wrong.is_empty() {
        return html! { p.good { "✓ No school needs anybody." } };
    }
    let more = wrong.len().saturating_sub(SCHOOLS);
    html! {
        ul.needs { @for condition in wrong.iter().take(SCHOOLS) {
            li {
                (condition_badge(condition)) " " a href=(school_path(&condition.school_id)) { (condition.school_id) } " "
                (condition.detail)
                @if let Some(id) = condition.job_id { " " a href=(job_path(id)) { "job " code { (short(id)) } } }
            }
        } }
        @if more > 0 { p { a href="/dashboard/schools?trouble=on" { (number(i64::try_from(more).unwrap_or(i64::MAX))) " more" } } }
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
                div .zero[jobs == 0] .{ "tone-" (state) } {
                    dt { (state) }
                    dd { a href={ "/dashboard/jobs?state." (state) "=on" (age) } { (number(jobs)) } }
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
        (scroll("Lanes", &html! { table.rows {
            thead { tr { th { "Lane" } th.number { "Waiting" } th.number { "Oldest waits" } th.number { "Running" } th.number { "Retrying" } } }
            tbody { @for lane in Lane::ALL {
                tr {
                    td { (lane) " " span.quiet { (match lane { Lane::Bulk => "syncs", Lane::Interactive => "logins" }) } }
                    td.number { (number(of(*lane, JobState::Queued))) }
                    td.number { (length(TimeDelta::from_std(oldest(*lane)).unwrap_or_default())) }
                    td.number { (number(of(*lane, JobState::Running))) }
                    td.number { (number(of(*lane, JobState::Retrying))) }
                }
            } }
        } }))
    }
}

fn at_work(workers: &[WorkerRow]) -> Markup {
    if workers.is_empty() {
        return html! { p.warning { strong { "No worker was seen for a day. " } "Jobs wait until one runs: " code { "mis-sync worker" } "." } };
    }
    html! {
        ul.needs { @for worker in workers {
            li {
                (worker_badge(worker.state)) " " code { (worker.name) } " "
                span.quiet { (count(i64::try_from(worker.running.len()).unwrap_or_default(), "job", "jobs")) }
                @for job in worker.running.iter().take(3) { " " a href=(job_path(job.id)) { (job.school_id) } }
            }
        } }
    }
}

fn failures(now: &Now) -> Markup {
    if now.failures.is_empty() {
        return html! { p.quiet { "No job failed." } };
    }
    html! {
        (scroll("Failures by error", &html! { table.rows {
            thead { tr { th { "Error" } th.number { "Jobs" } } }
            tbody { @for (code, jobs) in &now.failures {
                tr { td { a href={ "/dashboard/jobs?state.failed=on&age=24h&error=" (code) } { code { (code) } } } td.number { (number(*jobs)) } }
            } }
        } }))
    }
}
