use mis_sync_control as control;
use mis_sync_domain::{Job, School, SyncMode, SyncOptions};
use mis_sync_queue::Queue;
use mis_sync_store::{Pool, schools};

use crate::{
    arguments::Sync,
    commands::{
        COMMAND_LINE,
        follow::{Shown, follow},
        print, words,
    },
    config::Config,
    exit::Failure,
    wiring,
};

pub(super) async fn run(config: &Config, sync: &Sync) -> Result<(), Failure> {
    let queue = wiring::queue(config).await?;
    let school = find_school(queue.pool(), &sync.school).await?;
    let options = SyncOptions {
        dry_run: sync.dry_run,
        photos: sync.photos,
        mode: if sync.delta { SyncMode::Delta } else { SyncMode::Full },
    };
    let job = press(&queue, &school, options).await?;
    if !sync.follow {
        return if sync.json { print_json(&job) } else { tell_how_to_follow(&job) };
    }
    let shown = if sync.json { Shown::Nothing } else { Shown::Progress };
    let job = follow(queue.pool(), job.id, shown).await?;
    if sync.json {
        print_json(&job)?;
        return words::require_success(&job);
    }
    words::tell(queue.pool(), &job, &school.name).await
}

/// Adds a sync to the ledger, or finds the unfinished one.
pub(super) async fn press(
    queue: &Queue,
    school: &School,
    options: SyncOptions,
) -> Result<Job, Failure> {
    let enqueued = control::press(queue, school, options, COMMAND_LINE, None).await?;
    Ok(enqueued.job().clone())
}

/// A school, or a failure if it does not exist.
pub(super) async fn find_school(
    pool: &Pool,
    id: &mis_sync_domain::SchoolId,
) -> Result<School, Failure> {
    schools::get(pool, id).await?.ok_or_else(|| {
        Failure::work(format!(
            "there is no school {id}; `mis-sync schools list` shows which there are"
        ))
    })
}

fn tell_how_to_follow(job: &Job) -> Result<(), Failure> {
    print(&format!("{}\n{}: mis-sync jobs show {}", job.id, job.state, job.id))
}

fn print_json(job: &Job) -> Result<(), Failure> {
    print(&mis_sync_api::json::job(job).to_string())
}
