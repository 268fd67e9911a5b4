#![doc = include_str!("../README.md")]

mod arguments;
mod commands;
mod config;
mod descriptors;
mod exit;
mod laboratory;
mod service_manager;
mod signals;
pub mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit of this build, from `build.rs`.
pub(crate) const COMMIT: &str = env!("MIS_SYNC_COMMIT");

pub use crate::{
    commands::{
        actor,
        follow::{Shown, follow},
        print,
        words::tell,
    },
    config::{Config, Log},
    exit::Failure,
    signals::stop_on_signal,
    wiring::{Parts, open_database},
};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    end_with("mis-sync", commands::run(Arguments::parse()))
}

/// Runs a command of this program to its end, and says what went wrong.
pub fn end_with(program: &str, command: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    mis_sync_wonde::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(Failure::work(format!("cannot start the async runtime: {error}"))),
    };
    ended.map_or_else(|failure| failure.report(program), |()| ExitCode::SUCCESS)
}
