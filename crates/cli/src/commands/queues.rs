use chrono::{DateTime, Utc};
use mis_sync_control as control;
use mis_sync_domain::{JobState, Lane};
use mis_sync_store::{
    figures::{self, Now},
    pauses::{self, Pause, Scope},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Queues, QueuesAction, Target},
    commands::{actor, print, table::table},
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, command: Queues) -> Result<(), Failure> {
    match command.action {
        None => show(config, command.json).await,
        Some(QueuesAction::Pause { target, reason, until }) => {
            pause(config, target, reason, until).await
        }
        Some(QueuesAction::Resume { target, reason }) => resume(config, target, reason).await,
    }
}

fn scope(target: Target) -> Scope {
    match (target.lane, target.school) {
        (Some(lane), _) => Scope::Lane(lane),
        (None, Some(school)) => Scope::School(school),
        (None, None) => unreachable!("one of the two is required"),
    }
}

async fn pause(
    config: &Config,
    target: Target,
    reason: Option<String>,
    until: Option<DateTime<Utc>>,
) -> Result<(), Failure> {
    let (pool, scope) = (wiring::database(config).await?, scope(target));
    if control::pause_until(&pool, &scope, until, &actor(reason)).await? {
        return print(&format!("{scope} is paused; running jobs finish"));
    }
    Err(Failure::work(format!("there is no {scope}; `mis-sync schools list` shows them")))
}

async fn resume(config: &Config, target: Target, reason: Option<String>) -> Result<(), Failure> {
    let (queue, scope) = (wiring::queue(config).await?, scope(target));
    if control::resume(&queue, &scope, &actor(reason)).await? {
        return print(&format!("{scope} is resumed"));
    }
    Err(Failure::work(format!("{scope} is not paused; `mis-sync queues` lists the pauses")))
}

async fn show(config: &Config, json: bool) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    let (now, pauses) = (figures::now(&pool).await?, pauses::list(&pool).await?);
    if json {
        let lanes = Lane::SHOWN.iter().map(|lane| describe_lane(*lane, &now, &pauses));
        let pauses = pauses.iter().map(describe_pause);
        let all = json!({
            "lanes": lanes.collect::<Value>(),
            "pauses": pauses.collect::<Value>(),
        });
        return print(&all.to_string());
    }
    let row = |lane: &Lane| {
        let jobs = |state| jobs(&now, *lane, state).to_string();
        [
            lane.to_string(),
            jobs(JobState::Queued),
            jobs(JobState::Running),
            jobs(JobState::Retrying),
            jobs(JobState::Held),
            format!("{} s", waiting(&now, *lane)),
            if is_paused(&pauses, *lane) { "paused" } else { "" }.to_owned(),
        ]
    };
    let rows: Vec<_> = Lane::SHOWN.iter().map(row).collect();
    table(["LANE", "QUEUED", "RUNNING", "RETRYING", "HELD", "OLDEST", ""], &rows, "")?;
    if pauses.is_empty() {
        return Ok(());
    }
    let row = |pause: &Pause| {
        [
            pause.scope.to_string(),
            minute(pause.paused_at),
            pause.until.map(minute).unwrap_or_default(),
            pause.waiting.to_string(),
            pause.actor.clone(),
            pause.reason.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = pauses.iter().map(row).collect();
    print("")?;
    table(["PAUSED", "SINCE", "UNTIL", "WAITING", "BY", "WHY"], &rows, "")
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

fn jobs(now: &Now, lane: Lane, state: JobState) -> i64 {
    let found = now.unfinished.iter().find(|(of, is, _)| (*of, *is) == (lane, state));
    found.map_or(0, |(_, _, jobs)| *jobs)
}

/// Seconds.
fn waiting(now: &Now, lane: Lane) -> u64 {
    let found = now.oldest_waiting.iter().find(|(of, _)| *of == lane);
    found.map_or(0, |(_, time)| time.as_secs())
}

fn is_paused(pauses: &[Pause], lane: Lane) -> bool {
    pauses.iter().any(|pause| pause.scope == Scope::Lane(lane))
}

fn describe_lane(lane: Lane, now: &Now, pauses: &[Pause]) -> Value {
    json!({
        "lane": lane,
        "queued": jobs(now, lane, JobState::Queued),
        "running": jobs(now, lane, JobState::Running),
        "retrying": jobs(now, lane, JobState::Retrying),
        "held": jobs(now, lane, JobState::Held),
        "oldest_waiting_seconds": waiting(now, lane),
        "paused": is_paused(pauses, lane),
    })
}

fn describe_pause(pause: &Pause) -> Value {
    let (lane, school) = match &pause.scope {
        Scope::Lane(lane) => (Some(lane), None),
        Scope::School(id) => (None, Some(id)),
    };
    json!({
        "lane": lane,
        "school_id": school,
        "paused_at": pause.paused_at,
        "until": pause.until,
        "actor": pause.actor,
        "reason": pause.reason,
        "waiting": pause.waiting,
    })
}
