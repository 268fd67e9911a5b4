use mis_sync_domain::{JobId, JobState};
use mis_sync_queue::{RedisTrouble, Swept};
use mis_sync_store::jobs;
use mis_sync_testing::{PATIENCE, eventually};

use crate::{
    fixture::{READY, Runs, TestQueue, new_job},
    rows,
};

#[tokio::test]
async fn without_redis_jobs_run_through_the_ledger_and_with_it_all_is_as_before() {
    let mut test = TestQueue::start().await;
    let runs = Runs::default();
    let mut expected = test.enqueue_many(2).await;
    test.servers.redis.kill().unwrap();
    let workers = [(); 2].map(|()| test.worker(runs.handler(&test.pool)));
    test.wait_for(&expected, JobState::Succeeded).await;
    // Accepted while it is away, and run.
    let accepted = test.enqueue_many(2).await;
    test.wait_for(&accepted, JobState::Succeeded).await;

    test.servers.redis.restart().unwrap();
    let back = test.enqueue_many(20).await;
    test.wait_for(&back, JobState::Succeeded).await;
    for worker in workers {
        worker.stop().await;
    }
    expected.extend(accepted.into_iter().chain(back));
    let mut ran = runs.all();
    ran.sort();
    assert_eq!(ran, expected, "none is lost, none is doubled");
    assert_eq!(rows::count(&test.pool, "SELECT count(*) FROM job_attempt").await, 24);
}

#[tokio::test]
async fn a_job_accepted_without_redis_is_delivered_when_redis_is_back() {
    let mut test = TestQueue::start().await;
    test.servers.redis.kill().unwrap();
    let job = test.enqueue().await;
    test.age_deliveries().await;
    let trouble = test.queue.redis().check(PATIENCE).await.unwrap_err().trouble();
    assert_eq!(trouble, RedisTrouble::Away);
    assert_eq!(test.queue.redeliver_due().await.unwrap(), Swept::default());
    test.servers.redis.restart().unwrap();
    // The shared connection finds its way back, and the next sweep delivers.
    eventually("Redis answers", async || test.queue.redis().check(PATIENCE).await.ok()).await;
    assert_eq!(test.queue.redeliver_due().await.unwrap().redelivered, 1);
    assert_eq!(
        test.redis_command::<Vec<String>>(&format!("ZRANGE {READY} 0 -1")).await,
        [job.to_string()]
    );
}

#[tokio::test]
async fn a_worker_survives_a_redis_that_hangs() {
    let mut test = TestQueue::start().await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let first = test.enqueue().await;
    test.wait_for(&[first], JobState::Succeeded).await;
    test.servers.redis.pause().unwrap();
    let hung = test.enqueue().await;
    test.wait_for(&[hung], JobState::Succeeded).await;
    test.servers.redis.resume().unwrap();
    let after = test.enqueue().await;
    test.wait_for(&[after], JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(runs.all(), [first, hung, after]);
}

#[tokio::test]
async fn a_worker_survives_a_restart_of_the_ledger() {
    let mut test = TestQueue::start().await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let first = test.enqueue().await;
    test.wait_for(&[first], JobState::Succeeded).await;
    test.servers.postgres.restart().unwrap();
    let second = enqueue_when_the_ledger_is_back(&test).await;
    test.wait_for(&[second], JobState::Succeeded).await;

    // Redis is away when the id arrives: the worker keeps it until the ledger is back, without any
    // sweeper.
    let third = jobs::enqueue(&test.pool, &new_job(), None).await.unwrap().job().id;
    // A clean restart first, because a test's Postgres forgets its last commits when killed.
    test.servers.postgres.restart().unwrap();
    test.servers.postgres.kill().unwrap();
    let () = test.redis_command(&format!("ZADD {READY} 0 {third}")).await;
    eventually("the id is taken", async || {
        (test.redis_command::<u64>(&format!("ZCARD {READY}")).await == 0).then_some(())
    })
    .await;
    test.servers.postgres.restart().unwrap();
    let fourth = enqueue_when_the_ledger_is_back(&test).await;
    test.wait_for(&[third, fourth], JobState::Succeeded).await;
    worker.stop().await;
}

/// A pool hands out a connection that was just used without checking it.
async fn enqueue_when_the_ledger_is_back(test: &TestQueue) -> JobId {
    eventually("the ledger answers", async || {
        let enqueued = test.queue.enqueue(&new_job(), None).await;
        enqueued.ok().map(|enqueued| enqueued.job().id)
    })
    .await
}
