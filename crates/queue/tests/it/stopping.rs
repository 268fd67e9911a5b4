use std::{sync::Arc, time::Duration};

use mis_sync_domain::JobState;
use mis_sync_queue::{Handler, WorkerOptions};
use mis_sync_testing::{PATIENCE, eventually};
use tokio::sync::Semaphore;

use crate::{
    fixture::{READY, Runs, TestQueue, handler, options, succeed},
    rows,
};

/// A handler whose jobs each wait for a permit of the gate.
fn behind(gate: &Arc<Semaphore>, test: &TestQueue) -> Handler {
    let (gate, pool) = (Arc::clone(gate), test.pool.clone());
    handler(move |claimed| {
        let (gate, pool) = (Arc::clone(&gate), pool.clone());
        async move {
            gate.acquire().await.unwrap().forget();
            succeed(&pool, &claimed).await
        }
    })
}

#[tokio::test]
async fn a_running_job_may_finish_and_no_new_one_is_taken() {
    let test = TestQueue::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let worker = test.worker(behind(&gate, &test));
    let running = test.enqueue().await;
    test.wait_for(&[running], JobState::Running).await;
    worker.stop.cancel();
    let late = test.enqueue().await;
    gate.add_permits(2);
    worker.stop().await;
    assert_eq!(test.job(running).await.state, JobState::Succeeded);
    let late = test.job(late).await;
    assert_eq!((late.state, late.attempt), (JobState::Queued, 0));
}

#[tokio::test]
async fn a_job_that_does_not_finish_in_time_is_handed_back_and_another_worker_takes_it() {
    let test = TestQueue::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let hasty = WorkerOptions { drain: Duration::from_millis(50), ..options() };
    let worker = test.worker_with(hasty, behind(&gate, &test));
    let jobs = test.enqueue_many(2).await;
    test.wait_for(&jobs, JobState::Running).await;
    worker.stop().await;
    for job in &jobs {
        let released = test.job(*job).await;
        assert_eq!((released.state, released.attempt), (JobState::Queued, 0));
        assert_eq!(rows::attempts(&test.pool, *job).await, [(1, Some("released".into()))]);
    }
    // No sweeper has to come by: handed back means delivered.
    let runs = Runs::default();
    let next = test.worker(runs.handler(&test.pool));
    test.wait_for(&jobs, JobState::Succeeded).await;
    next.stop().await;
    let story = [(1, Some("released".to_owned())), (1, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&test.pool, jobs[0]).await, story);
}

#[tokio::test]
async fn work_that_is_handed_back_has_ended_before_the_worker_has() {
    let test = TestQueue::start().await;
    let ended = Arc::new(Semaphore::new(0));
    struct OnDrop(Arc<Semaphore>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.add_permits(1);
        }
    }
    let run = {
        let ended = Arc::clone(&ended);
        handler(move |_| {
            let guard = OnDrop(Arc::clone(&ended));
            async move {
                let _guard = guard;
                std::future::pending().await
            }
        })
    };
    let hasty = WorkerOptions { drain: Duration::from_millis(50), ..options() };
    let worker = test.worker_with(hasty, run);
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Running).await;
    worker.stop().await;
    let _ended = tokio::time::timeout(PATIENCE, ended.acquire()).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_worker_stops_though_its_drain_time_is_long() {
    let test = TestQueue::start().await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Succeeded).await;
    let stopped = tokio::time::timeout(PATIENCE, worker.stop()).await;
    stopped.expect("an hour of drain time is not waited for");
}

#[tokio::test]
async fn an_idle_worker_stops_while_redis_is_away() {
    let mut test = TestQueue::start().await;
    test.servers.redis.kill().unwrap();
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Succeeded).await;
    tokio::time::timeout(PATIENCE, worker.stop()).await.unwrap();
}

#[tokio::test]
async fn a_job_popped_while_others_drain_is_handed_back_at_once() {
    let test = TestQueue::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let worker = test.worker(behind(&gate, &test));
    let long = test.enqueue().await;
    test.wait_for(&[long], JobState::Running).await;
    // Its second slot waits in Redis for an id.
    eventually("the worker pops", async || {
        let clients: String = test.redis_command("CLIENT LIST").await;
        clients.contains("cmd=bzpopmin").then_some(())
    })
    .await;
    worker.stop.cancel();
    let popped = test.enqueue().await;
    eventually("the id is taken, or the worker asks no more", async || {
        let clients: String = test.redis_command("CLIENT LIST").await;
        let waiting: u64 = test.redis_command(&format!("ZCARD {READY}")).await;
        (waiting == 0 || !clients.contains("flags=b")).then_some(())
    })
    .await;
    let runs = Runs::default();
    let next = test.worker(runs.handler(&test.pool));
    test.wait_for(&[popped], JobState::Succeeded).await;
    assert_eq!(test.job(popped).await.attempt, 1);
    assert_eq!(test.job(long).await.state, JobState::Running, "the first still drains");
    gate.add_permits(1);
    worker.stop().await;
    next.stop().await;
    assert_eq!(test.job(long).await.state, JobState::Succeeded);
}

#[tokio::test]
async fn no_job_is_stranded_by_a_stop_at_whatever_moment() {
    let test = TestQueue::start().await;
    for round in 0..12 {
        let runs = Runs::default();
        let worker = test.worker(runs.handler(&test.pool));
        let jobs = test.enqueue_many(round).await;
        worker.stop().await;
        for job in jobs {
            let state = test.job(job).await.state;
            let waiting: Option<f64> = test.redis_command(&format!("ZSCORE {READY} {job}")).await;
            let safe = match state {
                JobState::Succeeded => runs.all().contains(&job),
                JobState::Queued => waiting.is_some() && test.job(job).await.attempt == 0,
                _ => false,
            };
            assert!(safe, "round {round}: {state}, in Redis: {}", waiting.is_some());
        }
        let () = test.redis_command("FLUSHALL").await;
        rows::change(&test.pool, "DELETE FROM job").await;
    }
}
