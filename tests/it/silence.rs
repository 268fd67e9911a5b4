//! Sessions that hold rows and do not continue: a worker that sleeps in the middle of its write,
//! and a connection that died silently.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mis_sync_testing::{TestApp, TestAppOptions, eventually};
use mis_sync_wonde_sim::SimulatorOptions;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream, unix::OwnedReadHalf, unix::OwnedWriteHalf},
};

use crate::{
    people::assert_equal_to_truth,
    process::MIS_SYNC,
    rows::{execute_in, number, texts},
};

/// One school on a few pages, and a short lease. There is no worker yet.
async fn app_without_worker() -> TestApp {
    TestApp::start_with(TestAppOptions {
        simulator: SimulatorOptions { schools: 1, staff: 40, ..SimulatorOptions::default() },
        worker: false,
        lease: Duration::from_secs(3),
        ..TestAppOptions::default()
    })
    .await
}

#[tokio::test]
async fn a_worker_that_sleeps_in_the_middle_of_its_write_holds_nobody_up() {
    let mut app = app_without_worker().await;
    let school = app.connect_school(0).await;
    // The apply waits for the school's row, so that the worker can be stopped just there.
    let mut holder = app.pool.begin().await.unwrap();
    execute_in(&mut holder, "SELECT FROM school FOR NO KEY UPDATE").await;
    let sleeper = MIS_SYNC.start(&app, &["worker"], &[]);
    let job = app.press_sync(&school).await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    eventually("the apply waits", async || (number(&app, waiting).await == 1).then_some(())).await;
    sleeper.signal(Signal::STOP);
    holder.rollback().await.unwrap();
    let held = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
    eventually("it sleeps and holds the row", async || {
        (number(&app, held).await == 1).then_some(())
    })
    .await;

    app.start_worker();
    let done = app.wait_until_finished(&job).await;
    assert_eq!((&done["state"], &done["attempt"]), (&"succeeded".into(), &2.into()), "{done}");
    assert_equal_to_truth(&app, &school).await;
    eventually("the server has ended the sleeper's session", async || {
        (number(&app, held).await == 0).then_some(())
    })
    .await;

    let versions = "SELECT id::text || xmin::text FROM staff ORDER BY id";
    let before = texts(&app, versions).await;
    sleeper.signal(Signal::CONT);
    eventually("the sleeper sees that its lease is lost", async || {
        sleeper.printed().contains("\"job.outcome\":\"lost\"").then_some(())
    })
    .await;
    assert_eq!(texts(&app, versions).await, before);
}

#[tokio::test]
async fn the_server_ends_a_sleeping_leader_so_that_another_leads() {
    let app = app_without_worker().await;
    let leader = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    let first = MIS_SYNC.start(&app, &["worker"], &[]);
    eventually("the first leads", async || (number(&app, leader).await == 1).then_some(())).await;
    let pid = "SELECT pid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted";
    let slept = number(&app, pid).await;
    first.signal(Signal::STOP);
    let _second = MIS_SYNC.start(&app, &["worker"], &[]);
    eventually("the second leads", async || {
        let leads = texts(&app, &pid.replace("pid::bigint", "pid::text")).await;
        (leads.len() == 1 && leads[0] != slept.to_string()).then_some(())
    })
    .await;
}

/// Passes everything on between Postgres and its clients until one of them begins a write. Of that
/// connection it passes on this many messages more, and then nothing in either direction.
struct Proxy {
    folder: TempDir,
    is_armed: Arc<AtomicBool>,
}

impl Proxy {
    fn start(app: &TestApp, trigger: &'static str, more: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let name = ".s.PGSQL.5432";
        let listener = UnixListener::bind(folder.path().join(name)).unwrap();
        let server = app.servers.postgres.socket_dir().join(name);
        let is_armed = Arc::new(AtomicBool::new(true));
        let armed = Arc::clone(&is_armed);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let Ok(server) = UnixStream::connect(&server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let is_silent = Arc::new(AtomicBool::new(false));
                tokio::spawn(answers(from_server, to_client, Arc::clone(&is_silent)));
                let armed = Arc::clone(&armed);
                tokio::spawn(async move {
                    let (mut from, mut to) = (from_client, to_server);
                    let (mut buffer, mut left) = (vec![0; 1 << 16], None);
                    while let Ok(read @ 1..) = from.read(&mut buffer).await {
                        let text = String::from_utf8_lossy(&buffer[..read]);
                        if text.contains(trigger) && armed.swap(false, Ordering::SeqCst) {
                            left = Some(more);
                        }
                        left = match left {
                            Some(0) => {
                                is_silent.store(true, Ordering::SeqCst);
                                std::future::pending().await
                            }
                            left => left.map(|left| left - 1),
                        };
                        if left == Some(0) {
                            // The last message is passed on, and its answer is not.
                            is_silent.store(true, Ordering::SeqCst);
                        }
                        if to.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { folder, is_armed }
    }

    fn url(&self, app: &TestApp) -> String {
        let encoded = |path: &Path| path.to_str().unwrap().replace('/', "%2F");
        let (server, own) =
            (encoded(app.servers.postgres.socket_dir()), encoded(self.folder.path()));
        let url = app.servers.database_url();
        assert!(url.contains(&server), "{url}");
        url.replace(&server, &own)
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_silent: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The first attempt falls silent in the middle of this transaction; the next one succeeds.
async fn a_write_goes_silent(trigger: &'static str, more: usize) {
    let app = app_without_worker().await;
    let school = app.connect_school(0).await;
    let proxy = Proxy::start(&app, trigger, more);
    let url = proxy.url(&app);
    let _worker = MIS_SYNC.start(&app, &["worker"], &[("DATABASE_URL", &url)]);
    let job = app.press_sync(&school).await;
    let done = app.wait_until_finished(&job).await;
    assert!(!proxy.is_armed.load(Ordering::SeqCst), "nothing was silent");
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_equal_to_truth(&app, &school).await;
    let held = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    eventually("no session holds a row", async || (number(&app, held).await == 0).then_some(()))
        .await;
}

/// The statements that open the transaction of a page, and that of an apply.
const PAGE: &str = "synchronous_commit = off; SET LOCAL application_name";
const APPLY: &str = "BEGIN; SET LOCAL application_name";

#[tokio::test]
async fn a_page_whose_begin_is_lost_is_written_by_the_next_attempt() {
    a_write_goes_silent(PAGE, 0).await;
}

#[tokio::test]
async fn an_apply_whose_begin_is_not_answered_is_made_by_the_next_attempt() {
    a_write_goes_silent(APPLY, 1).await;
}

#[tokio::test]
async fn an_apply_that_gets_no_more_answers_is_made_by_the_next_attempt() {
    a_write_goes_silent(APPLY, 4).await;
}
