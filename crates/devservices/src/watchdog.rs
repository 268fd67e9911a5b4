//! One server process in a private directory; both end with their owner.
//!
//! The owner holds the write end of a pipe to a small shell, which runs the server. When the owner
//! drops it, exits or is killed with SIGKILL, the pipe closes, and the shell ends the server and
//! removes the directory. We rejected parent-death signals: they exist only on Linux, and they fire
//! when the starting *thread* ends.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::Signal;

use crate::Error;
use crate::account::Account;
use crate::error::io;
use crate::process;

const SCRIPT: &str = include_str!("watchdog.sh");

/// A server, and how to end it.
pub(crate) struct Server {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The signal that ends it if its data are not kept, as `kill` names it.
    pub(crate) end: &'static str,
    /// Program and arguments. It runs in the private directory.
    pub(crate) command: Command,
}

/// The owner's side.
#[derive(Debug)]
pub(crate) struct Watchdog {
    name: &'static str,
    directory: PathBuf,
    account: Account,
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pid: Option<u32>,
}

impl Watchdog {
    /// Creates a private directory under `parent` and watches it. Nothing runs in it yet.
    pub(crate) fn new(
        parent: &Path,
        account: Account,
        server: impl FnOnce(&Path) -> Server,
    ) -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("mis-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(parent)
            .map_err(io("cannot make a directory in", parent))?;
        let path = directory.path();
        account.take(path)?;
        let log = path.join("log");
        let stderr = File::create(&log).map_err(io("cannot create", &log))?;
        account.take(&log)?;

        let server = server(path);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "watchdog", server.end])
            .arg(server.command.get_program())
            .args(server.command.get_args())
            .env_clear()
            .envs(server.command.get_envs().filter_map(|(key, value)| Some((key, value?))))
            .current_dir(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            // Ctrl-C in the terminal is for the owner.
            .process_group(0);
        account.apply(&mut command);
        let mut shell = command.spawn().map_err(io("cannot start /bin/sh in", path))?;
        let orders = shell.stdin.take();
        let answers = shell.stdout.take().expect("stdout is piped");
        Ok(Self {
            name: server.name,
            // From here on the shell removes it.
            directory: directory.keep(),
            account,
            shell,
            orders,
            answers: BufReader::new(answers),
            pid: None,
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn account(&self) -> Account {
        self.account
    }

    /// The server's process id; the last one if it has ended.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.expect("a server is handed out only once it was started")
    }

    /// Runs a command that prepares the directory, as the servers' account. It ends with the owner
    /// too.
    pub(crate) fn prepare(&self, command: &mut Command) -> Result<String, Error> {
        let group = i32::try_from(self.shell.id()).expect("a process id is a positive i32");
        self.account.apply(command);
        process::run(command.current_dir(&self.directory).process_group(group))
    }

    /// Starts the server, once the previous one has ended.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        let orders = self.orders.as_mut().expect("the pipe closes only on drop");
        let mut answer = String::new();
        orders
            .write_all(b"start\n")
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(io("the watchdog is gone from", &self.directory))?;
        self.pid = answer.trim_end().parse().ok();
        match self.pid {
            Some(_) => Ok(()),
            None => Err(self.failure("did not start")),
        }
    }

    /// Waits until `ready` returns true. Fails at once if the server has ended.
    pub(crate) fn wait_ready(&self, mut ready: impl FnMut(&Path) -> bool) -> Result<(), Error> {
        let state = process::poll(|| {
            // In this order, so that `ready` was asked while the server was running.
            let running = process::is_running(self.pid())?;
            Ok(if ready(&self.directory) {
                Some(true)
            } else if running {
                None
            } else {
                Some(false)
            })
        })?;
        match state {
            Some(true) => Ok(()),
            Some(false) => Err(self.failure("ended while starting")),
            None => Err(self.failure("did not become ready in time")),
        }
    }

    /// Waits until none of `pids` is running.
    pub(crate) fn wait_ended(&self, pids: &[u32]) -> Result<(), Error> {
        let ended = process::poll(|| {
            for pid in pids {
                if process::is_running(*pid)? {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })?;
        ended.ok_or_else(|| self.failure("did not end in time"))
    }

    pub(crate) fn signal(&self, pid: u32, signal: Signal) -> Result<(), Error> {
        process::signal(pid, signal).map_err(|source| Error::Signal {
            server: self.name,
            pid,
            source,
        })
    }

    /// An error that contains the end of the server's log.
    pub(crate) fn failure(&self, problem: &'static str) -> Error {
        let log = fs::read(self.directory.join("log")).unwrap_or_default();
        Error::Server {
            server: self.name,
            problem,
            log: process::tail(&String::from_utf8_lossy(&log)),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Returns once the server has ended and its directory is gone. The only possible error is
        // that the shell was already waited for, which never happens.
        let _ = self.shell.wait();
    }
}
