//! The `mis-sync` binary, for tests that start, stop, pause and kill it.

use std::process::ExitCode;

fn main() -> ExitCode {
    mis_sync_cli::main()
}
