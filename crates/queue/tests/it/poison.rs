//! A job that kills its worker, again and again, and others beside it.

use std::{os::unix::process::ExitStatusExt, process::Stdio};

use mis_sync_domain::{JobId, JobState};
use mis_sync_queue::{Claimed, Queue, Redis, WorkerOptions, run_worker};
use mis_sync_store::{Pool, connect, jobs};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{TestQueue, handler, new_job, options, succeed},
    rows,
};

const DATABASE: &str = "POISON_DATABASE_URL";
const REDIS: &str = "POISON_REDIS_URL";
const PILL: &str = "POISON_PILL";

/// Jobs that run beside the poison or could: all whose worker never died.
const OTHERS_WAIT: &str = "SELECT count(*) FROM job
    WHERE kind <> 'refresh-user' AND crashes = 0 AND state <> 'running'";
const PILL_RUNS: &str = "SELECT count(*) FROM job WHERE state = 'running' AND unique_key = 'pill'";

/// The worker process of the test below, which starts it. It aborts on the poison as soon as every
/// job runs that may run beside it; the others continue once the poison does not run.
#[tokio::test]
#[ignore = "it is no test by itself"]
#[expect(clippy::disallowed_methods, reason = "the test that starts it has no other way to tell")]
async fn worker_process() {
    let variable = |name| std::env::var(name).expect("the test that starts this says so");
    let pool = connect(&variable(DATABASE), 10).unwrap();
    let pill: JobId = variable(PILL).parse().unwrap();
    let queue = Queue::new(pool.clone(), Redis::open(&variable(REDIS), "test").unwrap());
    let run = handler(move |claimed: Claimed| {
        let pool = pool.clone();
        async move {
            let until_none = if claimed.job.id == pill { OTHERS_WAIT } else { PILL_RUNS };
            while rows::count(&pool, until_none).await > 0 {}
            if claimed.job.id == pill {
                std::process::abort();
            }
            succeed(&pool, &claimed).await
        }
    });
    let options = WorkerOptions { concurrency: 20, ..options() };
    run_worker(queue, options, run, CancellationToken::new()).await.unwrap();
}

impl TestQueue {
    fn worker_process(&self, pill: JobId) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "poison::worker_process", "--ignored"])
            .env(DATABASE, self.servers.database_url())
            .env(REDIS, self.servers.redis_url())
            .env(PILL, pill.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// A job without an id on Redis: all of them are found in the ledger, the oldest first.
    async fn undelivered(&self, unique_key: &str) -> JobId {
        let new = mis_sync_queue::NewJob { unique_key: unique_key.into(), ..new_job() };
        jobs::enqueue(&self.pool, &new, None).await.unwrap().job().id
    }
}

/// As if the time of the leases had passed.
async fn end_leases(pool: &Pool) {
    let sql = "UPDATE job SET lease_until = now() - interval '1 s' WHERE state = 'running'";
    rows::change(pool, sql).await;
}

#[tokio::test]
async fn a_job_that_kills_its_worker_does_not_take_others_with_it() {
    let test = TestQueue::start().await;
    let pill = test.undelivered("pill").await;
    let mut others = Vec::new();
    for name in ["first", "second", "third"] {
        others.push(test.undelivered(name).await);
    }
    for crash in 1..=5 {
        // A job that was never there before runs beside it each time.
        others.push(test.undelivered(&format!("bystander {crash}")).await);
        test.age_deliveries().await;
        let status = test.worker_process(pill).wait().await.unwrap();
        assert!(status.signal().is_some(), "{crash}: it was to be killed by the pill: {status}");
        end_leases(&test.pool).await;
        jobs::fail_exhausted(&test.pool).await.unwrap();
    }
    let job = test.job(pill).await;
    assert_eq!((job.state, job.attempt), (JobState::Failed, 5));
    assert_eq!(job.error.unwrap().code, "worker_lost");
    let _worker = test.worker_process(pill);
    test.wait_for(&others, JobState::Succeeded).await;
    let most =
        rows::count(&test.pool, "SELECT max(crashes)::int8 FROM job WHERE state <> 'failed'");
    assert_eq!(most.await, 1, "each was beside it once");
}

#[tokio::test]
async fn suspects_run_one_at_a_time_and_none_is_forgotten() {
    let test = TestQueue::start().await;
    let suspects = test.enqueue_many(4).await;
    let logins = [test.login().await, test.login().await];
    rows::change(&test.pool, "UPDATE job SET crashes = 1").await;
    let pool = test.pool.clone();
    let alone = "SELECT count(*) FROM job WHERE state = 'running' AND crashes > 0";
    let worker = test.worker(handler(move |claimed| {
        let pool = pool.clone();
        async move {
            if claimed.job.crashes > 0 {
                assert_eq!(rows::count(&pool, alone).await, 1);
            }
            succeed(&pool, &claimed).await
        }
    }));
    // A job that is not a suspect does not wait for them.
    let innocent = test.enqueue().await;
    test.wait_for(&[innocent], JobState::Succeeded).await;
    test.wait_for(&suspects, JobState::Succeeded).await;
    test.wait_for(&logins, JobState::Succeeded).await;
    worker.stop().await;
    let panics = "SELECT count(*) FROM job_attempt WHERE outcome <> 'succeeded'";
    assert_eq!(rows::count(&test.pool, panics).await, 0);
}
