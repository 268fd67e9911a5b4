//! Acts on many jobs, one by one, with the same code as a single action. Each result is counted in
//! the same transaction, so another attempt continues where this one stopped.

use mis_sync_control::{self as control, Act, Refused};
use mis_sync_domain::{ActOnJobs, JobId};
use mis_sync_queue::{Claimed, Done, Error, JobError};
use mis_sync_store::{
    Error as StoreError,
    bulk::{self, Bulk, BulkAction, Outcome},
};

use super::Run;
use crate::{Context, SyncError};

/// Jobs looked up at a time.
const BATCH: i64 = 100;

impl Run for ActOnJobs {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        act_on_all(context, claimed, &self).await?;
        Ok(Done::Succeeded)
    }
}

async fn act_on_all(
    context: &Context,
    claimed: &Claimed,
    job: &ActOnJobs,
) -> Result<(), SyncError> {
    let pool = context.queue.pool();
    let gone =
        || StoreError::Inconsistent { table: "bulk", column: "id", id: job.bulk_id.to_string() };
    let bulk = bulk::get(pool, job.bulk_id).await?.ok_or_else(gone)?;
    loop {
        let batch = bulk::next(pool, bulk.id, BATCH).await?;
        if batch.is_empty() {
            tracing::info!(bulk.id = %bulk.id, action = %bulk.action, "done on all jobs");
            return Ok(bulk::finish(pool, bulk.id, claimed.lease).await?);
        }
        for job_id in batch {
            let outcome = match act(context, &bulk, job_id).await {
                Ok(outcome) => outcome,
                Err(Error::Store(error)) if error.is_transient() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(%error, bulk.id = %bulk.id, job.id = %job_id, "it failed");
                    Outcome::Failed
                }
            };
            // What was done was counted in the transaction that did it.
            if outcome != Outcome::Done {
                bulk::settle(pool, bulk.id, job_id, outcome).await?;
            }
        }
    }
}

async fn act(context: &Context, bulk: &Bulk, id: JobId) -> Result<Outcome, Error> {
    let act = match bulk.action {
        BulkAction::Cancel => Act::Cancel,
        BulkAction::Retry => Act::Retry,
    };
    match Box::pin(control::act(&context.queue, id, act, &bulk.actor)).await {
        Ok(_) => Ok(Outcome::Done),
        Err(Refused::Failed(error)) => Err(error),
        Err(_) => Ok(Outcome::Refused),
    }
}
