use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mis_sync_devservices::{Chromium, Error};

use crate::{runs, wait_until};

/// A browser; `None` if the machine has none, which is a failure if `CI=true`.
fn chromium() -> Option<Chromium> {
    match Chromium::start() {
        Ok(chromium) => Some(chromium),
        Err(missing @ Error::Missing { .. }) => {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
            println!("SKIPPED: {missing}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whether a browser takes commands at this address.
fn answers(devtools_url: &str) -> bool {
    let address = devtools_url.strip_prefix("ws://").unwrap().split_once('/').unwrap().0;
    let ask = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect(address)?;
        write!(socket, "GET /json/version HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        let mut first_line = String::new();
        BufReader::new(socket).read_line(&mut first_line)?;
        Ok(first_line)
    };
    ask().is_ok_and(|line| line.starts_with("HTTP/1.1 200"))
}

/// The private directory of the browser with this address.
fn directory_of(devtools_url: &str) -> PathBuf {
    let id = devtools_url.rsplit_once('/').unwrap().1;
    let is_its = |directory: &PathBuf| {
        let file = std::fs::read_to_string(directory.join("profile/DevToolsActivePort"));
        file.is_ok_and(|file| file.ends_with(id))
    };
    let mut directories = std::fs::read_dir("/tmp").unwrap().map(|entry| entry.unwrap().path());
    directories.find(is_its).unwrap()
}

/// The watchdog, the browser and its helpers: every process in the group of one that names the
/// directory.
fn family(directory: &Path) -> Vec<u32> {
    let ps = Command::new("ps").args(["-A", "-ww", "-o", "pgid=,pid=,args="]).output().unwrap();
    let listed = String::from_utf8_lossy(&ps.stdout).into_owned();
    let group = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let pid = |line: &str| line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let naming =
        |line: &&str| line.contains("watchdog") && line.contains(directory.to_str().unwrap());
    let watchdog = group(listed.lines().find(naming).unwrap());
    listed.lines().filter(|line| group(line) == watchdog).map(pid).collect()
}

#[test]
fn a_browser_answers_and_leaves_nothing() {
    let Some(chromium) = chromium() else { return };
    let (pid, url) = (chromium.pid(), chromium.devtools_url().to_owned());
    assert!(answers(&url));
    let directory = directory_of(&url);
    let family = family(&directory);
    assert!(family.contains(&pid) && family.len() > 2, "{family:?}");
    drop(chromium);
    assert!(!runs(pid) && !directory.exists() && !answers(&url));
    wait_until("a helper outlives its browser", || !family.iter().any(|pid| runs(*pid)));
}

#[test]
fn a_browser_dies_with_an_owner_that_is_killed() {
    if chromium().is_none() {
        return;
    }
    let mut owner = Command::new(env!("CARGO_BIN_EXE_mis-sync-devservices"))
        .args(["browser", "--", "sh", "-c", "echo $DEVTOOLS_URL; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let directory = directory_of(url.trim_end());
    let family = family(&directory);
    assert!(answers(url.trim_end()));
    owner.kill().unwrap();
    owner.wait().unwrap();
    wait_until("a process outlives its owner", || !family.iter().any(|pid| runs(*pid)));
    wait_until("a profile outlives its owner", || !directory.exists());
}
