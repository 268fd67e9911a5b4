//! One private Redis (or Valkey) on a unix socket.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::error::io;
use crate::watchdog::{Server, Watchdog};
use crate::{Binaries, Error};

const SOCKET: &str = "redis.sock";
const SENTINEL: &str = "sentinel.conf";

/// The choices for a server.
#[derive(Clone, Copy, Debug)]
pub struct RedisOptions {
    /// Whether data survive a restart, with an append-only file that is written to disk every
    /// second.
    pub persistent: bool,
}

impl RedisOptions {
    /// Keeps its data over a restart, as in production: for the demo.
    pub fn persistent() -> Self {
        Self { persistent: true }
    }

    /// Loses everything with its process: for tests.
    pub fn volatile() -> Self {
        Self { persistent: false }
    }
}

/// A running server. Dropping it ends it and removes its data, and so does the death of this
/// process.
///
/// All methods block for some milliseconds, and so does dropping. It never evicts keys.
#[derive(Debug)]
pub struct Redis {
    watchdog: Watchdog,
}

impl Redis {
    /// Starts a server, which takes about ten milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] with the end of its log if it does not start.
    pub fn start(binaries: &Binaries, options: RedisOptions) -> Result<Self, Error> {
        Self::start_with(binaries, options, &[])
    }

    /// Starts a server with further arguments, such as `--port 7000`, which override ours.
    ///
    /// # Errors
    ///
    /// As [`Redis::start`].
    pub fn start_with(
        binaries: &Binaries,
        options: RedisOptions,
        arguments: &[&str],
    ) -> Result<Self, Error> {
        let mut redis = Self::prepare(binaries, |directory| {
            let mut command = server_command(binaries, options, directory);
            command.args(arguments);
            command
        })?;
        redis.launch()?;
        Ok(redis)
    }

    /// Starts a Sentinel with this configuration. It has a socket as other servers do.
    ///
    /// # Errors
    ///
    /// As [`Redis::start`].
    pub fn start_sentinel(binaries: &Binaries, configuration: &str) -> Result<Self, Error> {
        let mut redis = Self::prepare(binaries, |directory| {
            let mut command = binaries.redis();
            command.arg(directory.join(SENTINEL)).arg("--sentinel");
            listen_on_socket(&mut command, directory);
            command
        })?;
        // The Sentinel writes what it finds out to this file.
        let file = redis.watchdog.directory().join(SENTINEL);
        fs::write(&file, configuration).map_err(io("cannot write", &file))?;
        redis.watchdog.account().take(&file)?;
        redis.launch()?;
        Ok(redis)
    }

    fn prepare(binaries: &Binaries, command: impl FnOnce(&Path) -> Command) -> Result<Self, Error> {
        let watchdog = Watchdog::new(Path::new("/tmp"), binaries.account, |directory| Server {
            name: "Redis",
            // None of its data are kept, so it need not end cleanly.
            end: "KILL",
            command: command(directory),
        })?;
        Ok(Self { watchdog })
    }

    pub fn url(&self) -> String {
        // The path consists of letters, digits and `-`, so nothing has to be encoded.
        format!("redis+unix://{}", self.socket().display())
    }

    pub fn socket(&self) -> PathBuf {
        self.watchdog.directory().join(SOCKET)
    }

    pub fn pid(&self) -> u32 {
        self.watchdog.pid()
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.watchdog.signal(self.pid(), Signal::KILL)?;
        self.watchdog.wait_ended(&[self.pid()])
    }

    /// Stops it where it is, without closing a connection.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.watchdog.signal(self.pid(), Signal::STOP)
    }

    /// Continues a paused server.
    pub fn resume(&mut self) -> Result<(), Error> {
        self.watchdog.signal(self.pid(), Signal::CONT)
    }

    /// Starts it again on the same socket, after a clean shutdown if it is running. It is empty
    /// unless it is persistent.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down()?;
        self.launch()
    }

    /// Shuts down cleanly, then removes the data. Dropping is faster.
    pub fn stop(mut self) -> Result<(), Error> {
        self.shut_down()
    }

    fn launch(&mut self) -> Result<(), Error> {
        self.watchdog.start()?;
        self.watchdog.wait_ready(answers_ping)
    }

    fn shut_down(&mut self) -> Result<(), Error> {
        self.watchdog.signal(self.pid(), Signal::TERM)?;
        self.watchdog.signal(self.pid(), Signal::CONT)?;
        self.watchdog.wait_ended(&[self.pid()])
    }
}

fn server_command(binaries: &Binaries, options: RedisOptions, directory: &Path) -> Command {
    let append_only = if options.persistent { "yes" } else { "no" };
    let mut command = binaries.redis();
    command.args(["--port", "0"]);
    listen_on_socket(&mut command, directory);
    command
        .args(["--save", "", "--appendonly", append_only])
        .args(["--maxmemory-policy", "noeviction"]);
    command
}

fn listen_on_socket(command: &mut Command, directory: &Path) {
    command
        .args(["--unixsocketperm", "700", "--daemonize", "no"])
        .arg("--unixsocket")
        .arg(directory.join(SOCKET))
        .arg("--dir")
        .arg(directory);
}

/// While the server loads its data, it answers with another error instead.
fn answers_ping(directory: &Path) -> bool {
    let ping = || -> std::io::Result<[u8; 7]> {
        let mut socket = UnixStream::connect(directory.join(SOCKET))?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        socket.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        socket.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| [b"+PONG\r\n", b"-NOAUTH"].contains(&&answer))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_a_pong_or_the_wish_for_a_password_makes_a_server_ready() {
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        assert!(!answers_ping(directory.path()));
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let server = std::thread::spawn(move || {
            for answer in [b"-LOADING Redis is loading\r\n".as_slice(), b"+PONG\r\n"] {
                let (mut socket, _) = listener.accept().unwrap();
                socket.read_exact(&mut [0; 6]).unwrap();
                socket.write_all(answer).unwrap();
            }
        });
        assert!(!answers_ping(directory.path()));
        assert!(answers_ping(directory.path()));
        server.join().unwrap();
    }
}
