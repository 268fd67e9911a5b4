//! Log lines.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use crate::{
    config::{Log, LogFormat},
    exit::Failure,
};

/// Sends log lines to standard error, as the configuration says. Standard output belongs to
/// what a command prints for its caller.
pub fn start(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        Failure::usage(format!("log.level: found `{}`, which is no filter: {error}", log.level))
    })?;
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
    Ok(())
}

/// The same for a command that people watch: lines of this level and above, as text.
pub fn start_plain(level: &str) -> Result<(), Failure> {
    start(&Log { level: level.to_owned(), format: LogFormat::Text })
}
