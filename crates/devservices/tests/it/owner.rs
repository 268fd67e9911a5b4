use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::{empty_cache, runs, wait_until};

/// The program with a command that never ends, and what is known about its servers.
struct Owner {
    child: Child,
    /// The command, a `cat` that waits for the end of its stdin.
    command: u32,
    stdin: Option<ChildStdin>,
    servers: Vec<u32>,
    directories: Vec<PathBuf>,
}

fn start(cache: &Path) -> Owner {
    let report = "echo $$; echo $DATABASE_URL; echo $REDIS_URL; exec cat";
    let mut child = Command::new(env!("CARGO_BIN_EXE_mis-sync-devservices"))
        .args(["run", "--", "sh", "-c", report])
        .env("XDG_CACHE_HOME", cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let command = line().parse().unwrap();
    let folder = line().split_once("?host=").unwrap().1.replace("%2F", "/");
    let socket = line().strip_prefix("redis+unix://").unwrap().to_owned();
    let directories = vec![PathBuf::from(folder), Path::new(&socket).parent().unwrap().to_owned()];
    Owner {
        stdin: child.stdin.take(),
        servers: processes_naming(&directories),
        child,
        command,
        directories,
    }
}

/// The watchdogs, the servers and the children of Postgres: every process whose command line or
/// working folder is one of the directories.
fn processes_naming(directories: &[PathBuf]) -> Vec<u32> {
    let ps = Command::new("ps").args(["-A", "-o", "pid=,args="]).output().unwrap();
    let listed = String::from_utf8_lossy(&ps.stdout).into_owned();
    let names = |line: &&str| {
        directories.iter().any(|directory| line.contains(directory.to_str().unwrap()))
    };
    let pid = |line: &str| line.split_whitespace().next().unwrap().parse().unwrap();
    listed.lines().filter(names).map(pid).collect()
}

impl Owner {
    fn expect_all_gone(&self) {
        wait_until("a process outlives its owner", || !self.servers.iter().any(|pid| runs(*pid)));
        wait_until("a directory outlives its owner", || {
            !self.directories.iter().any(|directory| directory.exists())
        });
    }
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn servers_die_with_an_owner_that_is_killed() {
    let cache = empty_cache();
    for signal_name in ["KILL", "TERM"] {
        let mut owner = start(cache.path());
        assert!(owner.servers.len() >= 4, "two watchdogs, two servers");
        assert!(owner.directories.iter().all(|directory| directory.exists()));
        signal(signal_name, owner.child.id());
        owner.child.wait().unwrap();
        // In production its own child is not ours to end, and it holds no pipe of the watchdogs.
        assert!(runs(owner.command));
        owner.expect_all_gone();
        drop(owner.stdin.take());
    }
}

#[test]
fn servers_die_when_paused_with_an_owner_that_is_killed() {
    let cache = empty_cache();
    let mut owner = start(cache.path());
    for pid in &owner.servers {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if !String::from_utf8_lossy(&command).contains("watchdog") {
            signal("STOP", *pid);
        }
    }
    signal("KILL", owner.child.id());
    owner.child.wait().unwrap();
    owner.expect_all_gone();
    drop(owner.stdin.take());
}

#[test]
fn the_program_exits_as_its_command_does() {
    let cache = empty_cache();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mis-sync-devservices"))
            .args(arguments)
            .env("XDG_CACHE_HOME", cache.path())
            .output()
            .unwrap()
    };
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert_eq!(code(&["run", "--", "sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["run", "--", "sh", "-c", "kill -s TERM $$"]), Some(143));
    assert_eq!(code(&["run", "--", "/no/such/program"]), Some(2));
    assert_eq!(code(&["run"]), Some(2));
    let told = String::from_utf8(run(&["where"]).stdout).unwrap();
    assert!(told.starts_with("postgres ") && told.contains("\nredis "), "{told}");
}
