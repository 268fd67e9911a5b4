//! Sends the message that an alert was raised or has ended.

use std::time::Duration;

use mis_sync_domain::{JobFailure, SendAlert};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::alerts;

use super::Run;
use crate::{Context, SyncError};

/// How often to check whether an earlier message has been sent.
const AFTER_ANOTHER: Duration = Duration::from_secs(2);
/// How often to check whether a receiver is configured.
pub(super) const WITHOUT_RECEIVER: Duration = Duration::from_mins(1);

impl Run for SendAlert {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        let pool = context.queue.pool();
        if alerts::waits_for_another(pool, &self).await.map_err(SyncError::from)? {
            let wait = "The message that raised the alert has not been delivered yet.";
            return Err(JobError::Snooze(failure("alert_in_line", wait), AFTER_ANOTHER));
        }
        let Some(receiver) = &context.alert_receiver else {
            let wait = "No receiver is configured (`alerts.url`).";
            return Err(JobError::Snooze(failure("alert_not_sent", wait), WITHOUT_RECEIVER));
        };
        let message = (self.message_id, self.body.as_str());
        let failed = |detail: &str| failure("alert_not_taken", detail);
        receiver.deliver(context, claimed, message, failed).await
    }
}

fn failure(code: &str, detail: &str) -> JobFailure {
    JobFailure {
        code: code.into(),
        title: "The alert's message was not delivered".into(),
        detail: detail.into(),
    }
}
