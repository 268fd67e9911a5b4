//! Tries refused tokens again, so that a school recovers automatically. The leader does this.

use std::{convert::Infallible, time::Duration};

use futures::{StreamExt, stream};
use mis_sync_domain::SchoolId;
use mis_sync_store::{Error as StoreError, schools};
use mis_sync_wonde::Error as WondeError;

use crate::{Context, SyncError, jobs::connection, pace::every};

/// How often to look for schools, unless they are to be tried more often.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How many schools are tried in one go.
const AT_ONCE: i64 = 200;
/// How many schools are tried in parallel, because a refused token takes a moment.
const SIDE_BY_SIDE: usize = 8;

pub(crate) async fn run(context: &Context, after: Duration) -> Infallible {
    let mut tick = every(LOOK_EVERY.min(after));
    loop {
        tick.tick().await;
        if let Err(error) = probe_due(context, after).await {
            tracing::warn!(%error, "refused tokens could not be tried again");
        }
    }
}

async fn probe_due(context: &Context, after: Duration) -> Result<(), StoreError> {
    let pool = context.queue.pool();
    let due = schools::take_for_probe(pool, after, AT_ONCE).await?;
    stream::iter(due).for_each_concurrent(SIDE_BY_SIDE, |id| probe(context, id)).await;
    Ok(())
}

async fn probe(context: &Context, id: SchoolId) {
    let asked = async {
        let (school, client) = connection::open(context, &context.wonde, &id).await?;
        connection::probe(context, &school, &client).await
    };
    match asked.await {
        Ok(()) => tracing::info!(school.id = %id, "Wonde accepts the school's token again"),
        Err(SyncError::Wonde(WondeError::Unauthorized)) => {
            tracing::debug!(school.id = %id, "Wonde still refuses the school's token");
        }
        Err(error) => tracing::warn!(school.id = %id, %error, "a refused token was not tried"),
    }
}
