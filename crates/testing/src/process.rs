//! A program of ours as a process of its own.

use std::{
    fs::File,
    io::{Seek, Write},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{TestApp, eventually};

/// A program, by its path.
#[derive(Debug, Clone, Copy)]
pub struct Program(pub &'static str);

impl Program {
    /// The program with an environment of nothing but what a shell has.
    pub fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0);
        command.args(arguments).env_clear();
        for name in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs a command that ends by itself.
    pub async fn run(self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// The same with this on its standard input.
    pub async fn run_with_input(
        self,
        arguments: &[&str],
        variables: &[(&str, &str)],
        input: &str,
    ) -> Output {
        let mut command = self.command(arguments);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(input.as_bytes()).unwrap();
        file.rewind().unwrap();
        command.envs(variables.iter().copied()).stdin(file);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Starts it on the servers of `app`.
    pub fn start(self, app: &TestApp, arguments: &[&str], extra: &[(&str, &str)]) -> Process {
        let mut command = self.command(arguments);
        command.envs(app.environment()).envs(extra.iter().copied());
        Process::spawn(command)
    }

    /// Starts it with no server to use.
    pub fn start_alone(self, arguments: &[&str]) -> Process {
        Process::spawn(self.command(arguments))
    }
}

/// A running program; killed when it goes out of scope.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: TempDir,
}

impl Process {
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
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Memory that the process has in use, in KiB.
    #[cfg(target_os = "linux")]
    pub fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits until the process has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the process ends", async || child.try_wait().unwrap()).await
    }

    /// All that it has printed so far.
    pub fn printed(&self) -> String {
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
