//! One private Postgres, on a unix socket or on a port of this machine.

mod data;
mod template;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::error::io;
use crate::watchdog::{Server, Watchdog};
use crate::{Binaries, Error, process};

pub use template::{PostgresTemplate, TemplateBuilder, TemplateState};

/// The server folds case for all languages, and sorts by bytes.
const CTYPE: &str = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };

/// Creates our database and drops template0, which no one needs here and which is a quarter of the
/// cost of a copy.
const SETUP: &str = "\
CREATE DATABASE mis_sync
UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'
DROP DATABASE template0
";

/// The choices for a server.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Whether a commit waits for the disk. Without it a commit survives a killed server but not a
    /// lost machine, and the data are in memory if there is room.
    pub fsync: bool,
    /// The most connections at the same time.
    pub max_connections: u16,
    /// Memory for pages, in MiB.
    pub shared_buffers_mib: u32,
    /// The port of 127.0.0.1, open to every user of this machine; `None` for a unix socket that
    /// only its own user can reach.
    pub port: Option<u16>,
}

impl PostgresOptions {
    /// Durable, with room for a large school: for the demo, benchmarks and durability tests.
    pub fn durable() -> Self {
        Self { fsync: true, max_connections: 100, shared_buffers_mib: 128, port: None }
    }

    /// Fast and not durable: for tests.
    pub fn quick() -> Self {
        Self { fsync: false, max_connections: 100, shared_buffers_mib: 16, port: None }
    }

    fn settings(&self) -> Vec<String> {
        let durable = if self.fsync { "on" } else { "off" };
        vec![
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            format!("max_connections={}", self.max_connections),
            format!("shared_buffers={}MB", self.shared_buffers_mib),
            format!("listen_addresses={}", self.port.map_or("", |_| "127.0.0.1")),
            "unix_socket_permissions=0700".to_owned(),
            // Segments are files of the private directory, so a killed server leaves none behind.
            "dynamic_shared_memory_type=mmap".to_owned(),
            "huge_pages=off".to_owned(),
            "jit=off".to_owned(),
            "wal_level=minimal".to_owned(),
            // Segments are small (see `initialise`), which would otherwise cause many checkpoints
            // and recycled files.
            "min_wal_size=4MB".to_owned(),
            "max_wal_size=1GB".to_owned(),
            "max_wal_senders=0".to_owned(),
            "max_logical_replication_workers=0".to_owned(),
            // Neither statements nor the values in errors' details reach the log, because they
            // contain personal data.
            "log_min_error_statement=panic".to_owned(),
            "log_error_verbosity=terse".to_owned(),
            "timezone=UTC".to_owned(),
        ]
    }
}

/// A running server. Dropping it ends it and removes its data, and so does the death of this
/// process.
///
/// All methods block for some milliseconds, and so does dropping.
#[derive(Debug)]
pub struct Postgres {
    watchdog: Watchdog,
    paused: bool,
    port: Option<u16>,
}

impl Postgres {
    /// Initialises a new server with the empty database [`DATABASE`](crate::DATABASE) and starts
    /// it, which takes about a second.
    ///
    /// # Errors
    ///
    /// [`Error::Command`] if it cannot be initialised, [`Error::Server`] with the end of its log if
    /// it does not start, [`Error::Io`] if there is no room for it.
    pub fn create(binaries: &Binaries, options: &PostgresOptions) -> Result<Self, Error> {
        Self::launch(binaries, options, |watchdog| initialise(binaries, watchdog))
    }

    /// The URL of a database. Without a port it is for clients that accept `host` as the folder of
    /// a unix socket.
    pub fn url(&self, database: &str) -> String {
        let database = percent_encoded(database);
        if let Some(port) = self.port {
            return format!("postgres://postgres@127.0.0.1:{port}/{database}");
        }
        let folder = percent_encoded(&self.socket_dir().to_string_lossy());
        format!("postgres://postgres@localhost/{database}?host={folder}")
    }

    /// The folder of its socket, which is the server's private directory.
    pub fn socket_dir(&self) -> &Path {
        self.watchdog.directory()
    }

    /// The process id of the postmaster; it changes with [`Postgres::restart`].
    pub fn pid(&self) -> u32 {
        self.watchdog.pid()
    }

    /// Kills the server and all its backends with SIGKILL, as a power cut would.
    pub fn kill(&mut self) -> Result<(), Error> {
        let family = self.freeze()?;
        for pid in &family {
            self.watchdog.signal(*pid, Signal::KILL)?;
        }
        self.paused = false;
        self.watchdog.wait_ended(&family)
    }

