//! Debian's and Ubuntu's packages, unpacked into the cache without root and without a change to the
//! system.
//!
//! Package lists are read into the cache too, so that this works even if the system's own lists are
//! missing (small images) or out of date (their versions are no longer on the mirror).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{From, Program, Wanted, existing, fetched, list};
use crate::error::io;
use crate::{Error, environment, process};

/// Debian's Postgres reads time zones only from here, and clients set theirs to UTC.
const TIME_ZONES: &str = "/usr/share/zoneinfo/UTC";

/// Unpacks the server's packages on the first call, or returns the reason why this way is not
/// possible.
pub(super) fn fetch(
    wanted: Wanted,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<Program>, String> {
    let has =
        |program: &str| environment::path().iter().any(|folder| folder.join(program).is_file());
    if !has("apt-get") || !has("dpkg-deb") {
        return Err("this is not Debian or Ubuntu".to_owned());
    }
    if wanted == Wanted::Postgres && !Path::new(TIME_ZONES).exists() {
        return Err("the package tzdata is not installed".to_owned());
    }
    let name = format!("apt-{}", release());
    let root = fetched::once(cache, &name, |folder| {
        progress("fetching Postgres and Redis as Debian packages, about 50 MB, once");
        fill(folder)
    })
    .map_err(|error| error.to_string())?;
    let libraries = library_path(&root);
    let new = |path| Program::new(path, From::Apt, Some(libraries.clone()));
    Ok(programs(&root, wanted).into_iter().map(new).collect())
}

/// The system's release, because packages of one do not run on another: `debian-12-x86_64`.
fn release() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map_or("unknown", |value| value.trim_matches('"'))
            .to_owned()
    };
    format!("{}-{}-{}", field("ID"), field("VERSION_ID"), std::env::consts::ARCH)
}

fn fill(root: &Path) -> Result<(), Error> {
    let apt = Apt::new(root)?;
    apt.run("apt-get", &["--quiet", "update"])?;
    let needed = apt.dependencies()?;
    let servers = needed.iter().filter(|name| is_server(name));
    apt.unpack(servers, root)?;
    if lacks_libraries(root) {
        let libraries = needed.iter().filter(|name| is_library(name));
        apt.unpack(libraries, root)?;
    }
    fs::remove_dir_all(&apt.folder).map_err(io("cannot remove", &apt.folder))
}

/// apt with its own lists and archives, in a folder that is removed at the end.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn new(root: &Path) -> Result<Self, Error> {
        let folder = root.join("apt");
        for part in ["lists/partial", "archives/partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).map_err(io("cannot create", &path))?;
        }
        Ok(Self { folder })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let option = |key: &str, path: &str| format!("{key}={}", self.folder.join(path).display());
        let mut command = Command::new(program);
        command
            .args(["-o", &option("Dir::State::lists", "lists")])
            .args(["-o", &option("Dir::Cache", "")])
            // As root, apt would read through the account _apt, which may have no access to our
            // folder.
            .args(["-o", "APT::Sandbox::User=root"])
            .args(arguments)
            .env("LC_ALL", "C")
            .current_dir(self.folder.join("archives"));
        process::run(&mut command)
    }

    /// All packages that the servers depend on, including the servers.
    fn dependencies(&self) -> Result<Vec<String>, Error> {
        let listed = self.run(
            "apt-cache",
            &[
                "depends",
                "--recurse",
                "--no-recommends",
                "--no-suggests",
                "--no-conflicts",
                "--no-breaks",
                "--no-replaces",
                "--no-enhances",
                "postgresql",
                "redis-server",
            ],
        )?;
        // Dependencies are indented, virtual packages bracketed; each real package has its own line.
        let real = listed
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()));
        Ok(real.map(str::to_owned).collect())
    }

    fn unpack<'a>(
        &self,
        packages: impl Iterator<Item = &'a String>,
        root: &Path,
    ) -> Result<(), Error> {
        let mut arguments = vec!["download"];
        arguments.extend(packages.map(String::as_str));
        self.run("apt-get", &arguments)?;
        for archive in list(&self.folder.join("archives")) {
            if archive.extension().is_some_and(|extension| extension == "deb") {
                process::run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(root))?;
                fs::remove_file(&archive).map_err(io("cannot remove", &archive))?;
            }
        }
        Ok(())
    }
}

/// `postgresql-15`, and both packages of Redis: the server is a link to one of the tools.
fn is_server(package: &str) -> bool {
    let version = package.strip_prefix("postgresql-").unwrap_or_default();
    let postgres = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    postgres || matches!(package, "redis-server" | "redis-tools")
}

/// Shared libraries that are needed: not the C library, which must be the system's, and not what
/// the servers need only for just-in-time compilation, set-up scripts and logins.
fn is_library(package: &str) -> bool {
    let unwanted_start = ["libc6", "libc-", "libelogind", "libllvm", "libpam-", "libperl", "libz3"];
    let unwanted_end = ["-perl", "-common", "-bin"];
    (package.starts_with("lib") || package == "zlib1g")
        && !unwanted_start.iter().any(|start| package.starts_with(start))
        && !unwanted_end.iter().any(|end| package.ends_with(end))
}

fn programs(root: &Path, wanted: Wanted) -> Vec<PathBuf> {
    match wanted {
        Wanted::Postgres => {
            let versions = list(&root.join("usr/lib/postgresql"));
            existing(versions.into_iter().map(|version| version.join("bin/postgres")))
        }
        Wanted::Redis => existing([root.join("usr/bin/redis-server")]),
    }
}

/// Whether the dynamic linker misses anything. If it cannot be asked, all libraries are downloaded.
fn lacks_libraries(root: &Path) -> bool {
    let mut wanted = programs(root, Wanted::Redis);
    for postgres in programs(root, Wanted::Postgres) {
        wanted.push(postgres.with_file_name("initdb"));
        wanted.push(postgres);
    }
    let complete = |program: &PathBuf| {
        process::run(Command::new("ldd").arg(program))
            .is_ok_and(|listed| !listed.contains("not found"))
    };
    !wanted.iter().all(complete)
}

/// The folders of unpacked libraries, such as `usr/lib/x86_64-linux-gnu`; some packages still use
/// `lib`.
fn library_path(root: &Path) -> OsString {
    let folders = ["usr/lib", "lib"].into_iter().flat_map(|folder| list(&root.join(folder)));
    let architecture = folders.filter(|path| path.to_string_lossy().ends_with("-linux-gnu"));
    std::env::join_paths(architecture).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_sorted_into_servers_libraries_and_the_rest() {
        for name in ["postgresql-15", "postgresql-17", "redis-server", "redis-tools"] {
            assert!(is_server(name) && !is_library(name), "{name}");
        }
        for name in ["libpq5", "libicu72", "libldap-2.5-0", "libjemalloc2", "zlib1g"] {
            assert!(is_library(name) && !is_server(name), "{name}");
        }
        for name in
            ["postgresql", "postgresql-common", "libc6", "libllvm14", "libjson-perl", "adduser"]
        {
            assert!(!is_library(name) && !is_server(name), "{name}");
        }
    }
}
