//! Requests the syncs that are due by the schools' schedules. The leader does this.

use std::{convert::Infallible, future::pending, time::Duration};

use mis_sync_domain::{
    DueSync, REQUESTED_BY_SCHEDULE, SchoolId, SyncMode, SyncOptions, SyncSchool,
};
use mis_sync_queue::{Enqueued, Error, NewJob};
use mis_sync_store::schedule::{self, ScheduledSchool};

use crate::{
    Context,
    pace::{every, in_time},
};

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_mins(1);

/// How schedules are served.
#[derive(Debug, Clone, Copy)]
pub struct SchedulerOptions {
    /// If false, only requested syncs run.
    pub enabled: bool,
    /// How often to check which syncs are due.
    pub every: Duration,
    /// The most scheduled syncs that may be unfinished. The others wait, so that a sync that a
    /// person presses does not queue behind every school.
    pub max_unfinished: usize,
}

pub(crate) async fn run(context: &Context, options: &SchedulerOptions) -> Infallible {
    if !options.enabled {
        return pending().await;
    }
    let mut tick = every(options.every);
    loop {
        tick.tick().await;
        match in_time(LONGEST, enqueue_due(context, options)).await {
            Ok(0) => {}
            Ok(enqueued) => tracing::info!(enqueued, "scheduled syncs asked for"),
            Err(error) => tracing::warn!(%error, "schedules could not be served"),
        }
    }
}

/// Requests what is due, the longest waiting first, and returns how many syncs are new.
async fn enqueue_due(context: &Context, options: &SchedulerOptions) -> Result<usize, Error> {
    let (pool, now) = (context.queue.pool(), context.clock.now());
    let mut due: Vec<(DueSync, SchoolId)> = Vec::new();
    for school in schedule::schools(pool).await? {
        match school {
            Ok(ScheduledSchool { id, schedule, served }) => {
                due.extend(schedule.due(&id, served, now).map(|sync| (sync, id)));
            }
            Err(error) => tracing::error!(%error, "this school is not synced by schedule"),
        }
    }
    if due.is_empty() {
        return Ok(0);
    }
    due.sort_by_key(|(sync, _)| sync.slot);
    let room = options.max_unfinished.saturating_sub(schedule::unfinished(pool).await?);
    let mut enqueued = 0;
    for (sync, id) in due {
        if enqueued == room {
            break;
        }
        enqueued += usize::from(enqueue(context, &id, sync).await?);
    }
    Ok(enqueued)
}

/// Requests one sync, and returns whether it is new. An unfinished delta does not replace a full
/// sync; the full sync is tried again until the delta is done.
async fn enqueue(context: &Context, id: &SchoolId, due: DueSync) -> Result<bool, Error> {
    let options = SyncOptions { mode: due.mode, ..SyncOptions::default() };
    let sync = SyncSchool { school_id: id.clone(), options };
    let new = NewJob::of(&sync, REQUESTED_BY_SCHEDULE);
    let enqueued = context.queue.enqueue(&new, None).await?;
    let will_do = enqueued.job().options.mode == SyncMode::Full || due.mode == SyncMode::Delta;
    if will_do {
        schedule::note_served(context.queue.pool(), id, due).await?;
    }
    Ok(matches!(enqueued, Enqueued::New(_)))
}
