//! Copies of data directories.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::Error;
use crate::account::Account;
use crate::error::io;

/// Copies the directory of a stopped server and gives the copy to `account`. If the file system
/// can, files share their blocks until one of them is written.
pub(super) fn copy(from: &Path, to: &Path, account: Account) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(to).map_err(io("cannot create", to))?;
    account.take(to)?;
    for entry in fs::read_dir(from).map_err(io("cannot list", from))? {
        let entry = entry.map_err(io("cannot list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(io("cannot read", &source))?.is_dir() {
            copy(&source, &target, account)?;
        } else {
            fs::copy(&source, &target).map_err(io("cannot copy", &source))?;
            account.take(&target)?;
        }
    }
    Ok(())
}
