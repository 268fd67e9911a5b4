mod background;
mod kinds;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use background::BackgroundJob;
pub use kinds::{
    ActOnJobs, CallbackReceiver, CheckSchool, FindPerson, HandleWebhook, ListApprovedSchools,
    RefreshUser, SendAlert, SendCallback, SyncSchool,
};

use crate::{Approval, JobId, Report, Requester, SchoolId, StaffId};

/// The name is not on its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a valid {what}")]
pub struct UnknownName {
    what: &'static str,
    found: String,
}

impl UnknownName {
    /// `found` names no such thing.
    pub fn new(what: &'static str, found: &str) -> Self {
        Self { what, found: found.to_owned() }
    }
}

/// An enum whose variants have one stable name each, in JSON, in the database and in URLs.
///
/// Every closed set of the contract is made by it. Those that the HTTP API shows also derive
/// `utoipa::ToSchema`, so that the document lists the names that are sent. The crate that calls it
/// needs `serde` with `derive`.
#[macro_export]
macro_rules! named {
    ($(#[$meta:meta])* pub(crate) $type:ident, $($rest:tt)*) => {
        $crate::named!(@declare pub(crate), [$(#[$meta])*] $type, $($rest)*);
    };
    ($(#[$meta:meta])* $type:ident, $($rest:tt)*) => {
        $crate::named!(@declare pub, [$(#[$meta])*] $type, $($rest)*);
    };
    (@declare $vis:vis, [$(#[$meta:meta])*] $type:ident, $what:literal, {
        $($(#[$vmeta:meta])* $variant:ident = $name:tt,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $type { $($(#[$vmeta])* #[serde(rename = $name)] $variant,)+ }

        impl $type {
            /// Every one of them.
            $vis const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its stable name.
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownName::new($what, text)),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use named;

named!(
    /// What a job does. These strings never change, because rows of old releases contain them.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    JobKind, "kind of job", {
        /// Brings a whole school up to date.
        SyncSchool = "sync-school",
        /// Brings one person up to date while they log in.
        RefreshUser = "refresh-user",
        /// Asks Wonde what a school grants.
        CheckSchool = "check-school",
        /// Looks a person up in the school's list of staff.
        FindPerson = "find-person",
        /// Handles a webhook from Wonde.
        HandleWebhook = "handle-webhook",
        /// Sends a message about an alert.
        SendAlert = "send-alert",
        /// Sends a message about a sync that has ended or is held.
        SendCallback = "send-callback",
        /// Cancels or retries many jobs, one after the other.
        ActOnJobs = "act-on-jobs",
        /// Asks Wonde which schools a token can see, for a person who connects one.
        ListApprovedSchools = "list-approved-schools",
        /// A kind that only a newer release knows. This release shows such a job and leaves it
        /// alone.
        Unknown = "unknown",
    }
);

named!(
    /// A share of the workers' slots, so that one kind of work cannot starve another.
    Lane, "lane", {
        /// Syncs of whole schools.
        Bulk = "bulk",
        /// People who wait at the login.
        Interactive = "interactive",
        /// The service's own work. It is never paused.
        Internal = "internal",
    }
);

named!(
    /// The state of a job.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    JobState, "job state", {
        /// Waits for a worker.
        Queued = "queued",
        /// A worker holds its lease.
        Running = "running",
        /// The last attempt failed; the next one runs at `next_attempt_at`.
        Retrying = "retrying",
        /// Waits until a person approves an unusually large change.
        Held = "held",
        /// Finished, with its changes applied.
        Succeeded = "succeeded",
        /// Failed for good.
        Failed = "failed",
        /// Cancelled by a person.
        Cancelled = "cancelled",
    }
);

named!(
    /// What a running job is doing. Records are mapped as their pages arrive, so a job of this release
    /// goes from `fetching` to `comparing`.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Stage, "stage", {
        /// Reads pages from Wonde and stages the mapped records.
        Fetching = "fetching",
        /// Converts Wonde's records to iP's terms.
        Mapping = "mapping",
        /// Compares the staged school with iP's record.
        Comparing = "comparing",
        /// Writes the difference in one transaction.
        Applying = "applying",
    }
);

impl JobKind {
    /// The kinds that this release can run.
    pub const KNOWN: &[Self] = match Self::ALL {
        [known @ .., Self::Unknown] => known,
        _ => panic!("`Unknown` is the last"),
    };

    /// The kinds that people request. Lists and figures show these; the others are shown only if
    /// they are named.
    pub const SHOWN: &[Self] = &[Self::SyncSchool, Self::RefreshUser];

    /// The kind of a job in the ledger, which may come from a newer release.
    pub fn in_ledger(name: &str) -> Self {
        name.parse().unwrap_or(Self::Unknown)
    }
}

impl Lane {
    /// The lanes whose jobs people request. They can be paused.
    pub const SHOWN: &[Self] = &[Self::Bulk, Self::Interactive];
}

impl JobState {
    /// Whether nothing but a person can change the job any more.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// The progress of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// Records done in this stage.
    pub done: u64,
    /// Records to do in this stage, once known.
    pub total: Option<u64>,
}

impl Progress {
    /// Percentage of the whole job. Fetching counts as nine tenths, because it takes nearly all of
    /// the time. Without a known total the value stays at the start of the stage.
    pub fn percent(&self) -> u8 {
        let (start, share) = match self.stage {
            Stage::Fetching => (0, 90),
            Stage::Mapping => (90, 2),
            Stage::Comparing => (92, 4),
            Stage::Applying => (96, 4),
        };
        let part = match self.total {
            Some(total) if total > 0 => share * self.done.min(total) / total,
            _ => 0,
        };
        u8::try_from(start + part).expect("the shares add up to 100")
    }
}

named!(
    /// How much of a school a sync reads.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    SyncMode, "mode of a sync", {
        /// Reads everything. Only a full sync proves that something is gone.
        #[default]
        /// Reads everything. Only a full sync proves that something is gone.
        Full = "full",
        /// Reads what changed since the last sync.
        Delta = "delta",
    }
);

/// Options of a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncOptions {
    /// Compare and report, but change nothing.
    pub dry_run: bool,
    /// Import photos even if the school's settings do not.
    pub photos: bool,
    /// Whether to read everything or only what changed.
    pub mode: SyncMode,
}

/// Why an attempt failed, in words that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// Stable code for programs, for example `wonde_unauthorized`.
    #[serde(rename = "type")]
    pub code: String,
    /// One line for people.
    pub title: String,
    /// What exactly happened. It never contains personal data.
    pub detail: String,
}

/// A job as it is in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    /// The lane it runs in.
    pub lane: Lane,
    /// The school; `None` only in the internal lane.
    pub school_id: Option<SchoolId>,
    /// The person, if the job is about one.
    pub staff_id: Option<StaffId>,
    /// The options that the caller gave.
    pub options: SyncOptions,
    /// Who requested the job.
    pub requested_by: Requester,
    /// The job that this one repeats, if it is a retry.
    pub retry_of: Option<JobId>,
    /// The job whose changes this one reversed.
    pub undo_of: Option<JobId>,
    pub state: JobState,
    /// Attempts spent, including a running one.
    pub attempt: u16,
    /// The number of attempts after which the job fails.
    pub max_attempts: u16,
    /// Attempts whose worker vanished. They do not count towards `max_attempts`, but as many
    /// crashes end the job too.
    pub crashes: u16,
    /// When the job was requested.
    pub created_at: DateTime<Utc>,
    /// When its first attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it finished.
    pub finished_at: Option<DateTime<Utc>>,
    /// When its last attempt ended, while it waits for the next one.
    pub idle_since: Option<DateTime<Utc>>,
    /// How long it has waited between attempts: for approval, for a pause, for the next attempt.
    pub idle: TimeDelta,
    /// When a retrying job is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The progress, once the job has started.
    pub progress: Option<Progress>,
    /// The result, once there is one.
    pub report: Option<Report>,
    /// What a person decided when the job was held.
    pub approval: Option<Approval>,
    /// Why the last attempt failed.
    pub error: Option<JobFailure>,
}

impl Job {
    /// How long it has run by now, without the time between its attempts. `None` if it has not
    /// started.
    pub fn ran(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let end = self.finished_at.or(self.idle_since).unwrap_or(now);
        Some((end - self.started_at? - self.idle).max(TimeDelta::zero()))
    }
}

/// The right to work on a job. A claim gives it, and a later claim takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub job_id: JobId,
    /// Number of the claim. Every write of the run carries it.
    pub fence: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse::<JobState>().as_ref(), Ok(state));
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{state}\""));
        }
        assert_eq!(
            "done".parse::<JobState>().unwrap_err().to_string(),
            "`done` is not a valid job state"
        );
    }

    #[test]
    fn percent_never_goes_back_and_ends_at_a_hundred() {
        let mut last = 0;
        for stage in Stage::ALL {
            for done in 0..=10 {
                let percent = Progress { stage: *stage, done, total: Some(10) }.percent();
                assert!(percent >= last, "{stage} {done}");
                last = percent;
            }
        }
        assert_eq!(last, 100);
        let beyond = Progress { stage: Stage::Fetching, done: 30, total: Some(20) };
        assert_eq!(beyond.percent(), 90);
        assert_eq!(Progress { stage: Stage::Fetching, done: 5, total: None }.percent(), 0);
    }
}
