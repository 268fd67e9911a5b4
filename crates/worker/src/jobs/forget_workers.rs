//! Deletes the rows of workers that are long gone.

use std::time::Duration;

use mis_sync_domain::{BackgroundJob, JobKind, Lane};
use mis_sync_queue::{Claimed, JobError};
use mis_sync_store::{jobs, workers};
use serde::{Deserialize, Serialize};

use super::Run;
use crate::{Context, SyncError};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ForgetWorkers {}

impl BackgroundJob for ForgetWorkers {
    const KIND: JobKind = JobKind::ForgetWorkers;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = 5;
    const DEADLINE: Duration = Duration::from_hours(1);

    fn unique_key(&self) -> String {
        "forget-workers".into()
    }
}

impl Run for ForgetWorkers {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<(), JobError> {
        let pool = context.queue.pool();
        workers::forget_old(pool).await.map_err(SyncError::from)?;
        Ok(jobs::finish(pool, claimed.lease).await.map_err(SyncError::from)?)
    }
}
