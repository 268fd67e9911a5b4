use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Approval, JobId, Report, SchoolId, StaffId};

/// A name that is not on its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no {what}")]
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
    /// What a job does.
    // These strings are for ever: rows of old releases carry them.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    JobKind, "kind of job", {
        /// Brings a whole school up to date.
        SyncSchool = "sync-school",
        /// Brings one person up to date while they log in.
        RefreshUser = "refresh-user",
        /// A newer release put it there. This release shows such a job and leaves it alone.
        Unknown = "unknown",
    }
);

named!(
    /// A share of the workers' slots, so that one sort of work cannot starve another.
    Lane, "lane", {
        /// Whole schools.
        Bulk = "bulk",
        /// People who wait at the login.
        Interactive = "interactive",
    }
);

named!(
    /// Where a job stands.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    JobState, "job state", {
        /// Waits for a worker.
        Queued = "queued",
        /// A worker holds its lease.
        Running = "running",
        /// Failed for now; runs again at `next_attempt_at`.
        Retrying = "retrying",
        /// Waits for a person to approve an implausible change.
        Held = "held",
        /// Done.
        Succeeded = "succeeded",
        /// Given up.
        Failed = "failed",
        /// Called off by a person.
        Cancelled = "cancelled",
    }
);

named!(
    /// What a running job is busy with.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    Stage, "stage", {
        /// Reads pages from Wonde; mapped records are staged as they come.
        Fetching = "fetching",
        /// Turns what came into iP's terms.
        Mapping = "mapping",
        /// Compares the staged school with what iP holds.
        Comparing = "comparing",
        /// Writes the difference in one transaction.
        Applying = "applying",
    }
);

impl JobKind {
    /// Those that this release can run.
    pub const KNOWN: &[Self] = &[Self::SyncSchool, Self::RefreshUser];

    /// The kind of a job in the ledger, which a newer release may have put there.
    pub fn in_ledger(name: &str) -> Self {
        name.parse().unwrap_or(Self::Unknown)
    }

    /// The slots it runs in.
    pub fn lane(self) -> Lane {
        match self {
            Self::SyncSchool | Self::Unknown => Lane::Bulk,
            Self::RefreshUser => Lane::Interactive,
        }
    }

    /// How often it is tried before it is given up.
    pub fn max_attempts(self) -> u16 {
        match self {
            Self::SyncSchool | Self::Unknown => 5,
            Self::RefreshUser => 2,
        }
    }
}

impl JobState {
    /// Whether the job will not change by itself or by a worker any more.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// How far a running job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is busy with.
    pub stage: Stage,
    /// Records done in this stage.
    pub done: u64,
    /// Records to do, once known.
    pub total: Option<u64>,
}

impl Progress {
    /// Share done of the whole job, 0 to 100. Fetching is nine tenths of the way, because
    /// that is where the time goes; without a known total it stands at the stage's start.
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
        /// Everything: only this proves that something is gone.
        #[default]
        Full = "full",
        /// What changed since the last sync.
        Delta = "delta",
    }
);

/// What a caller may ask of a sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncOptions {
    /// Compare and report, but change nobody.
    pub dry_run: bool,
    /// Import photos, whatever the school's settings say.
    pub photos: bool,
    /// Read everything, or only what changed.
    pub mode: SyncMode,
}

/// Why an attempt ended without success, in words that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// Stable code for programs, for example `wonde_unauthorized`.
    #[serde(rename = "type")]
    pub code: String,
    /// One line for people.
    pub title: String,
    /// What exactly happened; never personal data.
    pub detail: String,
}

/// A job as the ledger has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The school it is for.
    pub school_id: SchoolId,
    /// The person it is for, when it is for one.
    pub staff_id: Option<StaffId>,
    /// What the caller asked for.
    pub options: SyncOptions,
    /// Name of the API key or command that asked.
    pub requested_by: String,
    /// The job that this one repeats, when somebody asked to try again.
    pub retry_of: Option<JobId>,
    /// The job whose changes this one took back.
    pub undo_of: Option<JobId>,
    /// Where it stands.
    pub state: JobState,
    /// Attempts spent, a running one included.
    pub attempt: u16,
    /// After so many it fails.
    pub max_attempts: u16,
    /// Attempts that ended without a word from their worker. They are not among those that
    /// `max_attempts` bounds; as many of them end the job too.
    pub crashes: u16,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When an attempt first started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended for good.
    pub finished_at: Option<DateTime<Utc>>,
    /// When a retrying job is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// How far it is, once it started.
    pub progress: Option<Progress>,
    /// What it did.
    pub report: Option<Report>,
    /// What a person approved of it when it was held.
    pub approval: Option<Approval>,
    /// Why the last attempt ended without success.
    pub error: Option<JobFailure>,
}

/// The right to work on a job: won by a claim, lost when another claim follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job_id: JobId,
    /// Number of the claim; every write of the run carries it.
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
        assert_eq!("done".parse::<JobState>().unwrap_err().to_string(), "`done` is no job state");
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
