//! A stopped, initialised and migrated data directory in the cache, from which servers start in
//! milliseconds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Postgres, PostgresOptions, data};
use crate::account::Account;
use crate::error::io;
use crate::{Binaries, Error};

/// Part of a template's name. Raise it when initialisation changes, so that older templates are not
/// used.
const LAYOUT: u32 = 1;

/// Each state of the migrations leaves a template of about 30 MB. Those that were not opened for
/// this long are removed.
const KEPT: Duration = Duration::from_hours(14 * 24);

/// A complete template. Any number of processes may launch servers from it at the same time.
#[derive(Debug)]
pub struct PostgresTemplate {
    binaries: Binaries,
    directory: PathBuf,
}

/// The result of [`PostgresTemplate::open`].
#[derive(Debug)]
pub enum TemplateState {
    /// The template exists.
    Ready(PostgresTemplate),
    /// The caller has to build it. Other processes that open the same template wait until the
    /// builder is finished or dropped.
    Empty(TemplateBuilder),
}

/// A running server to be migrated and then kept as a template.
#[derive(Debug)]
pub struct TemplateBuilder {
    template: PostgresTemplate,
    postgres: Postgres,
    /// Only this process holds the lock, until the builder is dropped.
    _lock: File,
}

impl PostgresTemplate {
    /// Opens the template for `key`, such as a checksum of the migrations, and the Postgres version
    /// in use. Blocks while another process builds it.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] unless `key` is 1 to 64 letters, digits, `-` and `_`; and those of
    /// [`Postgres::create`].
    pub fn open(binaries: &Binaries, key: &str) -> Result<TemplateState, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=64).contains(&key.len()) || !key.bytes().all(allowed) {
            return Err(Error::Key);
        }
        let cache = &binaries.cache;
        fs::create_dir_all(cache).map_err(io("cannot create", cache))?;
        let tag = binaries.postgres_tag();
        let directory = cache.join(format!("template{LAYOUT}-{tag}-{key}"));
        let lock = lock(&directory)?;
        let template = Self { binaries: binaries.clone(), directory };
        if template.directory.is_dir() {
            return Ok(TemplateState::Ready(template));
        }
        let postgres = Postgres::create(binaries, &PostgresOptions::quick())?;
        Ok(TemplateState::Empty(TemplateBuilder { template, postgres, _lock: lock }))
    }

    /// Starts a server on a copy. It has everything that the builder left, and its changes are
    /// private.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if there is no room for the copy, [`Error::Server`] if the server does not
    /// start.
    pub fn launch(&self) -> Result<Postgres, Error> {
        Postgres::launch(&self.binaries, &PostgresOptions::quick(), |watchdog| {
            let data = watchdog.directory().join("data");
            data::copy(&self.directory, &data, watchdog.account())
        })
    }
}

impl TemplateBuilder {
    /// The URL of a database; [`DATABASE`](crate::DATABASE) is there and empty.
    pub fn url(&self, database: &str) -> String {
        self.postgres.url(database)
    }

    /// Shuts down cleanly and keeps the data. Dropping the builder instead keeps nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] if the server does not shut down, [`Error::Io`] if the cache cannot be
    /// written.
    pub fn finish(mut self) -> Result<PostgresTemplate, Error> {
        self.postgres.shut_down()?;
        let target = &self.template.directory;
        let copy = target.with_added_extension("building");
        if copy.exists() {
            // A process that died left this.
            fs::remove_dir_all(&copy).map_err(io("cannot remove", &copy))?;
        }
        data::copy(&self.postgres.data(), &copy, Account::Current)?;
        // A crash of the machine must not leave the name of a half-written template.
        rustix::fs::sync();
        fs::rename(&copy, target).map_err(io("cannot rename", &copy))?;
        remove_unused(&self.template.binaries.cache);
        Ok(self.template)
    }
}

/// Waits for the template's lock file, and records in its modification time that the template was
/// used.
fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.with_added_extension("lock");
    let lock = File::create(&path).map_err(io("cannot create", &path))?;
    lock.lock().map_err(io("cannot lock", &path))?;
    lock.set_modified(SystemTime::now()).map_err(io("cannot touch", &path))?;
    Ok(lock)
}

/// Failing to tidy up is not an error: the next builder tries again.
fn remove_unused(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_lock = name.to_string_lossy().starts_with("template")
            && path.extension().is_some_and(|e| e == "lock");
        let modified = entry.metadata().and_then(|data| data.modified());
        let unused = modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > KEPT));
        if is_lock && unused {
            // The lock file stays, because another process may be waiting for it.
            let _ = fs::remove_dir_all(path.with_extension(""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_templates_unused_for_long_are_removed() {
        let cache = tempfile::tempdir().unwrap();
        for (name, age_days) in
            [("template1-path-15.18-old", 15), ("template1-path-15.18-new", 13), ("apt", 15)]
        {
            let directory = cache.path().join(name);
            fs::create_dir(&directory).unwrap();
            let lock = lock(&directory).unwrap();
            let age = Duration::from_hours(age_days * 24);
            lock.set_modified(SystemTime::now() - age).unwrap();
        }
        remove_unused(cache.path());
        let left = |name: &str| cache.path().join(name).exists();
        assert!(!left("template1-path-15.18-old"));
        assert!(left("template1-path-15.18-new") && left("apt"));
    }
}
