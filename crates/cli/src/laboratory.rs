//! `demo`, `simulate` and `bench` are commands of `mis-sync-lab`, which no deployment needs. Scripts
//! know them as commands of `mis-sync`, so these three words run the `mis-sync-lab` beside it.

use std::{env::args_os, os::unix::process::CommandExt, process::Command};

use crate::exit::Failure;

const PROGRAM: &str = "mis-sync-lab";

/// Becomes `mis-sync-lab` with the arguments of this process; comes back only if it cannot.
pub(crate) fn become_it() -> Failure {
    let program = match std::env::current_exe() {
        Ok(own) => own.with_file_name(PROGRAM),
        Err(error) => return Failure::work(format!("cannot find out where {PROGRAM} is: {error}")),
    };
    let error = Command::new(&program).args(args_os().skip(1)).exec();
    Failure::usage(format!(
        "demo, simulate and bench are commands of {PROGRAM}, and {} does not start ({error}). Build \
         it with `cargo build --package {PROGRAM}` and put it beside this program",
        program.display()
    ))
}
