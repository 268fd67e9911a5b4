#![doc = include_str!("../README.md")]

mod arguments;
mod bench;
mod demo;
mod private;
mod simulate;

use std::process::ExitCode;

use clap::Parser;
use mis_sync_cli::{Config, Failure, telemetry};

use crate::{
    arguments::{Arguments, Bench, Command},
    private::Transport,
};

fn main() -> ExitCode {
    mis_sync_cli::end_with("mis-sync-lab", run(Arguments::parse()))
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let file = arguments.config.as_deref();
    file.map_or(Ok(()), Config::check_file)?;
    match arguments.command {
        Command::Simulate(arguments) => {
            telemetry::start(&Config::load(file)?.log)?;
            simulate::run(&arguments).await
        }
        Command::Demo(_) if file.is_some() => Err(takes_no_file("demo")),
        Command::Bench(_) if file.is_some() => Err(takes_no_file("bench")),
        Command::Demo(arguments) => demo::run(&arguments).await,
        Command::Bench(Bench::Sync { staff, rounds, socket, json }) => {
            let transport = if socket { Transport::Socket } else { Transport::Tcp };
            bench::sync::run(bench::sync::Options { staff, rounds, transport, json }).await
        }
        Command::Bench(Bench::Scale(options)) => bench::scale::run(&options).await,
        Command::Bench(Bench::Dashboard) => bench::dashboard::run().await,
        Command::Bench(Bench::Login { seconds, rate }) => bench::login::run(seconds, rate).await,
    }
}

/// These bring their own configuration; a file given to them would be ignored.
fn takes_no_file(command: &str) -> Failure {
    Failure::usage(format!("--config: `mis-sync-lab {command}` takes no configuration file"))
}
