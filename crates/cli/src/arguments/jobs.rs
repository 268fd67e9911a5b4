use clap::{Args, Subcommand};
use mis_sync_domain::{GuardCategory, JobId, JobState, SchoolId};

#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List jobs, newest first.
    List {
        /// Only of this school.
        #[arg(long, value_name = "ID")]
        school: Option<SchoolId>,
        /// Only in this state.
        #[arg(long)]
        state: Option<JobState>,
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
