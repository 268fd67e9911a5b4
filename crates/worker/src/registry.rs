//! Reports every two seconds that this worker is alive, and learns whether it should take jobs, and
//! how many workers share the rate limits while Redis is away.

use std::time::Duration;

use mis_sync_queue::{Intake, Queue, WorkerOptions};
use mis_sync_store::workers::{self, Heartbeat};
use tokio_util::sync::CancellationToken;

use crate::pace::{every, in_time};

const EVERY: Duration = Duration::from_secs(2);

/// After this many reports every other worker has counted this one.
const HEARD: u32 = 2;

/// Only a dead connection takes this long.
const LONGEST: Duration = Duration::from_secs(10);

/// What this process reports.
pub(crate) fn heartbeat(options: &WorkerOptions) -> Heartbeat {
    let system = rustix::system::uname();
    Heartbeat {
        name: options.name.clone(),
        host: system.nodename().to_string_lossy().into_owned(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
        lanes: options.slots_by_lane(),
    }
}

/// Reports until `stop`. While the database is away, the worker takes jobs or not as it was last
/// told.
pub(crate) async fn run(queue: Queue, beat: Heartbeat, intake: Intake, stop: CancellationToken) {
    let mut tick = every(EVERY);
    let mut reports = 0;
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = in_time(LONGEST, report(&queue, &beat, &intake, reports)).await {
            tracing::warn!(%error, "this worker could not report itself");
        } else {
            reports += 1;
        }
    }
}

async fn report(
    queue: &Queue,
    beat: &Heartbeat,
    intake: &Intake,
    earlier: u32,
) -> Result<(), mis_sync_store::Error> {
    let drains = workers::beat(queue.pool(), beat, !intake.is_open()).await?;
    let place = workers::place(queue.pool(), &beat.name).await?;
    // It takes no share before the others have learnt that theirs are smaller.
    if earlier >= HEARD || place.present <= 1 {
        queue.redis().share_limits(place);
    }
    if drains != intake.is_open() {
        return Ok(());
    }
    intake.set_open(!drains);
    tracing::info!(drains, "told whether to take jobs");
    // So that the change is known at once.
    workers::beat(queue.pool(), beat, drains).await.map(drop)
}
