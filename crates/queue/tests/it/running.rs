use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mis_sync_domain::JobState;
use mis_sync_queue::{JobError, RetryPolicy, WorkerOptions};
use mis_sync_testing::eventually;
use tokio::sync::Barrier;

use crate::{
    fixture::{LONG, Runs, TestQueue, failure, handler, options, succeed},
    rows,
};

#[tokio::test]
async fn a_worker_runs_what_is_enqueued_before_and_after_it_starts() {
    let test = TestQueue::start().await;
    let runs = Runs::default();
    let before = test.enqueue().await;
    let worker = test.worker(runs.handler(&test.pool));
    test.wait_for(&[before], JobState::Succeeded).await;
    let after = test.enqueue().await;
    test.wait_for(&[after], JobState::Succeeded).await;
    assert_eq!(runs.all(), [before, after]);
    assert_eq!(rows::attempts(&test.pool, after).await, [(1, Some("succeeded".into()))]);
    worker.stop().await;
}

#[tokio::test]
async fn two_hundred_jobs_run_once_each_and_never_more_than_four_at_a_time() {
    let test = TestQueue::start().await;
    let jobs = test.enqueue_many(200).await;
    let (runs, pool) = (Runs::default(), test.pool.clone());
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Fifty rounds of four jobs that wait for each other: fewer slots would never fill a round.
    let four = Arc::new(Barrier::new(4));
    let worker = {
        let (runs, running, most) = (runs.clone(), Arc::clone(&running), Arc::clone(&most));
        let run = handler(move |claimed| {
            let (runs, pool, four) = (runs.clone(), pool.clone(), Arc::clone(&four));
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                runs.note(&claimed);
                four.wait().await;
                let ended = succeed(&pool, &claimed).await;
                running.fetch_sub(1, Ordering::SeqCst);
                ended
            }
        });
        test.worker_with(WorkerOptions { concurrency: 4, ..options() }, run)
    };
    test.wait_for(&jobs, JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(most.load(Ordering::SeqCst), 4);
    let distinct: BTreeSet<_> = runs.all().into_iter().collect();
    assert_eq!((runs.all().len(), distinct), (200, jobs.into_iter().collect()));
    assert_eq!(rows::count(&test.pool, "SELECT count(*) FROM job_attempt").await, 200);
}

#[tokio::test]
async fn three_workers_share_the_jobs_and_none_runs_twice() {
    let test = TestQueue::start().await;
    let runs = Runs::default();
    let workers = [(); 3].map(|()| test.worker(runs.handler(&test.pool)));
    let jobs = test.enqueue_many(60).await;
    test.wait_for(&jobs, JobState::Succeeded).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(runs.all().len(), 60);
}

#[tokio::test]
async fn a_job_that_panics_is_retried_then_fails_and_the_worker_lives_on() {
    let test = TestQueue::start().await;
    let bad = test.enqueue().await;
    let (runs, pool) = (Runs::default(), test.pool.clone());
    let worker = {
        let runs = runs.clone();
        // Every second time it panics before there is even a future.
        test.worker(handler(move |claimed| {
            runs.note(&claimed);
            assert!(claimed.job.id != bad || claimed.job.attempt % 2 == 0, "on purpose");
            let pool = pool.clone();
            async move {
                assert!(claimed.job.id != bad, "on purpose");
                succeed(&pool, &claimed).await
            }
        }))
    };
    test.sweep_until(bad, JobState::Failed).await;
    assert_eq!(runs.all(), [bad; 5]);
    let outcomes: Vec<_> = rows::attempts(&test.pool, bad).await;
    let expected = [(1, "retry"), (2, "retry"), (3, "retry"), (4, "retry"), (5, "failed")];
    assert_eq!(outcomes, expected.map(|(n, outcome)| (n, Some(outcome.to_owned()))));
    assert_eq!(test.job(bad).await.error.unwrap().code, "internal");

    let good = test.enqueue().await;
    test.wait_for(&[good], JobState::Succeeded).await;
    worker.stop().await;
}

#[tokio::test]
async fn each_way_to_fail_is_settled_as_it_says() {
    let test = TestQueue::start().await;
    let [retry, snooze, fail, lost] = test.enqueue_many(4).await.try_into().unwrap();
    let runs = Runs::default();
    let worker = {
        let runs = runs.clone();
        let run = handler(move |claimed| {
            runs.note(&claimed);
            let ended = match claimed.job.id {
                id if id == retry => JobError::Retry(failure("retry")),
                id if id == snooze => JobError::Snooze(failure("snooze"), LONG / 2),
                id if id == fail => JobError::Fail(failure("fail")),
                _ => JobError::LeaseLost,
            };
            async { Err(ended) }
        });
        let patient = RetryPolicy { base: LONG / 2, max: LONG / 2 };
        test.worker_with(WorkerOptions { retry: patient, ..options() }, run)
    };
    test.wait_for(&[retry, snooze], JobState::Retrying).await;
    test.wait_for(&[fail], JobState::Failed).await;
    eventually("the last one runs", async || runs.all().contains(&lost).then_some(())).await;
    worker.stop().await;

    let told = |outcome: &str| vec![(1, Some(outcome.to_owned()))];
    for (id, attempt, outcome) in [(retry, 1, "retry"), (snooze, 0, "snoozed"), (fail, 1, "failed")]
    {
        let job = test.job(id).await;
        assert_eq!((job.attempt, job.error.is_some()), (attempt, true), "{outcome}");
        let expected = told(outcome);
        assert_eq!(rows::attempts(&test.pool, id).await, expected);
    }
    let wait = test.job(retry).await.next_attempt_at.unwrap() - test.job(retry).await.created_at;
    assert!(wait.to_std().unwrap() >= LONG / 4, "{wait}");
    let wait = test.job(snooze).await.next_attempt_at.unwrap() - test.job(snooze).await.created_at;
    assert!(wait.to_std().unwrap() >= LONG / 2, "{wait}");
    // The worker that took it over writes its end; this run does not.
    assert_eq!(test.job(lost).await.state, JobState::Running);
    assert_eq!(rows::attempts(&test.pool, lost).await, [(1, None)]);
}

#[tokio::test]
async fn a_job_that_is_told_to_wait_ten_times_still_has_every_attempt() {
    let test = TestQueue::start().await;
    let job = test.enqueue().await;
    let (runs, pool) = (Runs::default(), test.pool.clone());
    let worker = {
        let runs = runs.clone();
        test.worker(handler(move |claimed| {
            let (runs, pool) = (runs.clone(), pool.clone());
            async move {
                runs.note(&claimed);
                assert_eq!(claimed.job.attempt, 1);
                if runs.all().len() <= 10 {
                    return Err(JobError::Snooze(failure("busy"), Duration::ZERO));
                }
                succeed(&pool, &claimed).await
            }
        }))
    };
    test.sweep_until(job, JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(test.job(job).await.attempt, 1);
    assert_eq!(rows::attempts(&test.pool, job).await.len(), 11);
}
