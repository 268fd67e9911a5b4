//! The `mis-sync` binary; everything is in the library, so that tests can run it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    mis_sync_cli::main()
}
