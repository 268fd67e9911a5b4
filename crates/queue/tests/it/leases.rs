use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use mis_sync_domain::JobState;
use mis_sync_queue::WorkerOptions;
use mis_sync_store::jobs;
use mis_sync_testing::{PATIENCE, eventually};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{LONG, OnDrop, Runs, TestQueue, handler, options, succeed},
    rows,
};

fn short() -> WorkerOptions {
    WorkerOptions { lease: Duration::from_secs(1), ..options() }
}

#[tokio::test]
async fn a_heartbeat_keeps_a_job_longer_than_its_lease() {
    let test = TestQueue::start().await;
    let gate = Arc::new(Semaphore::new(0));
    let (gated, pool) = (Arc::clone(&gate), test.pool.clone());
    let run = handler(move |claimed| {
        let (gate, pool) = (Arc::clone(&gated), pool.clone());
        async move {
            gate.acquire().await.unwrap().forget();
            succeed(&pool, &claimed).await
        }
    });
    let worker =
        test.worker_with(WorkerOptions { lease: Duration::from_secs(3), ..options() }, run);
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Running).await;
    let past_the_first_lease =
        "SELECT count(*) FROM job WHERE now() > started_at + interval '4 seconds'";
    eventually("the first lease would be over", async || {
        test.queue.redeliver_due().await.unwrap();
        let other =
            jobs::claim(&test.pool, job, "another", LONG, jobs::Leaves::NOTHING).await.unwrap();
        assert!(other.is_none(), "its worker lives");
        (rows::count(&test.pool, past_the_first_lease).await == 1).then_some(())
    })
    .await;
    gate.add_permits(1);
    test.wait_for(&[job], JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(rows::attempts(&test.pool, job).await, [(1, Some("succeeded".into()))]);
}

#[tokio::test]
async fn what_a_frozen_worker_does_after_its_lease_does_not_count() {
    let test = TestQueue::start().await;
    let job = test.enqueue().await;
    let (frozen, thaw) = freeze_in_the_middle_of_a_job(&test);
    test.wait_for(&[job], JobState::Running).await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    test.sweep_until(job, JobState::Succeeded).await;
    let before = test.job(job).await;
    thaw.send(()).unwrap();
    let late = tokio::task::spawn_blocking(move || frozen.join().unwrap()).await.unwrap();
    assert!(late, "its late result was taken");
    worker.stop().await;
    assert_eq!(runs.all(), [job]);
    assert_eq!(test.job(job).await, before);
    let story = [(1, Some("lost".to_owned())), (2, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&test.pool, job).await, story);
}

/// A worker on its own thread that stands still, including its heartbeat, until it is told to
/// continue. The thread then says whether the end of its job was refused.
fn freeze_in_the_middle_of_a_job(
    test: &TestQueue,
) -> (std::thread::JoinHandle<bool>, mpsc::Sender<()>) {
    let (thaw, frozen) = mpsc::channel::<()>();
    let (url, redis) = (test.servers.database_url(), test.servers.open_redis());
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let pool = mis_sync_store::connect(&url, 4).unwrap();
            let queue = mis_sync_queue::Queue::new(pool.clone(), redis);
            let frozen = Arc::new(std::sync::Mutex::new(frozen));
            let (refused, mut verdict) = tokio::sync::mpsc::channel(1);
            let run = handler(move |claimed| {
                let (frozen, pool) = (Arc::clone(&frozen), pool.clone());
                let refused = refused.clone();
                async move {
                    // Blocks the only thread of this runtime.
                    frozen.lock().unwrap().recv().unwrap();
                    let ended = succeed(&pool, &claimed).await;
                    refused.send(ended.is_err()).await.unwrap();
                    ended
                }
            });
            let stop = CancellationToken::new();
            let worker = mis_sync_queue::run_worker(queue, short(), run, stop.clone());
            let watch = async {
                let refused = verdict.recv().await.unwrap();
                stop.cancel();
                refused
            };
            let (ended, refused) = tokio::join!(worker, watch);
            ended.unwrap();
            refused
        })
    });
    (thread, thaw)
}

#[tokio::test]
async fn work_whose_lease_cannot_be_renewed_is_stopped_and_done_again_later() {
    let mut test = TestQueue::start().await;
    let (started, stopped) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let pool = test.pool.clone();
    let run = {
        let (started, stopped) = (Arc::clone(&started), Arc::clone(&stopped));
        handler(move |claimed| {
            let (started, stopped, pool) =
                (Arc::clone(&started), OnDrop(Arc::clone(&stopped)), pool.clone());
            async move {
                let _stopped = stopped;
                started.add_permits(1);
                if claimed.job.attempt == 1 {
                    std::future::pending::<()>().await;
                }
                succeed(&pool, &claimed).await
            }
        })
    };
    let worker = test.worker_with(short(), run);
    let job = test.enqueue().await;
    started.acquire().await.unwrap().forget();
    test.servers.postgres.pause().unwrap();
    let given_up = tokio::time::timeout(PATIENCE, stopped.acquire()).await;
    given_up.expect("work goes on though its lease is over").unwrap().forget();
    test.servers.postgres.resume().unwrap();
    test.sweep_until(job, JobState::Succeeded).await;
    worker.stop().await;
    let story = [(1, Some("lost".to_owned())), (2, Some("succeeded".to_owned()))];
    assert_eq!(rows::attempts(&test.pool, job).await, story);
}

#[tokio::test]
async fn work_is_stopped_as_soon_as_another_claim_is_seen() {
    let test = TestQueue::start().await;
    let stopped = Arc::new(Semaphore::new(0));
    let run = {
        let stopped = Arc::clone(&stopped);
        handler(move |_| {
            let stopped = OnDrop(Arc::clone(&stopped));
            async move {
                let _stopped = stopped;
                std::future::pending().await
            }
        })
    };
    let worker = test.worker_with(short(), run);
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Running).await;
    eventually("the job is taken away", async || {
        let expire = "UPDATE job SET lease_until = now() - interval '1 second'";
        rows::change(&test.pool, expire).await;
        jobs::claim(&test.pool, job, "another", LONG, jobs::Leaves::NOTHING).await.unwrap()
    })
    .await;
    let seen = tokio::time::timeout(PATIENCE, stopped.acquire()).await;
    seen.expect("it works for nothing").unwrap().forget();
    worker.stop().await;
    assert_eq!(test.job(job).await.attempt, 2);
}
