//! PgBouncer between mis-sync and Postgres.
//!
//! The program is the one that `PGBOUNCER` names, or the one of the system. Where there is none, these
//! tests are skipped.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use mis_sync_testing::{TestApp, TestAppOptions, eventually, free_port};
use mis_sync_wonde_sim::SimulatorOptions;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{
    doctor::doctor,
    people::assert_equal_to_truth,
    process::{MIS_SYNC, run},
};

/// A PgBouncer in front of the database of an app.
struct PgBouncer {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn skipped() {
    println!("SKIPPED: there is no pgbouncer; PGBOUNCER can name one");
}

/// The program and its minor version (1.x); `None` if there is none.
fn program() -> Option<(PathBuf, u32)> {
    let named = std::env::var_os("PGBOUNCER").map(PathBuf::from);
    let candidates = named.into_iter().chain(["/usr/sbin/pgbouncer".into(), "pgbouncer".into()]);
    for path in candidates {
        let Ok(output) = Command::new(&path).arg("--version").output() else { continue };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = said.strip_prefix("PgBouncer 1.").and_then(|rest| rest.split('.').next());
        if let Some(minor) = version.and_then(|minor| minor.trim().parse().ok()) {
            return Some((path, minor));
        }
    }
    skipped();
    None
}

impl PgBouncer {
    async fn start(app: &TestApp, program: &(PathBuf, u32), mode: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let (port, server) = (free_port(), app.servers.postgres.socket_dir().display());
        let prepares = if program.1 >= 21 { "max_prepared_statements = 200\n" } else { "" };
        let settings = format!(
            "[databases]\n* = host={server} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n\
             default_pool_size = 20\nmax_client_conn = 200\n{prepares}"
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(&program.0);
        command.arg("-q").stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            // It refuses to be root, as Postgres does.
            command.args(["-u", "nobody"]);
        }
        let child = command.arg(&file).spawn().unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/mis_sync");
        let bouncer = Self { child, url, _folder: folder };
        eventually("pgbouncer listens", async || {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        bouncer
    }
}

async fn app() -> TestApp {
    let simulator = SimulatorOptions { schools: 1, ..SimulatorOptions::default() };
    let options = TestAppOptions { worker: false, simulator, ..TestAppOptions::default() };
    TestApp::start_with(options).await
}

/// A worker that reaches the database through the pooler leads, and syncs a school.
async fn works_with(app: &TestApp, variables: &[(&str, &str)]) {
    let migrated = {
        let environment = app.environment();
        let mut all: Vec<(&str, &str)> =
            environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend_from_slice(variables);
        run(&["migrate"], &all).await
    };
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let school = app.connect_school(0).await;
    let worker = MIS_SYNC.start(app, &["worker"], variables);
    eventually("it leads", async || worker.printed().contains("this worker leads").then_some(()))
        .await;
    for _ in 0..3 {
        let job = app.press_sync(&school).await;
        let job = app.wait_until_finished(&job).await;
        assert_eq!(job["state"], "succeeded", "{job}\n{}", worker.printed());
    }
    assert_equal_to_truth(app, &school).await;
}

#[tokio::test]
async fn a_pooler_that_keeps_sessions_is_like_postgres() {
    let Some(program) = program() else { return };
    let app = app().await;
    let bouncer = PgBouncer::start(&app, &program, "session").await;
    let pooled = [("DATABASE_URL", bouncer.url.as_str())];
    let (code, findings) = doctor(&app, &pooled).await;
    assert_eq!(code, 0, "{findings:?}");
    findings.expect_texts("database.sessions", "ok", &["its own session"]);
    works_with(&app, &pooled).await;
}

#[tokio::test]
async fn a_pooler_that_shares_sessions_needs_an_address_beside_it() {
    let Some(program) = program() else { return };
    let app = app().await;
    let bouncer = PgBouncer::start(&app, &program, "transaction").await;
    let pooled = ("DATABASE_URL", bouncer.url.as_str());
    let (code, findings) = doctor(&app, &[pooled]).await;
    assert_eq!(code, 2, "{findings:?}");
    if program.1 >= 21 {
        findings.expect_texts("database.sessions", "fail", &["Set database.direct_url"]);
    }

    let direct = app.servers.database_url();
    let both = [pooled, ("MIS_SYNC__DATABASE__DIRECT_URL", direct.as_str())];
    let (code, findings) = doctor(&app, &both).await;
    if program.1 < 21 {
        assert_eq!(code, 2, "{findings:?}");
        findings.expect_texts("database.sessions", "fail", &["loses prepared statements", "1.21"]);
        return;
    }
    assert_eq!(code, 0, "{findings:?}");
    findings.expect_texts("database.sessions", "ok", &["database.direct_url"]);
    works_with(&app, &both).await;
}
