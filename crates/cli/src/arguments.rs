mod control;
mod jobs;
mod operations;

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use mis_sync_domain::{ApiKeyId, Role, SchoolId, StaffId};
use url::Url;

pub(crate) use control::{Queues, QueuesAction, Target, WorkerAction, Workers};
pub(crate) use jobs::{Action, Jobs};
pub(crate) use operations::{Alerts, Audit, Webhooks};

/// Keeps a school's staff in iP equal to what its MIS says, read through Wonde.
#[derive(Debug, Parser)]
#[command(
    name = "mis-sync",
    version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("MIS_SYNC_COMMIT"), ")"),
    after_help = "Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration, 3 a \
                  dependency is away."
)]
pub(crate) struct Arguments {
    /// A TOML file on top of the built-in configuration; the environment wins over both.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the HTTP API.
    Serve(Serve),
    /// Run jobs.
    Worker,
    /// Bring the database to the schema of this release.
    Migrate,
    /// Create, list and revoke API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// List Wonde's webhooks and their results.
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// List schools that need attention.
    #[command(subcommand)]
    Alerts(Alerts),
    /// List what people did, and check that the log was not changed.
    #[command(subcommand)]
    Audit(Audit),
    /// Connect, list and change schools.
    #[command(subcommand)]
    Schools(Schools),
    /// Press *Sync Data* for a school.
    Sync(Sync),
    /// Bring one person up to date, as their login does.
    Refresh(Refresh),
    /// Say why one person is in iP, missing, or different.
    Explain(Explain),
    /// List jobs and their results, and act on them.
    #[command(subcommand)]
    Jobs(Jobs),
    /// Show what waits and runs in each lane, and what is paused; pause and resume.
    Queues(Queues),
    /// List workers and what each runs; drain and undrain them.
    #[command(subcommand)]
    Workers(Workers),
    /// Check configuration, database, Redis and Wonde, and say what to do.
    Doctor(Doctor),
    /// Ask a running process whether it is healthy; the exit code is 0 only if it says so.
    Health(Health),
    /// Print the OpenAPI document.
    Openapi,
    /// Print completions for a shell.
    Completions(Completions),
    /// Print the man page, or write those of all commands.
    Man(ManPages),
    /// See the whole thing work, on servers of its own (runs `mis-sync-lab`).
    #[command(disable_help_flag = true)]
    Demo(Laboratory),
    /// Run a Wonde simulator (runs `mis-sync-lab`).
    #[command(disable_help_flag = true)]
    Simulate(Laboratory),
    /// Measure (runs `mis-sync-lab`).
    #[command(disable_help_flag = true)]
    Bench(Laboratory),
}

/// Handed on to `mis-sync-lab` as they are.
#[derive(Debug, Args)]
pub(crate) struct Laboratory {
    /// What `mis-sync-lab` takes; `mis-sync-lab help` shows it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Print JSON: a list of `{check, status, detail, what_to_do}`; the status is ok, warn or fail.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "bash|zsh|fish|elvish|powershell")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManPages {
    /// The folder for the pages; without it the page of `mis-sync` is printed.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Run jobs in this process too.
    #[arg(long)]
    pub(crate) with_worker: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// What to ask; without it `/readyz` of the API at `api.listen`.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<Url>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Create a key and print it once; it cannot be shown again.
    Create {
        /// Who or what uses the key.
        #[arg(long)]
        name: String,
        /// app: sync, read, act on jobs, connect schools; viewer: read; operator: sync, read, act on
        /// jobs; admin: all.
        #[arg(long, value_name = "app|viewer|operator|admin")]
        role: Role,
        /// Only for this school.
        #[arg(long, value_name = "ID")]
        school: Option<SchoolId>,
        /// The key stops working after this many days. Otherwise it works until it is revoked.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
        expires_in_days: Option<u16>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List keys, without their secrets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key. It stops working immediately.
    Revoke {
        /// Id of the key, as `keys list` shows it.
        id: ApiKeyId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schools {
    /// List schools.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one school with its settings.
    Show {
        /// iP's own key of the school.
        id: SchoolId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask Wonde whether it accepts a school's token and what the school grants; needs a worker.
    Check {
        /// iP's own key of the school.
        id: SchoolId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Connect a school, or change its connection. The Wonde token is read from a file or from
    /// standard input.
    Connect(Connect),
    /// Destroy a school's token; its people stay.
    Disconnect {
        /// iP's own key of the school.
        id: SchoolId,
    },
    /// List possible matches: records that may belong to a person in iP.
    Matches {
        /// iP's own key of the school.
        id: SchoolId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Decide who such a record belongs to; the next full sync applies it.
    Match {
        /// iP's own key of the school.
        id: SchoolId,
        /// Wonde's id of the record.
        wonde_id: String,
        /// The person in iP; without it the record is someone new.
        #[arg(long, value_name = "ID")]
        staff_id: Option<StaffId>,
    },
    /// Encrypt all stored secrets with the first key of `encryption.key`, so that the older keys can be
    /// removed.
    Reseal,
    /// Show a school's settings, or change some: `schools settings ID teachers_only=true`.
    Settings {
        /// iP's own key of the school.
        id: SchoolId,
        /// What to change; all other settings stay.
        #[arg(value_name = "NAME=VALUE")]
        changes: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// iP's own key of the school.
    pub(crate) id: SchoolId,
    /// The name that people know.
    #[arg(long)]
    pub(crate) name: String,
    /// Wonde's id of the school.
    #[arg(long, value_name = "ID")]
    pub(crate) wonde_school_id: String,
    /// The MIS; without it the known one stays, and if none is known Wonde is asked.
    #[arg(long, value_name = "NAME")]
    pub(crate) mis: Option<String>,
    /// Forget the known MIS, so that the next sync asks Wonde.
    #[arg(long, conflicts_with = "mis")]
    pub(crate) forget_mis: bool,
    /// The school's own Wonde address; without it the configured one is used.
    #[arg(long, value_name = "URL")]
    pub(crate) wonde_base_url: Option<String>,
    /// File with the Wonde token; `-` or nothing means standard input. Without a token the present
    /// one stays.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Sync {
    /// iP's own key of the school.
    pub(crate) school: SchoolId,
    /// Compare and report, but change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Import photos even if the school's settings do not.
    #[arg(long)]
    pub(crate) photos: bool,
    /// Read only what changed since the last sync.
    #[arg(long)]
    pub(crate) delta: bool,
    /// Wait for the end and report the result; the exit code is 0 only if the sync succeeded.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Print the job as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Refresh {
    /// iP's own key of the school.
    pub(crate) school: SchoolId,
    /// iP's own key of the person.
    pub(crate) staff_id: StaffId,
    /// Print the job as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// iP's own key of the school.
    pub(crate) school: SchoolId,
    #[command(flatten)]
    pub(crate) person: Person,
    /// Make a dry run first, so that the answer is up to date.
    #[arg(long)]
    pub(crate) live: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Person {
    /// The person with this work email in the MIS, or this login in iP.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) email: Option<String>,
    /// The person with this Wonde id.
    #[arg(long, value_name = "ID", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) wonde_id: Option<String>,
    /// The person with this id in iP.
    #[arg(long, value_name = "ID")]
    pub(crate) staff_id: Option<StaffId>,
}
