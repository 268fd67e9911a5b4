//! Everything that this crate reads from the environment.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, From};

/// Where root keeps downloaded servers if its home is closed to `nobody`, who has to run them.
const ROOT_CACHE: &str = "/var/cache/mis-sync/devservices";

/// `DEVSERVICES_FROM`, if set and not empty.
pub(crate) fn from() -> Result<Option<From>, Error> {
    match read("DEVSERVICES_FROM") {
        None => Ok(None),
        Some(value) => From::parse(&value.to_string_lossy()).map(Some),
    }
}

/// The folders of `PATH`.
pub(crate) fn path() -> Vec<PathBuf> {
    read("PATH").map_or_else(Vec::new, |path| std::env::split_paths(&path).collect())
}

/// `PATH` unchanged, for the servers and their watchdog.
pub(crate) fn raw_path() -> OsString {
    read("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())
}

/// `$XDG_CACHE_HOME/mis-sync/devservices`, or the same under `~/.cache`; for root a folder that all
/// users may read.
pub(crate) fn cache() -> PathBuf {
    let home = || read("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let user = read("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home)
        .filter(|cache| cache.is_absolute())
        .map(|cache| cache.join("mis-sync/devservices"));
    match user {
        Some(cache) if !rustix::process::geteuid().is_root() || open_to_all(&cache) => cache,
        Some(_) => ROOT_CACHE.into(),
        // No home: a service account or a bare container.
        None if rustix::process::geteuid().is_root() => ROOT_CACHE.into(),
        None => format!("/tmp/mis-sync-cache-{}", rustix::process::geteuid().as_raw()).into(),
    }
}

/// Whether every existing folder on the path is open to all users.
fn open_to_all(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|folder| folder.metadata().ok())
        .all(|folder| folder.permissions().mode() & 0o001 != 0)
}

/// A variable that is set and not empty.
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_closed_parent_closes_what_is_below() {
        let parent = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let child = parent.path().join("a/b");
        fs::create_dir_all(&child).unwrap();
        assert!(open_to_all(&child.join("missing")));
        fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!open_to_all(&child));
    }
}
