//! `mis-sync` as a separate process.

use std::process::{Command, Output};

use mis_sync_testing::Program;

pub(crate) const MIS_SYNC: Program = Program(env!("CARGO_BIN_EXE_mis-sync-under-test"));

/// `mis-sync` with the environment of a plain shell.
pub(crate) fn command(arguments: &[&str]) -> Command {
    MIS_SYNC.command(arguments)
}

/// Runs a command to its end.
pub(crate) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    MIS_SYNC.run(arguments, variables).await
}

/// The same with this on its standard input.
pub(crate) async fn run_with_input(
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &str,
) -> Output {
    MIS_SYNC.run_with_input(arguments, variables, input).await
}

/// An address for a process to listen on.
pub(crate) fn free_address() -> String {
    format!("127.0.0.1:{}", mis_sync_testing::free_port())
}
