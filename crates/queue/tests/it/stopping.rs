use std::{sync::Arc, time::Duration};

use mis_sync_domain::JobState;
use mis_sync_queue::{Handler, WorkerOptions};
use mis_sync_testing::{PATIENCE, eventually};
use tokio::sync::Semaphore;

use crate::{
    fixture::{OnDrop, READY, Runs, TestQueue, handler, options, succeed},
    rows,
};

/// Where jobs wait. A job that is `running` in the ledger may not have arrived here yet: a worker
/// that is told to stop in between hands it back without starting it.
struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

impl Gate {
    fn closed() -> Arc<Self> {
        Arc::new(Self { reached: Semaphore::new(0), open: Semaphore::new(0) })
    }

    /// Waits until this many jobs have come.
    async fn reached_by(&self, jobs: u32) {
        self.reached.acquire_many(jobs).await.unwrap().forget();
    }

    /// A handler whose jobs each wait for a permit.
    fn handler(self: &Arc<Self>, test: &TestQueue) -> Handler {
        let (gate, pool) = (Arc::clone(self), test.pool.clone());
        handler(move |claimed| {
            let (gate, pool) = (Arc::clone(&gate), pool.clone());
            async move {
                gate.reached.add_permits(1);
                gate.open.acquire().await.unwrap().forget();
                succeed(&pool, &claimed).await
            }
        })
    }
}

#[tokio::test]
async fn a_running_job_may_finish_and_no_new_one_is_taken() {
    let test = TestQueue::start().await;
    let gate = Gate::closed();
    let worker = test.worker(gate.handler(&test));
    let running = test.enqueue().await;
    gate.reached_by(1).await;
    worker.stop.cancel();
    let late = test.enqueue().await;
    gate.open.add_permits(2);
    worker.stop().await;
    assert_eq!(test.job(running).await.state, JobState::Succeeded);
    let late = test.job(late).await;
    assert_eq!((late.state, late.attempt), (JobState::Queued, 0));
}

#[tokio::test]
async fn a_job_that_does_not_finish_in_time_is_handed_back_and_another_worker_takes_it() {
    let test = TestQueue::start().await;
    let gate = Gate::closed();
    let hasty = WorkerOptions { drain: Duration::from_millis(50), ..options() };
    let worker = test.worker_with(hasty, gate.handler(&test));
    let jobs = test.enqueue_many(2).await;
    gate.reached_by(2).await;
    worker.stop().await;
    for job in &jobs {
        let released = test.job(*job).await;
        assert_eq!((released.state, released.attempt), (JobState::Queued, 0));
        assert_eq!(rows::attempts(&test.pool, *job).await, [(1, Some("released".into()))]);
    }
    // No sweeper is needed: handed back means delivered.
    let runs = Runs::default();
    let next = test.worker(runs.handler(&test.pool));
    test.wait_for(&jobs, JobState::Succeeded).await;
    next.stop().await;
    let story = [(1, Some("released".to_owned())), (1, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&test.pool, jobs[0]).await, story);
}

#[tokio::test]
async fn work_that_is_handed_back_is_stopped() {
    let test = TestQueue::start().await;
    let (begun, stopped) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let run = {
        let (begun, stopped) = (Arc::clone(&begun), Arc::clone(&stopped));
        handler(move |_| {
            begun.add_permits(1);
            let stopped = OnDrop(Arc::clone(&stopped));
            async move {
                let _stopped = stopped;
                std::future::pending().await
            }
        })
    };
    let hasty = WorkerOptions { drain: Duration::from_millis(50), ..options() };
    let worker = test.worker_with(hasty, run);
    test.enqueue().await;
    begun.acquire().await.unwrap().forget();
    worker.stop().await;
    let gone = tokio::time::timeout(PATIENCE, stopped.acquire()).await;
    gone.expect("it goes on after the job was handed back").unwrap().forget();
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
    let gate = Gate::closed();
    let worker = test.worker(gate.handler(&test));
    let long = test.enqueue().await;
    gate.reached_by(1).await;
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
    gate.open.add_permits(1);
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
