//! Sends the message that a sync has ended or is held.

use chrono::SecondsFormat;
use mis_sync_domain::{CallbackReceiver, JobFailure, Report, SendCallback};
use mis_sync_queue::{Claimed, Done, JobError};
use mis_sync_store::{SigningSecret, callbacks};
use serde_json::{Value, json};

use super::{Run, send_alert::WITHOUT_RECEIVER};
use crate::{Context, SyncError, receiver::Receiver};

impl Run for SendCallback {
    async fn run(self, context: &Context, claimed: &Claimed) -> Result<Done, JobError> {
        let receiver = match self.receiver {
            CallbackReceiver::Installation => of_installation(context)?,
            CallbackReceiver::School => of_school(context, &self).await?,
        };
        let body = body(&self);
        let failed = |detail: &str| failure("callback_not_taken", detail);
        receiver.deliver(context, claimed, (self.message_id, &body), failed).await
    }
}

fn of_installation(context: &Context) -> Result<Receiver, JobError> {
    context.callbacks.installation.clone().ok_or_else(|| {
        let wait = "No receiver is configured (`callbacks.url`).";
        JobError::Snooze(failure("callback_not_sent", wait), WITHOUT_RECEIVER)
    })
}

/// The receiver that the school has now.
async fn of_school(context: &Context, job: &SendCallback) -> Result<Receiver, JobError> {
    let fail = |code, detail: &str| JobError::Fail(failure(code, detail));
    let found = callbacks::of_school(context.queue.pool(), &context.cipher, &job.school_id).await;
    let Some((address, secret)) = found.map_err(SyncError::from)? else {
        return Err(fail("callback_not_wanted", "The school no longer has a receiver."));
    };
    let secret = SigningSecret::parse(&secret)
        .map_err(|_| fail("callback_refused", "The school's secret cannot sign."))?;
    let allowed = context.callbacks.of_school(&address, secret);
    allowed.map_err(|refused| fail("callback_refused", &format!("The address {refused}.")))
}

fn failure(code: &str, detail: &str) -> JobFailure {
    JobFailure {
        code: code.into(),
        title: "The message about the job was not delivered".into(),
        detail: detail.into(),
    }
}

/// The message, the same in every attempt. It contains no personal data: only ids, codes and counts.
fn body(job: &SendCallback) -> String {
    json!({
        "type": format!("job.{}", job.state),
        "timestamp": job.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": {
            "job_id": job.job_id,
            "school_id": job.school_id,
            "state": job.state,
            "mode": job.options.mode,
            "dry_run": job.options.dry_run,
            "report": job.report.as_ref().map(counts),
            "error_type": job.error_type,
            "retry_of": job.retry_of,
            "undo_of": job.undo_of,
            "link": format!("/v1/jobs/{}", job.job_id),
        },
    })
    .to_string()
}

fn counts(report: &Report) -> Value {
    let guard = report.guard.iter().map(|affected| {
        json!({ "category": affected.category, "records": affected.records, "of": affected.of })
    });
    json!({
        "fetched": report.fetched,
        "current": report.current,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "deactivated": report.deactivated,
        "restored": report.restored,
        "skipped": report.skipped,
        "issues": report.issues,
        "guard": guard.collect::<Vec<_>>(),
    })
}
