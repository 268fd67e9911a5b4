use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mis_sync_domain::{GuardCategory, JobId, JobKind, JobState, PersonKey, SchoolId, StaffId};
use mis_sync_store::jobs::JobFilter;

use super::control::time_to_come;

#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List jobs, newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many to list.
        #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one job, with its report in words.
    Show {
        /// The job's id.
        id: JobId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List every change that a job made or, for a dry run, would make.
    Changes {
        /// The job's id.
        id: JobId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the records that a job did not import in full, and why.
    Issues {
        /// The job's id.
        id: JobId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Cancel a job in any unfinished state.
    Cancel(Action),
    /// Run a failed or cancelled job again, or start the next attempt of a waiting one now.
    Retry(Action),
    /// Let a held job apply the changes that it shows, or some of them.
    Approve {
        #[command(flatten)]
        action: Action,
        /// Only these of the categories that the job is held for, like `deactivated`; the others
        /// are left unchanged in iP.
        #[arg(long, value_delimiter = ',', value_name = "CATEGORY,…")]
        only: Option<Vec<GuardCategory>>,
        /// People who are left as they are in iP; `jobs changes` lists them. A new person is
        /// `wonde:` and their Wonde id.
        #[arg(long, value_delimiter = ',', value_name = "ID,…")]
        leave: Vec<PersonKey>,
    },
    /// Cancel a held job without applying anything.
    Reject(Action),
    /// Reverse every change of a job, or none if any cannot be reversed.
    Undo {
        #[command(flatten)]
        action: Action,
        /// Pause the school until then, so that no sync applies the same again before the MIS is
        /// corrected, for example 2026-09-01T18:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = time_to_come)]
        pause_until: Option<DateTime<Utc>>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Action {
    /// The job's id.
    pub(crate) id: JobId,
    /// The reason, which is stored with the action.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Print the job as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which jobs to list.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only of these schools.
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    school: Vec<SchoolId>,
    /// Only for this person.
    #[arg(long, value_name = "ID")]
    staff: Option<StaffId>,
    /// Only of these kinds.
    #[arg(long, value_delimiter = ',', value_name = "KIND,…")]
    kind: Vec<JobKind>,
    /// Only in these states.
    #[arg(long, value_delimiter = ',', value_name = "STATE,…")]
    state: Vec<JobState>,
    /// Only those whose last error has this type, for example `wonde_unauthorized`.
    #[arg(long, value_name = "TYPE")]
    error: Option<String>,
    /// Only those requested at this time or later, for example 2026-09-01T06:30:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Only those requested before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

impl From<Filter> for JobFilter {
    fn from(filter: Filter) -> Self {
        Self {
            schools: filter.school,
            staff_id: filter.staff,
            kinds: filter.kind,
            states: filter.state,
            error_code: filter.error,
            since: filter.since,
            until: filter.until,
            ..Self::default()
        }
    }
}
