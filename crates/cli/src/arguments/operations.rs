use clap::Subcommand;
use mis_sync_domain::{AuditAction, JobId, SchoolId};
use mis_sync_store::audit::AuditHash;

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// List events, newest first.
    List {
        /// How many to list.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// List open alerts, newest first.
    List {
        /// Include alerts that have ended.
        #[arg(long)]
        all: bool,
        /// How many to list.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// List what people did, newest first.
    List {
        /// Only actions on this school.
        #[arg(long, value_name = "ID")]
        school: Option<SchoolId>,
        /// Only actions on this job.
        #[arg(long, value_name = "ID")]
        job: Option<JobId>,
        /// Only this action, like `approve`.
        #[arg(long)]
        action: Option<AuditAction>,
        /// How many to list.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check that no line was changed or removed, and print the newest line's hash. Store the hash
    /// elsewhere: nothing else shows that the newest lines were removed.
    Verify {
        /// A stored hash, whose line must still be there.
        #[arg(long, value_name = "HASH")]
        head: Option<AuditHash>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
