use std::os::unix::fs::MetadataExt;
use std::process::Command;

use mis_sync_devservices::{DATABASE, Postgres, PostgresOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::{binaries, runs};

/// Runs statements, then returns the first column of the first row of `question`.
pub(crate) fn ask(url: &str, statements: &str, question: &str) -> i64 {
    block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        connection.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
        let row = connection.fetch_one(AssertSqlSafe(question.to_owned())).await.unwrap();
        connection.close().await.unwrap();
        row.get(0)
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_server_answers_and_leaves_nothing() {
    let postgres = Postgres::create(&binaries(), &PostgresOptions::quick()).unwrap();
    let (directory, pid) = (postgres.socket_dir().to_owned(), postgres.pid());
    let letters = ask(&postgres.url(DATABASE), "", "SELECT (lower('ÉÖ') = 'éö')::int4::int8");
    assert_eq!(letters, 1);
    assert_eq!(ask(&postgres.url("postgres"), "", "SELECT 2::int8"), 2);
    assert_eq!(directory.metadata().unwrap().mode() & 0o777, 0o700);
    assert!(directory.join(".s.PGSQL.5432.lock").as_os_str().len() < 104);
    assert!(runs(pid));
    postgres.stop().unwrap();
    assert!(!runs(pid) && !directory.exists());
}

#[test]
fn root_does_not_run_it() {
    let postgres = Postgres::create(&binaries(), &PostgresOptions::quick()).unwrap();
    let ps = Command::new("ps")
        .args(["-o", "uid=", "-p", &postgres.pid().to_string()])
        .output()
        .unwrap();
    let uid: u32 = String::from_utf8(ps.stdout).unwrap().trim().parse().unwrap();
    assert_ne!(uid, 0);
    assert_eq!(postgres.socket_dir().metadata().unwrap().uid(), uid);
}

#[test]
fn committed_rows_survive_a_kill() {
    let mut postgres = Postgres::create(&binaries(), &PostgresOptions::durable()).unwrap();
    let url = postgres.url(DATABASE);
    let written = ask(&url, "CREATE TABLE t AS SELECT 41 AS n", "SELECT count(*) FROM t");
    assert_eq!(written, 1);
    let first = postgres.pid();
    postgres.kill().unwrap();
    assert!(!runs(first));
    postgres.restart().unwrap();
    assert_ne!(postgres.pid(), first);
    assert_eq!(ask(&url, "", "SELECT n::int8 FROM t"), 41);
    // Restarting a running server shuts it down cleanly.
    postgres.restart().unwrap();
    assert_eq!(ask(&url, "", "SELECT n::int8 FROM t"), 41);
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_server_leaves_no_shared_memory() {
    let mut postgres = Postgres::create(&binaries(), &PostgresOptions::quick()).unwrap();
    let pid_file = postgres.socket_dir().join("data/postmaster.pid");
    let lines = std::fs::read_to_string(pid_file).unwrap();
    let segment = lines.lines().nth(6).unwrap().split_whitespace().nth(1).unwrap();
    let exists = || {
        let segments = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
        let ids = segments.lines().filter_map(|line| line.split_whitespace().nth(1));
        ids.into_iter().any(|id| id == segment)
    };
    assert!(exists());
    postgres.kill().unwrap();
    assert!(exists(), "else this test shows nothing");
    drop(postgres);
    assert!(!exists());
}

#[test]
fn a_pause_holds_an_open_connection_too() {
    let mut postgres = Postgres::create(&binaries(), &PostgresOptions::quick()).unwrap();
    let url = postgres.url(DATABASE);
    block_on(async {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.ping().await.unwrap();
        postgres.pause().unwrap();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(200), connection.ping());
        assert!(waited.await.is_err(), "a paused server answered");
        postgres.resume().unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.ping().await.unwrap();
    });
    // This ends without waiting for the frozen backends.
    postgres.pause().unwrap();
    let start = std::time::Instant::now();
    drop(postgres);
    assert!(start.elapsed() < std::time::Duration::from_secs(4));
}

#[test]
fn a_server_that_cannot_start_shows_its_log() {
    let options = PostgresOptions {
        // More than any machine has.
        shared_buffers_mib: 512 * 1024 * 1024,
        ..PostgresOptions::quick()
    };
    let error = Postgres::create(&binaries(), &options).unwrap_err().to_string();
    assert!(error.contains("shared_buffers"), "{error}");
}
