#![doc = include_str!("../README.md")]

mod arguments;
mod commands;
mod config;
mod descriptors;
mod exit;
mod private;
mod signals;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, exit::Failure};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    mis_sync_wonde::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::work(format!("cannot start the async runtime: {error}")))?;
    runtime.block_on(commands::run(arguments))
}
