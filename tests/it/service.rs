//! The program under systemd: what it tells the service manager, where its secrets are, and how its
//! units are hardened.

use std::{
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mis_sync_testing::{PATIENCE, Process, TestApp};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    doctor::app_without_worker,
    process::{MIS_SYNC, run},
};

/// A service manager as far as a process knows it: a socket that hears.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    fn start(&self, app: &TestApp, command: &str, watchdog: &str) -> Process {
        let path = self.folder.path().join("notify");
        let variables = [
            ("NOTIFY_SOCKET", path.to_str().unwrap()),
            ("WATCHDOG_USEC", watchdog),
            ("MIS_SYNC__API__LISTEN", "127.0.0.1:0"),
        ];
        MIS_SYNC.start(app, &[command], &variables)
    }

    /// The next message; `None` if nothing comes for this long.
    fn hear(&self, longest: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(longest)).unwrap();
        let mut message = [0; 512];
        let length = self.socket.recv(&mut message).ok()?;
        Some(String::from_utf8_lossy(&message[..length]).into_owned())
    }

    /// Waits for a message with this line.
    fn wait_for(&self, line: &str) -> String {
        loop {
            let message = self.hear(PATIENCE).unwrap_or_else(|| panic!("no {line}"));
            if message.lines().any(|one| one == line) {
                return message;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_is_told_when_it_is_ready_alive_and_stopping() {
    let app = app_without_worker().await;
    for command in ["serve", "worker"] {
        let manager = Manager::new();
        let mut process = manager.start(&app, command, "2000000");
        let ready = manager.hear(PATIENCE).unwrap();
        assert!(ready.starts_with("READY=1\nSTATUS="), "{ready}");
        if command == "worker" {
            let found = mis_sync_store::workers::list(&app.pool).await.unwrap();
            assert_eq!(found.len(), 1, "it is known when it is ready");
        }
        manager.wait_for("WATCHDOG=1");
        manager.wait_for("WATCHDOG=1");

        process.signal(Signal::STOP);
        while manager.hear(Duration::from_secs(2)).is_some() {}
        process.signal(Signal::CONT);
        manager.wait_for("WATCHDOG=1");

        process.signal(Signal::TERM);
        manager.wait_for("STOPPING=1");
        assert!(process.ended().await.success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_cannot_work_never_says_that_it_is_ready() {
    let app = app_without_worker().await;
    crate::rows::execute(&app, "DELETE FROM _sqlx_migrations WHERE version > 20").await;
    for command in ["serve", "worker"] {
        let manager = Manager::new();
        let mut process = manager.start(&app, command, "2000000");
        assert_eq!(process.ended().await.code(), Some(2), "{}", process.printed());
        assert_eq!(manager.hear(Duration::from_millis(1)), None);
    }
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

/// The secrets of `app` as credentials, and all else as variables.
fn credentials(app: &TestApp, folder: &Path) -> Vec<(&'static str, String)> {
    let names = [
        ("DATABASE_URL", "database.url"),
        ("REDIS_URL", "redis.url"),
        ("MIS_SYNC__ENCRYPTION__KEY", "encryption.key"),
    ];
    let mut others = app.environment();
    others.retain(|(variable, value)| {
        let name = names.iter().find(|(secret, _)| secret == variable);
        if let Some((_, name)) = name {
            std::fs::write(folder.join(name), format!("{value}\n")).unwrap();
        }
        name.is_none()
    });
    others
}

#[tokio::test]
async fn credentials_of_systemd_are_read() {
    let app = app_without_worker().await;
    let folder = TempDir::new().unwrap();
    let mut variables = credentials(&app, folder.path());
    variables.push(("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap().to_owned()));
    variables.push(("MIS_SYNC__API__LISTEN", "127.0.0.1:0".to_owned()));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
    let output = run(&["doctor"], &variables).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    let twice = [&variables[..], &[("REDIS_URL", "redis://x")]].concat();
    let output = run(&["doctor"], &twice).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("redis.url is set twice: by REDIS_URL and by the credential"), "{said}");
}

/// The example, filled in with a password of every odd character, as a shell sources it and as
/// systemd reads it.
#[tokio::test]
async fn the_example_of_an_environment_survives_being_sourced() {
    let app = app_without_worker().await;
    let example = std::fs::read_to_string(deploy("mis-sync.env.example")).unwrap();
    crate::rows::execute(&app, "CREATE ROLE odd LOGIN SUPERUSER PASSWORD 'a&b#c$d e;f\"g`h\\i!'")
        .await;
    let hba = crate::rows::texts(&app, "SHOW hba_file").await.remove(0);
    std::fs::write(hba, "local all odd scram-sha-256\nlocal all all trust\n").unwrap();
    crate::rows::execute(&app, "SELECT pg_reload_conf()").await;

    let login = "odd:a&b%23c$d%20e;f%22g%60h%5Ci!";
    let environment = app.environment();
    let value = |name| &environment.iter().find(|(of, _)| *of == name).unwrap().1;
    let database = value("DATABASE_URL").replace("postgres@", &format!("{login}@"));
    let mut filled = String::new();
    for line in example.lines() {
        let secret = line.trim_start_matches('#').split('=').next().unwrap();
        let line = match secret {
            "DATABASE_URL" => format!("DATABASE_URL='{database}'"),
            "REDIS_URL" | "MIS_SYNC__ENCRYPTION__KEY" => format!("{secret}='{}'", value(secret)),
            _ => line.to_owned(),
        };
        // What both read alike: a name, and a text between single quotes.
        let is_alike = |(name, text): (&str, &str)| {
            name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                && text
                    .strip_prefix('\'')
                    .and_then(|rest| rest.strip_suffix('\''))
                    .is_some_and(|inner| !inner.contains('\''))
        };
        let is_comment = line.is_empty() || line.starts_with('#');
        assert!(is_comment || line.split_once('=').is_some_and(is_alike), "{line}");
        filled.push_str(&line);
        filled.push('\n');
    }
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("mis-sync.env"), filled).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "set -a; . ./mis-sync.env; set +a; exec \"$0\" doctor", MIS_SYNC.0]);
    shell.env_clear().current_dir(folder.path());
    for (name, value) in &environment {
        if !["DATABASE_URL", "REDIS_URL", "MIS_SYNC__ENCRYPTION__KEY"].contains(name) {
            shell.env(name, value);
        }
    }
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("ok     database.rights"), "{said}");
}

/// The figure is that of `systemd-analyze`: 0 is closed, 10 is open.
#[test]
fn the_units_are_hardened() {
    for unit in ["api", "worker", "migrate"] {
        let file = deploy(&format!("systemd/mis-sync-{unit}.service"));
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["security", "--offline=true", "--no-pager", "--threshold=20"]).arg(file);
        let Ok(output) = analyze.output() else {
            assert!(std::env::var_os("CI").is_none(), "CI has systemd-analyze");
            println!("SKIPPED: there is no systemd-analyze");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{unit}: {said}");
    }
}
