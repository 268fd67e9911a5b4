//! A folder of the cache that one process fills once, and that is either complete or absent.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::io;

/// Returns `cache/name`. If it does not exist yet, `fill` fills a folder beside it, which then
/// takes its name. Other processes that need the same folder wait.
pub(super) fn once(
    cache: &Path,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let target = cache.join(name);
    if target.is_dir() {
        return Ok(target);
    }
    fs::create_dir_all(cache).map_err(io("cannot create", cache))?;
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(io("cannot create", &lock_path))?;
    lock.lock().map_err(io("cannot lock", &lock_path))?;
    if target.is_dir() {
        return Ok(target);
    }
    let filling = cache.join(format!("{name}.filling"));
    if filling.exists() {
        // A process that died left this.
        fs::remove_dir_all(&filling).map_err(io("cannot remove", &filling))?;
    }
    fs::create_dir(&filling).map_err(io("cannot create", &filling))?;
    fill(&filling)?;
    fs::rename(&filling, &target).map_err(io("cannot rename", &filling))?;
    Ok(target)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn threads_that_race_fill_it_once() {
        let cache = tempfile::tempdir().unwrap();
        let filled = AtomicU32::new(0);
        let fetch = || {
            once(cache.path(), "thing", |folder| {
                filled.fetch_add(1, Ordering::Relaxed);
                fs::write(folder.join("file"), "whole").unwrap();
                Ok(())
            })
            .unwrap()
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(fs::read(fetch().join("file")).unwrap(), b"whole"));
            }
        });
        assert_eq!(filled.into_inner(), 1);
    }

    #[test]
    fn a_failure_leaves_nothing_that_looks_whole() {
        let cache = tempfile::tempdir().unwrap();
        let failed = once(cache.path(), "thing", |_| Err(Error::Key));
        assert!(failed.is_err() && !cache.path().join("thing").exists());
        once(cache.path(), "thing", |_| Ok(())).unwrap();
    }
}
