//! The jobs that other crates than the worker enqueue, each with its policy.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{BackgroundJob, Job, JobKind, Lane, SyncOptions, background::plain};
use crate::{AlertId, BulkId, SchoolId, StaffId, WebhookEventId};

/// Brings a whole school up to date.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncSchool {
    pub school_id: SchoolId,
    /// The options that the caller gave.
    pub options: SyncOptions,
}

impl BackgroundJob for SyncSchool {
    const KIND: JobKind = JobKind::SyncSchool;
    const LANE: Lane = Lane::Bulk;
    const MAX_ATTEMPTS: u16 = 5;
    const DEADLINE: Duration = Duration::from_hours(6);

    /// A school has one sync at a time that changes people, whatever its mode is. A dry run does not
    /// stand in its way.
    fn unique_key(&self) -> String {
        let suffix = if self.options.dry_run { ":dry-run" } else { "" };
        format!("sync-school:{}{suffix}", self.school_id)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
    }

    fn options(&self) -> Value {
        plain(self.options)
    }

    fn of_row(job: &Job, _: &Value) -> Option<Self> {
        Some(Self { school_id: job.school_id.clone()?, options: job.options })
    }
}

/// Brings one person up to date while they log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefreshUser {
    pub school_id: SchoolId,
    pub staff_id: StaffId,
}

impl BackgroundJob for RefreshUser {
    const KIND: JobKind = JobKind::RefreshUser;
    const LANE: Lane = Lane::Interactive;
    const MAX_ATTEMPTS: u16 = 2;
    /// The refresh is for this login and not for the next one.
    const DEADLINE: Duration = Duration::from_secs(30);

    fn unique_key(&self) -> String {
        format!("refresh-user:{}", self.staff_id)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
    }

    fn staff_id(&self) -> Option<StaffId> {
        Some(self.staff_id)
    }

    fn options(&self) -> Value {
        plain(SyncOptions::default())
    }

    fn of_row(job: &Job, _: &Value) -> Option<Self> {
        Some(Self { school_id: job.school_id.clone()?, staff_id: job.staff_id? })
    }
}

/// The deadline ends these jobs, not the number of attempts: the other side may be away for hours.
const UNTIL_THE_DEADLINE: u16 = 10_000;

const A_MONTH: Duration = Duration::from_hours(30 * 24);

/// Handles a webhook from Wonde.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HandleWebhook {
    pub event_id: WebhookEventId,
}

impl BackgroundJob for HandleWebhook {
    const KIND: JobKind = JobKind::HandleWebhook;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = UNTIL_THE_DEADLINE;
    /// Each event is handled even after a long outage of ours.
    const DEADLINE: Duration = A_MONTH;

    fn unique_key(&self) -> String {
        format!("handle-webhook:{}", self.event_id)
    }
}

/// Sends the message that an alert was raised or has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendAlert {
    pub alert_id: AlertId,
    pub school_id: SchoolId,
    /// Whether the message says that the alert has ended.
    pub is_over: bool,
    /// The message's id, the same in every attempt, so that the receiver can recognise a repeat.
    pub message_id: Uuid,
    /// The JSON that is signed and sent, the same in every attempt.
    pub body: String,
}

impl BackgroundJob for SendAlert {
    const KIND: JobKind = JobKind::SendAlert;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = UNTIL_THE_DEADLINE;
    /// After that the message is no longer news.
    const DEADLINE: Duration = Duration::from_hours(24);

    fn unique_key(&self) -> String {
        let what = if self.is_over { "over" } else { "raised" };
        format!("send-alert:{}:{what}", self.alert_id)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
    }
}

/// Cancels or retries the jobs of a bulk action, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActOnJobs {
    pub bulk_id: BulkId,
}

impl BackgroundJob for ActOnJobs {
    const KIND: JobKind = JobKind::ActOnJobs;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = UNTIL_THE_DEADLINE;
    const DEADLINE: Duration = A_MONTH;

    fn unique_key(&self) -> String {
        format!("act-on-jobs:{}", self.bulk_id)
    }
}
