use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use mis_sync_domain::{Clock, Lane, SchoolId};

/// Parses a time in the future.
pub(super) fn time_to_come(text: &str) -> Result<DateTime<Utc>, String> {
    let time: DateTime<Utc> = text.parse().map_err(|error| format!("{error}"))?;
    if time > Clock::system().now() { Ok(time) } else { Err("this time is over".to_owned()) }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Queues {
    #[command(subcommand)]
    pub(crate) action: Option<QueuesAction>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueuesAction {
    /// Stop workers from taking jobs of a lane or a school. Running jobs finish, presses are
    /// accepted and wait, and deadlines stand still.
    Pause {
        #[command(flatten)]
        target: Target,
        /// The reason, which is stored with the pause.
        #[arg(long)]
        reason: Option<String>,
        /// When the pause ends by itself, for example 2026-09-01T18:00:00Z; by default `resume` ends
        /// it.
        #[arg(long, value_name = "TIME", value_parser = time_to_come)]
        until: Option<DateTime<Utc>>,
    },
    /// End a pause; waiting jobs start immediately.
    Resume {
        #[command(flatten)]
        target: Target,
        /// The reason, which is stored with the action.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// All jobs of this lane.
    #[arg(long, value_name = "bulk|interactive")]
    pub(crate) lane: Option<Lane>,
    /// All jobs of this school.
    #[arg(long, value_name = "ID")]
    pub(crate) school: Option<SchoolId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Workers {
    /// List the workers of the last day.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a worker finish its current jobs and take no new ones until it is undrained.
    Drain(WorkerAction),
    /// Let a worker take jobs again.
    Undrain(WorkerAction),
}

#[derive(Debug, Args)]
pub(crate) struct WorkerAction {
    /// Name of the worker, as `workers list` shows it.
    pub(crate) name: String,
    /// The reason, which is stored with the action.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Print the worker as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
