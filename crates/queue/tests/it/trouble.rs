//! A Redis that answers but delivers nothing: full, read-only, unable to save, or never told.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use mis_sync_domain::{JobState, RefreshUser, StaffId};
use mis_sync_queue::{NewJob, Queue, RedisTrouble, Swept, WorkerOptions};
use mis_sync_store::jobs;
use mis_sync_testing::{PATIENCE, another_redis, eventually};

use crate::fixture::{READY, Runs, TestQueue, new_job, options};

impl TestQueue {
    /// Waits until this process knows the state of Redis.
    pub(crate) async fn until_redis_is(&self, expected: Option<RedisTrouble>) {
        eventually(&format!("Redis is known to be {expected:?}"), async || {
            let found = self.queue.redis().check(PATIENCE).await.err();
            (found.map(|error| error.trouble()) == expected).then_some(())
        })
        .await;
    }

    /// A sync and a login are accepted now, and run without any sweeper.
    pub(crate) async fn jobs_run(&self) {
        let jobs = [self.enqueue().await, self.login().await];
        self.wait_for(&jobs, JobState::Succeeded).await;
    }
}

#[tokio::test]
async fn jobs_run_while_redis_takes_no_writes_and_over_it_again_afterwards() {
    let test = TestQueue::start().await;
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.jobs_run().await;
    for (trouble, end, known_as) in [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", RedisTrouble::Full),
        (
            "CONFIG SET min-replicas-to-write 1",
            "CONFIG SET min-replicas-to-write 0",
            RedisTrouble::RefusesWrites,
        ),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", RedisTrouble::ReadOnly),
    ] {
        let () = test.redis_command(trouble).await;
        test.jobs_run().await;
        test.until_redis_is(Some(known_as)).await;
        test.jobs_run().await;
        let () = test.redis_command(end).await;
        test.until_redis_is(None).await;
        test.jobs_run().await;
    }
    worker.stop().await;
}

#[tokio::test]
async fn jobs_run_while_redis_cannot_save() {
    let test = TestQueue::start().await;
    let worker = test.worker(Runs::default().handler(&test.pool));
    let socket = test.servers.redis.socket();
    let directory = socket.parent().unwrap();
    let writable = |mode| fs::set_permissions(directory, fs::Permissions::from_mode(mode)).unwrap();
    let mut command = redis::cmd("CONFIG");
    let save = command.arg("SET").arg("save").arg("3600 1");
    let () = save.query_async(&mut test.redis().await).await.unwrap();
    test.jobs_run().await;
    writable(0o555);
    eventually("a snapshot has failed", async || {
        let command = redis::cmd("BGSAVE");
        let _one_may_be_under_way =
            command.query_async::<redis::Value>(&mut test.redis().await).await;
        let info: String = test.redis_command("INFO persistence").await;
        info.contains("rdb_last_bgsave_status:err").then_some(())
    })
    .await;
    test.jobs_run().await;
    test.until_redis_is(Some(RedisTrouble::RefusesWrites)).await;
    test.jobs_run().await;
    writable(0o700);
    worker.stop().await;
}

#[tokio::test]
async fn ids_that_wait_in_a_full_redis_are_taken_out() {
    let test = TestQueue::start().await;
    let before = test.enqueue_many(20).await;
    let () = test.redis_command("CONFIG SET maxmemory 1").await;
    test.until_redis_is(Some(RedisTrouble::Full)).await;
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.wait_for(&before, JobState::Succeeded).await;
    eventually("no id is left behind", async || {
        (test.redis_command::<u64>(&format!("ZCARD {READY}")).await == 0).then_some(())
    })
    .await;
    worker.stop().await;
}

#[tokio::test]
async fn what_nobody_delivered_is_found_though_redis_is_well() {
    let test = TestQueue::start().await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let login = RefreshUser { school_id: "oak".parse().unwrap(), staff_id: StaffId::new() };
    let login = NewJob::of(&login, "test");
    let mut silent = Vec::new();
    for new in [new_job(), login] {
        silent.push(jobs::enqueue(&test.pool, &new, None).await.unwrap().job().id);
    }
    test.wait_for(&silent, JobState::Succeeded).await;
    test.jobs_run().await;
    worker.stop().await;
    assert_eq!(runs.all().len(), 4);
}

#[tokio::test]
async fn a_sweep_does_not_end_with_the_first_push_that_fails() {
    let test = TestQueue::start().await;
    test.enqueue().await;
    test.login().await;
    let () = test.redis_command("FLUSHALL").await;
    let () = test.redis_command(&format!("SET {READY} junk")).await;
    test.age_deliveries().await;
    let swept = test.queue.redeliver_due().await.unwrap();
    assert_eq!(swept, Swept { redelivered: 1, undelivered: 1, ..Swept::default() });
    // A problem with one key is no reason to work without Redis.
    test.until_redis_is(None).await;
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.jobs_run().await;
    worker.stop().await;
}

#[tokio::test]
async fn pops_that_fail_at_once_come_no_faster_than_the_ledger_is_asked() {
    let test = TestQueue::start().await;
    let () = test.redis_command(&format!("SET {READY} junk")).await;
    let started = Instant::now();
    let worker = test.worker_with(
        WorkerOptions { concurrency: 1, ..options() },
        Runs::default().handler(&test.pool),
    );
    eventually("twenty pops of syncs have failed", async || {
        let stats: String = test.redis_command("INFO commandstats").await;
        let (_, pops) = stats.split_once("cmdstat_bzpopmin:")?;
        let (_, failed) = pops.split_once("failed_calls=")?;
        let failed: u32 = failed.split_whitespace().next()?.parse().unwrap();
        (failed >= 20).then_some(())
    })
    .await;
    // There is a quarter of a second between two of them; the first two may follow each other.
    assert!(started.elapsed() >= Duration::from_secs(4), "{:?}", started.elapsed());
    worker.stop().await;
}

/// A Redis that loads five thousand keys at a thousand a second, whenever it is told to.
const SLOW_TO_LOAD: &[&str] = &[
    "--enable-debug-command",
    "local",
    "--key-load-delay",
    "1000",
    "--loading-process-events-interval-bytes",
    "1024",
];

#[tokio::test]
async fn a_worker_works_beside_a_redis_that_loads_and_waits_for_it() {
    let mut test = TestQueue::start().await;
    test.servers.redis = another_redis(SLOW_TO_LOAD).await;
    test.queue = Queue::new(test.pool.clone(), test.servers.open_redis());
    let worker = test.worker(Runs::default().handler(&test.pool));
    test.until_someone_pops().await;
    let () = test.redis_command("DEBUG POPULATE 5000").await;
    let reload = {
        let mut connection = test.redis().await;
        tokio::spawn(async move {
            let mut command = redis::cmd("DEBUG");
            command.arg("RELOAD").query_async::<()>(&mut connection).await
        })
    };
    test.until_redis_is(Some(RedisTrouble::Loading)).await;
    let jobs = [test.enqueue().await, test.login().await];
    test.wait_for(&jobs, JobState::Succeeded).await;
    assert!(!reload.is_finished(), "it loads still");
    test.until_redis_is(None).await;
    test.until_someone_pops().await;
    test.jobs_run().await;
    drop(reload);
    worker.stop().await;
}
