//! Gives the program the commit that it is built from.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script by its environment")]

use std::process::Command;

/// `MIS_SYNC_COMMIT` where it is set, for builds without a repository. Otherwise Git is asked, but not
/// for a build of a developer, which would be built again after each commit.
fn main() {
    println!("cargo::rerun-if-env-changed=MIS_SYNC_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let given = std::env::var("MIS_SYNC_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = match given {
        Some(commit) => commit,
        None if is_release => commit_of_git().unwrap_or_else(|| "unknown commit".to_owned()),
        None => "development build".to_owned(),
    };
    println!("cargo::rustc-env=MIS_SYNC_COMMIT={commit}");
}

fn commit_of_git() -> Option<String> {
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        // A path that does not exist would make Cargo build again each time.
        let path = git(&["rev-parse", "--path-format=absolute", "--git-path", name]);
        if let Some(path) = path.filter(|path| std::path::Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
