//! Does what was asked for many jobs, one by one, by the same code as a single action. The leader's
//! work; another leader goes on where this one stopped.

use std::{convert::Infallible, time::Duration};

use mis_sync_domain::JobId;
use mis_sync_queue::{
    Error,
    control::{self, Act, Refused},
};
use mis_sync_store::bulk::{self, Bulk, BulkAction, Outcome};

use crate::{
    Context,
    leader::{every, in_time},
};

/// Nothing takes so long but a connection that died without a word.
const LONGEST: Duration = Duration::from_mins(5);

const EVERY: Duration = Duration::from_secs(1);
/// Jobs looked up at a time.
const BATCH: i64 = 100;

pub(crate) async fn run(context: &Context) -> Infallible {
    let mut tick = every(EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = in_time(LONGEST, work(context)).await {
            tracing::warn!(%error, "actions on many jobs wait");
        }
    }
}

/// Does every bulk that is not done to its end.
async fn work(context: &Context) -> Result<(), Error> {
    let pool = context.queue.pool();
    for id in bulk::unfinished(pool).await? {
        match bulk::get(pool, id).await {
            Ok(Some(bulk)) => finish(context, &bulk).await?,
            Ok(None) => {}
            Err(error @ mis_sync_store::Error::Inconsistent { .. }) => {
                tracing::error!(%error, bulk.id = %id, "this action is left alone");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn finish(context: &Context, bulk: &Bulk) -> Result<(), Error> {
    let pool = context.queue.pool();
    // The one job that a leader before may have done and not counted is the oldest that is left.
    for job_id in bulk::next(pool, bulk.id, 1).await? {
        if bulk::was_done(pool, bulk, job_id).await? {
            bulk::settle(pool, bulk.id, job_id, Outcome::Done).await?;
        }
    }
    loop {
        let batch = bulk::next(pool, bulk.id, BATCH).await?;
        if batch.is_empty() {
            tracing::info!(bulk.id = %bulk.id, action = %bulk.action, "done on all jobs");
            return Ok(());
        }
        for job_id in batch {
            let outcome = match act(context, bulk, job_id).await {
                Ok(true) => Outcome::Done,
                Ok(false) => Outcome::Refused,
                Err(Error::Store(error)) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%error, bulk.id = %bulk.id, job.id = %job_id, "it failed");
                    Outcome::Failed
                }
            };
            bulk::settle(pool, bulk.id, job_id, outcome).await?;
        }
    }
}

/// Whether the rules allowed it.
async fn act(context: &Context, bulk: &Bulk, id: JobId) -> Result<bool, Error> {
    let act = match bulk.action {
        BulkAction::Cancel => Act::Cancel,
        BulkAction::Retry => Act::Retry,
    };
    match Box::pin(control::act(&context.queue, id, act, &bulk.actor)).await {
        Ok(_) => Ok(true),
        Err(Refused::Failed(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
