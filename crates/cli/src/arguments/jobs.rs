use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mis_sync_domain::{GuardCategory, JobId, JobKind, JobState, SchoolId, StaffId};
use mis_sync_store::jobs::JobFilter;

#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List jobs, newest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// How many.
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
    /// List what a job changed or, as a dry run, would change, field by field.
    Changes {
        /// The job's id.
        id: JobId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List what a job could not take as it is, and why.
    Issues {
        /// The job's id.
        id: JobId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Call a job off, in whatever unfinished state it is.
    Cancel(Action),
    /// Do a failed or cancelled job again, or one that waits for its next attempt at once.
    Retry(Action),
    /// Let a held job make the changes that it shows, or some of them.
    Approve {
        #[command(flatten)]
        action: Action,
        /// Only these categories of those that the job is held for, like `deactivated`; of the
        /// others iP keeps what it has.
        #[arg(long, value_delimiter = ',', value_name = "CATEGORY,…")]
        only: Option<Vec<GuardCategory>>,
    },
    /// Let a held job change nobody.
    Reject(Action),
    /// Take back what a job changed.
    Undo(Action),
}

#[derive(Debug, Args)]
pub(crate) struct Action {
    /// The job's id.
    pub(crate) id: JobId,
    /// Why; kept with the action.
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
    /// Only of this kind.
    #[arg(long)]
    kind: Option<JobKind>,
    /// Only in these states.
    #[arg(long, value_delimiter = ',', value_name = "STATE,…")]
    state: Vec<JobState>,
    /// Only those whose last error is of this type, for example `wonde_unauthorized`.
    #[arg(long, value_name = "TYPE")]
    error: Option<String>,
    /// Only those asked for at this time or later, for example 2026-09-01T06:30:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
    /// Only those asked for before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
}

impl From<Filter> for JobFilter {
    fn from(filter: Filter) -> Self {
        Self {
            schools: filter.school,
            staff_id: filter.staff,
            kind: filter.kind,
            states: filter.state,
            error_code: filter.error,
            since: filter.since,
            until: filter.until,
            ..Self::default()
        }
    }
}
