//! Real servers: started, killed, paused, started by several processes at once, and left behind by
//! a dead owner.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this crate holds nothing but tests")]

mod chromium;
mod fetched;
mod owner;
mod postgres;
mod redis;
mod template;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use mis_sync_devservices::{Binaries, Search};
use tempfile::TempDir;

/// The servers of the machine, or those that the environment asks for.
fn binaries() -> Binaries {
    Binaries::locate(&|line| println!("{line}")).unwrap()
}

/// An empty cache that is open to `nobody`, as root's cache has to be.
fn empty_cache() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir_in("/tmp").unwrap()
}

/// The same servers with templates in `cache`.
fn binaries_with_templates_in(cache: &Path) -> Binaries {
    let search = Search { cache: cache.to_owned(), ..Search::from_environment().unwrap() };
    Binaries::locate_with(&search, &|line| println!("{line}")).unwrap()
}

/// Whether a process is running. One that has ended but was not reaped is not.
fn runs(pid: u32) -> bool {
    let ps = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(ps.stdout).unwrap();
    !state.trim().is_empty() && !state.starts_with('Z')
}

/// Waits for a condition that another process brings about.
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
