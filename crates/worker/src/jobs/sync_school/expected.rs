use futures::FutureExt;
use mis_sync_domain::School;
use mis_sync_store::{Pool, jobs};
use mis_sync_wonde::{Error as WondeError, SchoolClient};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::SyncError;

/// The expected number of records, only for the progress bar, because Wonde's lists come without a
/// total. The last sync knows it. Before the first one Wonde is asked for its count, beside the
/// fetch and without waiting for the answer.
pub(super) enum Expected {
    Known(Option<u64>),
    Asked(AbortOnDropHandle<Result<Option<u64>, WondeError>>),
}

impl Expected {
    pub(super) async fn learn(
        pool: &Pool,
        school: &School,
        client: &SchoolClient,
    ) -> Result<Self, SyncError> {
        if let Some(records) = jobs::records_of_last_sync(pool, &school.id).await? {
            return Ok(Self::Known(Some(records)));
        }
        let client = client.clone();
        let asked = async move { client.employee_count().await };
        Ok(Self::Asked(AbortOnDropHandle::new(tokio::spawn(asked.in_current_span()))))
    }

    pub(super) fn records(&mut self) -> Option<u64> {
        if let Self::Asked(answer) = self {
            let answered = answer.now_or_never()?;
            *self = Self::Known(answered.ok().and_then(Result::ok).flatten());
        }
        match self {
            Self::Known(records) => *records,
            Self::Asked(_) => None,
        }
    }
}
