//! The commands, one file each.

mod alerts;
mod audit;
mod bench;
mod demo;
mod doctor;
mod explain;
mod follow;
mod jobs;
mod keys;
mod migrate;
mod queues;
mod refresh;
mod schools;
mod serve;
mod simulate;
mod sync;
mod table;
mod webhooks;
mod words;
mod worker;
mod workers;

use std::io::Write;

use mis_sync_queue::Actor;

use crate::{
    arguments::{Arguments, Bench, Command},
    config::Config,
    exit::Failure,
    private::Transport,
    telemetry,
};

/// Runs one command to its end.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(file) = &arguments.config {
        Config::check_file(file)?;
        refuse_configuration(&arguments.command)?;
    }
    match arguments.command {
        Command::Demo(demo) => demo::run(&demo).await,
        Command::Bench(Bench::Sync { staff, rounds, socket, json }) => {
            let transport = if socket { Transport::Socket } else { Transport::Tcp };
            bench::sync::run(bench::sync::Options { staff, rounds, transport, json }).await
        }
        Command::Bench(Bench::Dashboard) => bench::dashboard::run().await,
        Command::Bench(Bench::Login { seconds, rate }) => bench::login::run(seconds, rate).await,
        Command::Openapi => print(&mis_sync_api::openapi_json()),
        command => {
            let config = Config::load(arguments.config.as_deref())?;
            telemetry::start(&config.log)?;
            with_config(command, &config).await
        }
    }
}

/// Some commands bring their own configuration; a file given to them would be ignored.
fn refuse_configuration(command: &Command) -> Result<(), Failure> {
    let name = match command {
        Command::Demo(_) => "demo",
        Command::Bench(_) => "bench",
        Command::Openapi => "openapi",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("--config: `mis-sync {name}` takes no configuration file")))
}

async fn with_config(command: Command, config: &Config) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve::run(config, &serve).await,
        Command::Worker => worker::run(config).await,
        Command::Migrate => migrate::run(config).await,
        Command::Keys(keys) => keys::run(config, keys).await,
        Command::Audit(audit) => audit::run(config, audit).await,
        Command::Alerts(alerts) => alerts::run(config, alerts).await,
        Command::Webhooks(webhooks) => webhooks::run(config, webhooks).await,
        Command::Schools(schools) => schools::run(config, schools).await,
        Command::Refresh(refresh) => refresh::run(config, &refresh).await,
        Command::Sync(sync) => sync::run(config, &sync).await,
        Command::Explain(explain) => explain::run(config, &explain).await,
        Command::Jobs(jobs) => jobs::run(config, jobs).await,
        Command::Queues(queues) => queues::run(config, queues).await,
        Command::Workers(workers) => workers::run(config, workers).await,
        Command::Simulate(simulate) => simulate::run(&simulate).await,
        Command::Doctor => doctor::run(config).await,
        Command::Demo(_) | Command::Bench(_) | Command::Openapi => {
            unreachable!("these do without a configuration")
        }
    }
}

/// Who asks and acts when a command does.
pub(crate) const COMMAND_LINE: &str = "command line";

/// Who acts when a command does, and why.
pub(crate) fn actor(reason: Option<String>) -> Actor {
    Actor::command(COMMAND_LINE, reason)
}

/// Prints a line for the caller. A closed pipe (`| head`) is no failure.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
