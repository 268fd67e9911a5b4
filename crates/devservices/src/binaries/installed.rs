//! Programs that are installed on the machine.

use std::path::{Path, PathBuf};

use super::{From, Program, Wanted, existing, list};
use crate::environment;

/// Homebrew's prefixes: Apple silicon, Intel, Linux.
const HOMEBREW: [&str; 3] = ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"];

/// The names of Chromium and its relatives, the free one first.
const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Where macOS keeps them.
const BROWSERS_OF_MACOS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Servers to try, best first.
pub(super) fn candidates(wanted: Wanted) -> Vec<Program> {
    programs(match wanted {
        Wanted::Postgres => postgres_paths(),
        Wanted::Redis => redis_paths(),
    })
}

/// Browsers to try, best first.
pub(super) fn browsers() -> Vec<Program> {
    let folders = environment::path();
    let in_path =
        BROWSERS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs(existing(in_path.chain(BROWSERS_OF_MACOS.map(PathBuf::from))))
}

fn programs(paths: Vec<PathBuf>) -> Vec<Program> {
    paths.into_iter().map(|path| Program::new(path, From::Path, None)).collect()
}

fn postgres_paths() -> Vec<PathBuf> {
    let mut folders = environment::path();
    folders.extend(versioned("/usr/lib/postgresql", ""));
    for prefix in HOMEBREW {
        folders.push(Path::new(prefix).join("bin"));
        folders.extend(versioned(&format!("{prefix}/opt"), "postgresql@"));
    }
    // A link in PATH leads to the folder with initdb and the server's own files.
    let real = existing(folders.into_iter().map(|folder| folder.join("postgres")))
        .into_iter()
        .filter_map(|path| path.canonicalize().ok());
    real.filter(|path| path.with_file_name("initdb").is_file()).collect()
}

fn redis_paths() -> Vec<PathBuf> {
    let mut folders = environment::path();
    for prefix in HOMEBREW {
        folders.push(Path::new(prefix).join("bin"));
        folders.push(Path::new(prefix).join("opt/redis/bin"));
    }
    let both = |folder: PathBuf| [folder.join("redis-server"), folder.join("valkey-server")];
    existing(folders.into_iter().flat_map(both))
}

/// The `bin` folders of `parent/<prefix><major version>`, newest first.
fn versioned(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let version = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(prefix)?.parse().ok()
    };
    let mut found: Vec<(u32, PathBuf)> = list(Path::new(parent))
        .into_iter()
        .filter_map(|path| Some((version(&path)?, path.join("bin"))))
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["postgresql@9", "postgresql@17", "postgresql@14", "redis"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let found = versioned(folder.path().to_str().unwrap(), "postgresql@");
        let expected = ["postgresql@17/bin", "postgresql@14/bin", "postgresql@9/bin"];
        assert_eq!(found, expected.map(|name| folder.path().join(name)));
    }
}
