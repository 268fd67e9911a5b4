use std::sync::Arc;

use mis_sync_control as control;
use mis_sync_domain::{JobState, Lane};
use mis_sync_queue::{Actor, Intake, WorkerOptions};
use mis_sync_store::{jobs, pauses::Scope};
use mis_sync_testing::eventually;
use tokio::sync::Semaphore;

use crate::fixture::{READY, Runs, TestQueue, handler, options, succeed};

fn operator() -> Actor {
    Actor::command("opal", None)
}

#[tokio::test]
async fn a_worker_with_a_closed_intake_finishes_and_idles_until_it_is_opened() {
    let test = TestQueue::start().await;
    let (reached, open) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let run = {
        let (reached, open, pool) = (Arc::clone(&reached), Arc::clone(&open), test.pool.clone());
        handler(move |claimed| {
            let (reached, open, pool) = (Arc::clone(&reached), Arc::clone(&open), pool.clone());
            async move {
                reached.add_permits(1);
                open.acquire().await.unwrap().forget();
                succeed(&pool, &claimed).await
            }
        })
    };
    let intake = Intake::default();
    let worker = test.worker_with(WorkerOptions { intake: intake.clone(), ..options() }, run);
    let running = test.enqueue().await;
    reached.acquire().await.unwrap().forget();
    intake.set_open(false);
    // One of these meets a pop that began before, and is put back.
    let waiting = test.enqueue_many(3).await;
    open.add_permits(10);
    test.wait_for(&[running], JobState::Succeeded).await;
    eventually("the three wait on Redis", async || {
        let ready: usize = test.redis_command(&format!("ZCARD {READY}")).await;
        (ready == 3).then_some(())
    })
    .await;
    for id in &waiting {
        assert_eq!((test.job(*id).await.state, test.job(*id).await.attempt), (JobState::Queued, 0));
    }
    intake.set_open(true);
    test.wait_for(&waiting, JobState::Succeeded).await;
    intake.set_open(false);
    worker.stop().await;
}

#[tokio::test]
async fn what_is_paused_does_not_go_round_on_redis_and_is_delivered_on_resume() {
    let test = TestQueue::start().await;
    for scope in [Scope::School("oak".parse().unwrap()), Scope::Lane(Lane::Bulk)] {
        control::pause(&test.pool, &scope, &operator()).await.unwrap();
        let runs = Runs::default();
        let worker = test.worker(runs.handler(&test.pool));
        let job = test.enqueue().await;
        eventually("its id is taken and dropped", async || {
            let ready: usize = test.redis_command(&format!("ZCARD {READY}")).await;
            (ready == 0).then_some(())
        })
        .await;
        test.age_deliveries().await;
        assert_eq!(test.queue.redeliver_due().await.unwrap().redelivered, 0);
        assert_eq!(jobs::get(&test.pool, job).await.unwrap().unwrap().state, JobState::Queued);
        // There is no sweeper here.
        assert!(control::resume(&test.queue, &scope, &operator()).await.unwrap());
        test.wait_for(&[job], JobState::Succeeded).await;
        assert_eq!(runs.all(), [job]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn what_is_paused_is_not_taken_while_redis_is_away_either() {
    let mut test = TestQueue::start().await;
    let school = test.connect("elm", "Elm Park").await;
    control::pause(&test.pool, &Scope::School(school.clone()), &operator()).await.unwrap();
    test.servers.redis.kill().unwrap();
    let paused = mis_sync_queue::NewJob { school_id: Some(school), ..crate::fixture::new_job() };
    let paused = test.queue.enqueue(&paused, None).await.unwrap().job().id;
    let other = test.enqueue().await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    test.wait_for(&[other], JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(runs.all(), [other]);
    assert_eq!(test.job(paused).await.state, JobState::Queued);
}
