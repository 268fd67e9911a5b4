//! Processes: running one to its end, waiting for a condition, signals, and the system's table of processes.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::Error;

/// How long a server may take to start or stop. This is far above what it takes, for machines under
/// load.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Checks `condition` every few milliseconds until it returns a value; `None` after [`DEADLINE`].
pub(crate) fn poll<T>(
    mut condition: impl FnMut() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(Some(value));
        }
        if start.elapsed() > DEADLINE {
            return Ok(None);
        }
        // Neither server can report that it is ready or gone, so we have to poll.
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Runs `command` to its end and returns its standard output. A failure contains the end of its
/// output.
pub(crate) fn run(command: &mut Command) -> Result<String, Error> {
    let described = describe(command);
    let output = command.output().map_err(|error| Error::Command {
        command: described.clone(),
        output: error.to_string(),
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Error::Command { command: described, output: tail(&format!("{stdout}{stderr}")) })
}

/// The last twenty lines of a log.
pub(crate) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn describe(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

/// Sends `signal`. A process that is already gone is not an error.
pub(crate) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let pid =
        i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id is a positive i32");
    match rustix::process::kill_process(pid, signal) {
        Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether `pid` is running. A process that has ended but was not reaped is not.
pub(crate) fn is_running(pid: u32) -> Result<bool, Error> {
    Ok(find(pid)?.is_some_and(|process| !process.ended))
}

/// The direct children of `parent` that are running.
pub(crate) fn children(parent: u32) -> Result<Vec<u32>, Error> {
    let children =
        table()?.into_iter().filter(|process| process.parent == parent && !process.ended);
    Ok(children.map(|process| process.pid).collect())
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    ended: bool,
}

/// Linux has the process table as files; `ps` is missing in small images.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere `ps` may fail")]
fn find(pid: u32) -> Result<Option<Process>, Error> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    Ok(parse_stat(&String::from_utf8_lossy(&stat)))
}

#[cfg(target_os = "linux")]
fn table() -> Result<Vec<Process>, Error> {
    use crate::error::io;
    use std::path::Path;

    let path = Path::new("/proc");
    let entries = std::fs::read_dir(path).map_err(io("cannot list", path))?;
    // A process that ends meanwhile no longer has a file, and is rightly left out.
    let stats = entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes()[0].is_ascii_digit())
        .filter_map(|entry| std::fs::read(entry.path().join("stat")).ok());
    Ok(stats.filter_map(|stat| parse_stat(&String::from_utf8_lossy(&stat))).collect())
}

/// `12 (name) S 1 …`. The name may contain spaces and brackets, so what follows is read from the
/// last bracket.
#[cfg(target_os = "linux")]
fn parse_stat(stat: &str) -> Option<Process> {
    let (pid, _) = stat.split_once(' ')?;
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    let state = rest.next()?;
    Some(Process {
        pid: pid.parse().ok()?,
        parent: rest.next()?.parse().ok()?,
        ended: matches!(state, "Z" | "X"),
    })
}

#[cfg(not(target_os = "linux"))]
fn find(pid: u32) -> Result<Option<Process>, Error> {
    Ok(table()?.into_iter().find(|process| process.pid == pid))
}

#[cfg(not(target_os = "linux"))]
fn table() -> Result<Vec<Process>, Error> {
    let listed = run(Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]))?;
    Ok(listed.lines().filter_map(parse_ps).collect())
}

#[cfg(not(target_os = "linux"))]
fn parse_ps(line: &str) -> Option<Process> {
    let mut words = line.split_whitespace();
    Some(Process {
        pid: words.next()?.parse().ok()?,
        parent: words.next()?.parse().ok()?,
        ended: words.next()?.starts_with('Z'),
    })
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn this_process_runs_and_a_reaped_child_does_not() {
        assert!(is_running(std::process::id()).unwrap());
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(children(std::process::id()).unwrap().contains(&child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!is_running(child.id()).unwrap());
    }

    #[test]
    fn a_failed_command_says_what_it_printed() {
        let error =
            run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("out\nerr"), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_with_brackets_do_not_confuse_the_table() {
        let process = parse_stat("42 (a) b) Z 7 42 42 0").unwrap();
        let expected = Process { pid: 42, parent: 7, ended: true };
        assert_eq!(process, expected);
    }
}
