//! `mis-sync` as a separate process.

use std::{
    fs::File,
    io::{Seek, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use mis_sync_testing::{TestApp, eventually};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A running `mis-sync`; it is killed when it goes out of scope.
pub(crate) struct Process {
    child: Child,
    output: TempDir,
}

impl Process {
    /// Starts `mis-sync` with these arguments on the servers of `app`.
    pub(crate) fn start(app: &TestApp, arguments: &[&str], extra: &[(&str, &str)]) -> Self {
        let mut command = command(arguments);
        command.envs(app.environment()).envs(extra.iter().copied());
        Self::spawn(command)
    }

    /// Starts `mis-sync` with these arguments and no server to use.
    pub(crate) fn start_alone(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments))
    }

    fn spawn(mut command: Command) -> Self {
        let output = TempDir::new().unwrap();
        let file = |name| Stdio::from(File::create(output.path().join(name)).unwrap());
        let child = command
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, output }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Memory that the process has in use, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits until the process has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the process ends", async || child.try_wait().unwrap()).await
    }

    /// Everything that it has printed so far.
    pub(crate) fn printed(&self) -> String {
        ["stdout", "stderr"]
            .map(|name| std::fs::read_to_string(self.output.path().join(name)).unwrap())
            .concat()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `mis-sync` with the environment of a plain shell.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).env_clear();
    for name in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Runs a command to its end.
pub(crate) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = command(arguments);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The same with this on its standard input.
pub(crate) async fn run_with_input(
    arguments: &[&str],
    variables: &[(&str, &str)],
    input: &str,
) -> Output {
    let mut command = command(arguments);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    command.envs(variables.iter().copied()).stdin(file);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_mis-sync-under-test"))
}