    /// Stops the server and all its backends where they are, without closing a connection.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.freeze()?;
        self.paused = true;
        Ok(())
    }

    /// Continues a paused server.
    pub fn resume(&mut self) -> Result<(), Error> {
        let children = process::children(self.pid())?;
        for pid in children.into_iter().chain([self.pid()]) {
            self.watchdog.signal(pid, Signal::CONT)?;
        }
        self.paused = false;
        Ok(())
    }

    /// Starts the server again on its data, after a clean shutdown if it is running. The URLs stay
    /// the same.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down()?;
        self.start()
    }

    /// Shuts down cleanly, then removes the data. Dropping is faster.
    pub fn stop(mut self) -> Result<(), Error> {
        self.shut_down()
    }

    /// Starts a server on data that `prepare` puts into `data` in its private directory.
    fn launch(
        binaries: &Binaries,
        options: &PostgresOptions,
        prepare: impl FnOnce(&Watchdog) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let watchdog = Watchdog::new(parent(options), binaries.account, |directory| Server {
            name: "Postgres",
            end: "QUIT",
            command: server_command(binaries, options, directory),
        })?;
        prepare(&watchdog)?;
        let mut postgres = Self { watchdog, paused: false, port: options.port };
        postgres.start()?;
        Ok(postgres)
    }

    fn start(&mut self) -> Result<(), Error> {
        self.watchdog.start()?;
        let pid = self.pid();
        self.watchdog.wait_ready(|directory| is_ready(directory, pid))
    }

    /// Stops every process of the server and returns their ids. The postmaster stops first, so that
    /// it starts no more; the others are its direct children.
    fn freeze(&self) -> Result<Vec<u32>, Error> {
        self.watchdog.signal(self.pid(), Signal::STOP)?;
        let mut family = process::children(self.pid())?;
        for pid in &family {
            self.watchdog.signal(*pid, Signal::STOP)?;
        }
        family.push(self.pid());
        Ok(family)
    }

    /// Disconnects the clients, writes everything to disk and ends. Does nothing if the server has
    /// ended.
    fn shut_down(&mut self) -> Result<(), Error> {
        if self.paused {
            self.resume()?;
        }
        self.watchdog.signal(self.pid(), Signal::INT)?;
        self.watchdog.wait_ended(&[self.pid()])
    }

    fn data(&self) -> PathBuf {
        self.watchdog.directory().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.paused {
            // Paused backends would delay the end by five seconds. If this fails, that is what
            // happens.
            let _ = self.resume();
        }
    }
}

/// Memory for data that need not survive a crash, if a gibibyte is free there. Both paths are
/// short, because of the socket.
fn parent(options: &PostgresOptions) -> &'static Path {
    let memory = Path::new("/dev/shm");
    let free =
        rustix::fs::statvfs(memory).map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    if !options.fsync && free >= 1 << 30 { memory } else { Path::new("/tmp") }
}

fn server_command(binaries: &Binaries, options: &PostgresOptions, directory: &Path) -> Command {
    let mut command = binaries.postgres();
    command.arg("-D").arg(directory.join("data"));
    let port = options.port.unwrap_or(5432).to_string();
    command.arg("-k").arg(directory).args(["-p", &port]);
    for setting in options.settings() {
        command.args(["-c", &setting]);
    }
    command
}

fn initialise(binaries: &Binaries, watchdog: &Watchdog) -> Result<(), Error> {
    let mut initdb = binaries.initdb();
    initdb
        .args(["-D", "data", "--username=postgres", "--auth=trust"])
        .args(["--encoding=UTF8", "--lc-collate=C"])
        .arg(format!("--lc-ctype={CTYPE}"))
        // Each copy of a template contains whole segments of write-ahead log: 2 MB instead of 16.
        .args(["--wal-segsize=2", "--no-sync", "--no-instructions"]);
    watchdog.prepare(&mut initdb)?;

    // The single-user mode needs no client; it reads one statement from each line.
    let statements = watchdog.directory().join("setup.sql");
    fs::write(&statements, SETUP).map_err(io("cannot write", &statements))?;
    let mut single = binaries.postgres();
    single
        .args(["--single", "-D", "data", "-c", "fsync=off", "-c", "exit_on_error=on", "postgres"])
        .stdin(File::open(&statements).map_err(io("cannot read", &statements))?);
    watchdog.prepare(&mut single).map(drop)
}

/// The postmaster writes its state into the eighth line of its pid file. The first line shows
/// whether the file is its own.
fn is_ready(directory: &Path, pid: u32) -> bool {
    let file = fs::read_to_string(directory.join("data/postmaster.pid")).unwrap_or_default();
    let mut lines = file.lines();
    lines.next() == Some(pid.to_string().as_str())
        && lines.nth(6).map(str::trim_end) == Some("ready")
}

fn percent_encoded(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| {
        if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_pid_file_makes_a_server_ready() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("data/postmaster.pid");
        fs::create_dir(file.parent().unwrap()).unwrap();
        assert!(!is_ready(directory.path(), 7));
        let lines = "7\n/tmp/d\n1700000000\n5432\n/tmp\n\n  1234   5\n";
        fs::write(&file, format!("{lines}starting\n")).unwrap();
        assert!(!is_ready(directory.path(), 7));
        fs::write(&file, format!("{lines}ready   \n")).unwrap();
        assert!(is_ready(directory.path(), 7) && !is_ready(directory.path(), 8));
    }

    #[test]
    fn urls_are_percent_encoded() {
        assert_eq!(percent_encoded("/tmp/mis-aB3 é"), "%2Ftmp%2Fmis-aB3%20%C3%A9");
    }

    #[test]
    fn the_setup_creates_the_promised_database() {
        assert_eq!(
            SETUP.lines().next(),
            Some(format!("CREATE DATABASE {}", crate::DATABASE).as_str())
        );
    }
}
