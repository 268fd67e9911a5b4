//! One private, headless Chromium.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Error;
use crate::account::Account;
use crate::binaries::{self, Program};
use crate::watchdog::{Server, Watchdog};

/// The folder of the browser's user data, in its private directory.
const PROFILE: &str = "profile";

/// These stop it from contacting anything but the tests' pages, and make pictures the same on every
/// machine.
const FLAGS: [&str; 12] = [
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Otherwise a small /dev/shm, as in containers, ends pages at random.
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-GB",
];

/// A running headless browser. Dropping it ends it and removes its profile, and so does the death
/// of this process.
///
/// Starting and dropping take some hundred milliseconds and block.
#[derive(Debug)]
pub struct Chromium {
    watchdog: Watchdog,
    devtools_url: String,
}

impl Chromium {
    /// Finds an installed Chromium and starts it with an empty profile.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] with the command to run if there is none, [`Error::Server`] with the end
    /// of its log if it does not start.
    pub fn start() -> Result<Self, Error> {
        let account = Account::for_servers()?;
        let program = binaries::browser(account)?;
        let mut watchdog = Watchdog::new(Path::new("/tmp"), account, |directory| Server {
            name: "Chromium",
            // None of its data are kept, so it need not end cleanly.
            end: "KILL",
            command: command(&program, account, directory),
        })?;
        watchdog.start()?;
        watchdog.wait_ready(|directory| devtools_url(directory).is_some())?;
        let devtools_url = devtools_url(watchdog.directory())
            .ok_or_else(|| watchdog.failure("removed its own address"))?;
        Ok(Self { watchdog, devtools_url })
    }

    /// Where it takes commands, `ws://127.0.0.1:<port>/devtools/browser/<id>`. The id is the
    /// permission.
    pub fn devtools_url(&self) -> &str {
        &self.devtools_url
    }

    pub fn pid(&self) -> u32 {
        self.watchdog.pid()
    }
}

fn command(program: &Program, account: Account, directory: &Path) -> Command {
    let mut command = program.command();
    command.args(FLAGS).arg(format!("--user-data-dir={}", directory.join(PROFILE).display()));
    // Files that it does not keep in the profile.
    command.env("HOME", directory).env("TMPDIR", directory);
    if let Account::Nobody { .. } = account {
        // Containers run as root and give `nobody` no namespaces for a sandbox.
        command.arg("--no-sandbox");
    }
    command.arg("about:blank");
    command
}

/// The browser writes its port and path into a file once it listens.
fn devtools_url(directory: &Path) -> Option<String> {
    let file = fs::read_to_string(directory.join(PROFILE).join("DevToolsActivePort")).ok()?;
    let (port, path) = file.split_once('\n')?;
    let id = path.strip_prefix("/devtools/browser/")?;
    // A file that is being written may end anywhere.
    let whole = id.len() == "00000000-0000-0000-0000-000000000000".len();
    whole.then(|| format!("ws://127.0.0.1:{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_file_makes_an_address() {
        let directory = tempfile::tempdir().unwrap();
        let profile = directory.path().join(PROFILE);
        fs::create_dir(&profile).unwrap();
        let path = "/devtools/browser/ec0bf415-f7d5-4dab-8b1d-c686bde009df";
        let whole = format!("35607\n{path}");
        for end in 0..whole.len() {
            fs::write(profile.join("DevToolsActivePort"), &whole[..end]).unwrap();
            assert_eq!(devtools_url(directory.path()), None, "{}", &whole[..end]);
        }
        fs::write(profile.join("DevToolsActivePort"), &whole).unwrap();
        assert_eq!(devtools_url(directory.path()), Some(format!("ws://127.0.0.1:35607{path}")));
    }
}
