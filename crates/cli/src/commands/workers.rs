use mis_sync_control as control;
use mis_sync_store::{
    Pool,
    workers::{self, WorkerRow, WorkerState},
};
use serde_json::{Value, json};

use crate::{
    arguments::{WorkerAction, Workers},
    commands::{actor, print, table::table},
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, command: Workers) -> Result<(), Failure> {
    let pool = wiring::database(config).await?;
    match command {
        Workers::List { json } => list(&pool, json).await,
        Workers::Drain(action) => {
            let done = control::drain(&pool, &action.name, &actor(action.reason.clone())).await?;
            tell(&pool, action, done, "finishes its current jobs and takes no new ones").await
        }
        Workers::Undrain(action) => {
            let done = control::undrain(&pool, &action.name, &actor(action.reason.clone())).await?;
            tell(&pool, action, done, "takes jobs again").await
        }
    }
}

async fn list(pool: &Pool, json: bool) -> Result<(), Failure> {
    let found = workers::list(pool).await?;
    if json {
        return print(&found.iter().map(describe).collect::<Value>().to_string());
    }
    let row = |worker: &WorkerRow| {
        let slots = worker.lanes.iter().map(|(lane, slots)| format!("{lane} {slots}"));
        [
            worker.name.clone(),
            worker.state.as_str().to_owned(),
            slots.collect::<Vec<_>>().join(", "),
            worker.running.len().to_string(),
            worker.version.clone(),
            worker.started_at.format("%Y-%m-%d %H:%M").to_string(),
            worker.seen_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let headings = ["NAME", "STATE", "SLOTS", "RUNNING", "VERSION", "STARTED", "SEEN"];
    table(headings, &rows, "No worker has been seen for a day. Start one: mis-sync worker")
}

async fn tell(pool: &Pool, action: WorkerAction, done: bool, now: &str) -> Result<(), Failure> {
    let found = workers::list(pool).await?;
    let worker = found.iter().find(|worker| worker.name == action.name);
    match worker.filter(|_| done) {
        Some(worker) if action.json => print(&describe(worker).to_string()),
        Some(worker) if worker.state == WorkerState::Dead => Err(Failure::work(format!(
            "{} has not been seen for ten seconds; if it comes back, it {now}",
            worker.name
        ))),
        Some(worker) => print(&format!("{} {now}", worker.name)),
        None => Err(Failure::work(format!(
            "no worker {} is running; `mis-sync workers list` shows those that are",
            action.name
        ))),
    }
}

fn describe(worker: &WorkerRow) -> Value {
    let slots: serde_json::Map<String, Value> =
        worker.lanes.iter().map(|(lane, slots)| (lane.to_string(), json!(slots))).collect();
    let running = worker.running.iter().map(|job| {
        json!({
            "id": job.id,
            "kind": job.kind,
            "school_id": job.school_id,
            "lane": job.lane,
            "started_at": job.started_at,
        })
    });
    json!({
        "name": worker.name,
        "state": worker.state.as_str(),
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "slots": slots,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
        "drain_requested_at": worker.drain_requested_at,
        "stopped_at": worker.stopped_at,
        "running": running.collect::<Value>(),
    })
}
