//! The commands, one file each.

mod alerts;
mod audit;
mod doctor;
mod explain;
pub(crate) mod follow;
mod generated;
mod health;
mod jobs;
mod keys;
mod migrate;
mod queues;
mod refresh;
mod schools;
mod serve;
mod sync;
mod table;
mod webhooks;
pub(crate) mod words;
mod worker;
mod workers;

use std::io::Write;

use mis_sync_queue::Actor;

use crate::{
    arguments::{Arguments, Command},
    config::Config,
    exit::Failure,
    laboratory, telemetry,
};

/// Runs one command to its end.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let file = arguments.config.as_deref();
    match arguments.command {
        Command::Demo(_) | Command::Simulate(_) | Command::Bench(_) => Err(laboratory::become_it()),
        Command::Openapi => {
            file.map_or(Ok(()), Config::check_file)?;
            if file.is_some() {
                let text = "--config: `mis-sync openapi` takes no configuration file";
                return Err(Failure::usage(text));
            }
            print(&mis_sync_api::openapi_json())
        }
        Command::Completions(wanted) => generated::completions(&wanted),
        Command::Man(wanted) => generated::man_pages(&wanted),
        // It reports a configuration that cannot be read, too.
        Command::Doctor(doctor) => doctor::run(file, &doctor).await,
        command => {
            let config = Config::load(file)?;
            if let Command::Serve(_) | Command::Worker = command {
                let watched = telemetry::start_service(&config)?;
                let ended = with_config(command, &config).await;
                watched.finish().await;
                ended
            } else {
                telemetry::start(&config.log)?;
                with_config(command, &config).await
            }
        }
    }
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
        Command::Health(health) => health::run(config, &health).await,
        Command::Demo(_)
        | Command::Simulate(_)
        | Command::Bench(_)
        | Command::Openapi
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Doctor(_) => unreachable!("these read no configuration, or read it themselves"),
    }
}

/// Who asks and acts when a command does.
pub(crate) const COMMAND_LINE: &str = "command line";

/// Who acts when a command does, and why.
pub fn actor(reason: Option<String>) -> Actor {
    Actor::command(COMMAND_LINE, reason)
}

/// Prints a line for the caller. A closed pipe (`| head`) is no failure.
pub fn print(line: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
