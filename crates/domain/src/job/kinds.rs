//! The jobs that other crates than the worker enqueue, each with its policy.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{BackgroundJob, Job, JobKind, JobState, Lane, SyncOptions, background::plain, named};
use crate::{AlertId, BulkId, ConnectionDraftId, JobId, Report, SchoolId, StaffId, WebhookEventId};

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

/// Asks Wonde whether it accepts a school's token, and what the school grants.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckSchool {
    pub school_id: SchoolId,
    /// Which state of the connection is checked ([`crate::School::version`]).
    pub version: i64,
}

impl BackgroundJob for CheckSchool {
    const KIND: JobKind = JobKind::CheckSchool;
    /// A person waits for it.
    const LANE: Lane = Lane::Interactive;
    const MAX_ATTEMPTS: u16 = 3;
    const DEADLINE: Duration = Duration::from_mins(2);

    fn unique_key(&self) -> String {
        format!("check-school:{}:{}", self.school_id, self.version)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
    }
}

/// Looks a person up in the school's list of staff. What is asked and answered is in the table
/// `person_search`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FindPerson {
    pub school_id: SchoolId,
    pub search_id: Uuid,
}

impl BackgroundJob for FindPerson {
    const KIND: JobKind = JobKind::FindPerson;
    /// A person waits for it.
    const LANE: Lane = Lane::Interactive;
    const MAX_ATTEMPTS: u16 = 1;
    const DEADLINE: Duration = Duration::from_secs(30);

    fn unique_key(&self) -> String {
        format!("find-person:{}", self.search_id)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
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

impl SendAlert {
    /// The unique key of the message that an alert was raised, or is over.
    pub fn key(alert_id: AlertId, is_over: bool) -> String {
        let what = if is_over { "over" } else { "raised" };
        format!("send-alert:{alert_id}:{what}")
    }
}

impl BackgroundJob for SendAlert {
    const KIND: JobKind = JobKind::SendAlert;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = UNTIL_THE_DEADLINE;
    /// After that the message is no longer news.
    const DEADLINE: Duration = Duration::from_hours(24);

    fn unique_key(&self) -> String {
        Self::key(self.alert_id, self.is_over)
    }

    fn school_id(&self) -> Option<&SchoolId> {
        Some(&self.school_id)
    }
}

named!(
    /// Whose receiver a message about a job is for.
    CallbackReceiver, "receiver of callbacks", {
        /// That of the configuration.
        Installation = "installation",
        /// The school's own.
        School = "school",
    }
);

/// Sends the message that a sync has ended or is held. A trigger of the database adds it, in the
/// transaction that ends the sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendCallback {
    pub receiver: CallbackReceiver,
    /// The message's id, the same in every attempt, so that the receiver can recognise a repeat.
    pub message_id: Uuid,
    /// The sync, and its school.
    pub job_id: JobId,
    pub school_id: SchoolId,
    /// The state in which it has ended or is held, and since when.
    pub state: JobState,
    pub at: DateTime<Utc>,
    pub options: SyncOptions,
    /// What it did, if it came so far.
    pub report: Option<Report>,
    /// The code of its error.
    pub error_type: Option<String>,
    pub retry_of: Option<JobId>,
    pub undo_of: Option<JobId>,
}

impl BackgroundJob for SendCallback {
    const KIND: JobKind = JobKind::SendCallback;
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = UNTIL_THE_DEADLINE;
    /// After that the message is no longer news.
    const DEADLINE: Duration = Duration::from_hours(24);

    fn unique_key(&self) -> String {
        format!("send-callback:{}", self.message_id)
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

/// Asks Wonde which schools a token can see, for a person who connects one. The token is in the draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListApprovedSchools {
    pub draft_id: ConnectionDraftId,
}

impl BackgroundJob for ListApprovedSchools {
    const KIND: JobKind = JobKind::ListApprovedSchools;
    /// There is no school yet to which it could belong.
    const LANE: Lane = Lane::Internal;
    const MAX_ATTEMPTS: u16 = 2;
    const DEADLINE: Duration = Duration::from_mins(1);

    fn unique_key(&self) -> String {
        format!("list-approved-schools:{}", self.draft_id)
    }
}
