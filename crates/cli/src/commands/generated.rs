//! Completions and man pages, made from the definition of the commands.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{
    arguments::{Arguments, Completions, ManPages},
    commands::print,
    exit::Failure,
};

pub(super) fn completions(wanted: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut Arguments::command(), "mis-sync", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}

pub(super) fn man_pages(wanted: &ManPages) -> Result<(), Failure> {
    let Some(folder) = &wanted.out else {
        let mut page = Vec::new();
        Man::new(Arguments::command()).render(&mut page)?;
        return print(String::from_utf8_lossy(&page).trim_end());
    };
    let failed =
        |error| Failure::work(format!("--out: cannot write to {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(failed)
}
