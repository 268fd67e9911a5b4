use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use mis_sync_domain::MisTable;
use mis_sync_wonde_sim::Mis;

/// The laboratory of mis-sync: shows, simulates and measures. It is no part of a deployment.
#[derive(Debug, Parser)]
#[command(
    name = "mis-sync-lab",
    version,
    after_help = "Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration, 3 a \
                  dependency is away."
)]
pub(crate) struct Arguments {
    /// A TOML file on top of the built-in configuration; only `simulate` takes one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See the whole thing work: private Postgres and Redis, a simulated Wonde with one school
    /// for each MIS, the API and a worker.
    Demo(Demo),
    /// Run a Wonde simulator.
    Simulate(Simulate),
    /// Measure, side by side in one run.
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Stop after the report; the exit code is 0 only if the sync succeeded.
    #[arg(long)]
    pub(crate) exit: bool,
    /// Which school's button to press: the name of its MIS, or its id.
    #[arg(long, default_value = "Capita SIMS", value_name = "MIS|ID")]
    pub(crate) school: String,
    /// Staff of each school.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) size: u32,
    /// Port of the API; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(crate) port: u16,
    /// The first school (Capita SIMS) has one of each odd record besides: see how each is told.
    #[arg(long)]
    pub(crate) odd: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Schools; the eleven MIS in turn.
    #[arg(long, default_value_t = 11, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) schools: u32,
    /// Staff of each school.
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) staff: u32,
    /// The same seed makes the same schools.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// How long every answer takes.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) latency_ms: u64,
    /// One MIS for every school, by its id, its name or a spelling of it, as in a configuration.
    #[arg(long, value_name = "NAME", value_parser = find_mis)]
    pub(crate) mis: Option<Mis>,
    /// The first school has one of each odd record besides.
    #[arg(long)]
    pub(crate) odd: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// A whole sync, beside a minimal program and a row-by-row one.
    Sync {
        /// Staff of the schools to measure.
        #[arg(long, default_values_t = [200, 2000], value_delimiter = ',', value_name = "N,…",
            value_parser = clap::value_parser!(u32).range(1..=100_000))]
        staff: Vec<u32>,
        /// Rounds; the median counts.
        #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// Reach Postgres and Redis by unix sockets; production has TCP.
        #[arg(long)]
        socket: bool,
        /// Print the figures as JSON.
        #[arg(long)]
        json: bool,
    },
    /// What an operators' page reads, with a million jobs in the ledger.
    Dashboard,
    /// Several processes and many schools: the processor time that each part takes for a sync and
    /// for a login, and what the end of a worker does. Linux only.
    Scale(Scale),
    /// Logins while every school is being synced, and while Wonde hangs.
    Login {
        /// How long each measurement takes.
        #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
        seconds: u32,
        /// Logins per second.
        #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        rate: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// Schools; the eleven MIS in turn.
    #[arg(long, default_value_t = 2000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) schools: u32,
    /// Staff of each school.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) staff: u32,
    /// Processes of `mis-sync worker`.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=16))]
    pub(crate) workers: u32,
    /// Processes of `mis-sync serve`.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) apis: u32,
    /// How long the logins are measured.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// Logins per second.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,
}

/// The simulator's MIS by any name that the service knows it by.
fn find_mis(given: &str) -> Result<Mis, String> {
    let table = MisTable::built_in();
    let found = table.find(given).and_then(|mis| mis.name.parse().ok());
    found.ok_or_else(|| {
        let known: Vec<&str> = table.iter().map(|mis| mis.id.as_str()).collect();
        format!("found `{given}`, wanted one of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mis_has_the_names_of_the_configuration() {
        let table = MisTable::built_in();
        for mis in table.iter() {
            for given in [&mis.id, &mis.name] {
                let found = find_mis(given).unwrap();
                assert_eq!(table.find(found.wire_name()).unwrap().id, mis.id, "{given}");
            }
        }
        assert_eq!(find_mis("ess sims").unwrap(), Mis::Sims, "a spelling");
        assert!(find_mis("Excel").unwrap_err().contains("rm-integris"));
    }
}
