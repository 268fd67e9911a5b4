//! The lane of people who wait, and how they are woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mis_sync_domain::{JobId, JobKind, JobState, RefreshUser, StaffId};
use mis_sync_queue::{Enqueued, NewJob, Queue, WorkerOptions};
use mis_sync_testing::{PATIENCE, eventually};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    fixture::{LONG, Runs, TestQueue, handler, options, succeed},
    rows,
};

impl TestQueue {
    pub(crate) async fn login(&self) -> JobId {
        self.login_at("oak").await
    }

    /// Waits until the end of a login is heard. One that ends before the request listens is not.
    pub(crate) async fn ends_are_heard(&self) {
        eventually("the end of a login is heard", async || {
            let mut ending = self.queue.ending(self.login().await);
            timeout(Duration::from_secs(1), ending.heard()).await.ok()
        })
        .await;
    }

    async fn login_at(&self, school: &str) -> JobId {
        let login = RefreshUser { school_id: school.parse().unwrap(), staff_id: StaffId::new() };
        let new = NewJob { deadline: LONG, ..NewJob::of(&login, "test") };
        match self.queue.enqueue(&new, None).await.unwrap() {
            Enqueued::New(job) => job.id,
            Enqueued::Existing(job) => panic!("{} has a key of its own", job.id),
        }
    }

    /// Waits until this many processes listen for ends of jobs.
    pub(crate) async fn listeners(&self, count: i64) {
        eventually("the subscriptions are there", async || {
            let (_, found): (String, i64) = self.redis_command("PUBSUB NUMSUB test:ended").await;
            (found == count).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn logins_run_while_syncs_fill_every_slot_of_theirs() {
    let test = TestQueue::start().await;
    let syncs = test.enqueue_many(5).await;
    let (runs, pool) = (Runs::default(), test.pool.clone());
    let gate = Arc::new(Semaphore::new(0));
    let worker = {
        let (runs, gate) = (runs.clone(), Arc::clone(&gate));
        test.worker(handler(move |claimed| {
            let (runs, pool, gate) = (runs.clone(), pool.clone(), Arc::clone(&gate));
            async move {
                runs.note(&claimed);
                if claimed.job.kind == JobKind::SyncSchool {
                    let _open = gate.acquire().await.unwrap();
                }
                succeed(&pool, &claimed).await
            }
        }))
    };
    test.wait_for(&syncs[..2], JobState::Running).await;
    let mut logins = Vec::new();
    for _ in 0..20 {
        logins.push(test.login().await);
    }
    test.wait_for(&logins, JobState::Succeeded).await;
    test.wait_for(&syncs[..2], JobState::Running).await;
    assert_eq!(runs.all().len(), 22, "the other syncs have not begun");
    gate.add_permits(100);
    test.wait_for(&syncs, JobState::Succeeded).await;
    worker.stop().await;
}

#[tokio::test]
async fn a_school_whose_logins_are_held_up_has_half_of_the_slots() {
    let test = TestQueue::start().await;
    let elm = test.connect("elm", "Elmfield").await;
    let (pool, gate) = (test.pool.clone(), Arc::new(Semaphore::new(0)));
    // Those that a worker runs. In the ledger one more may be claimed for the moment until it is
    // handed back.
    let held = Arc::new(AtomicUsize::new(0));
    let run = {
        let (gate, held, elm) = (Arc::clone(&gate), Arc::clone(&held), elm.clone());
        handler(move |claimed| {
            let (pool, gate, elm) = (pool.clone(), Arc::clone(&gate), elm.clone());
            let held = Arc::clone(&held);
            async move {
                if claimed.job.school_id.as_ref() != Some(&elm) {
                    held.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    held.fetch_sub(1, Ordering::SeqCst);
                }
                succeed(&pool, &claimed).await
            }
        })
    };
    let mut held_up = Vec::new();
    for _ in 0..40 {
        held_up.push(test.login().await);
    }
    let worker = test.worker_with(WorkerOptions { interactive_concurrency: 8, ..options() }, run);
    let in_state = async |state: &str| {
        let sql = format!("SELECT count(*) FROM job WHERE school_id = 'oak' AND state = '{state}'");
        rows::count(&test.pool, &sql).await
    };
    let four_run = async || (held.load(Ordering::SeqCst) == 4).then_some(());
    eventually("four run", four_run).await;
    for _ in 0..20 {
        let login = test.login_at("elm").await;
        test.wait_for(&[login], JobState::Succeeded).await;
        assert_eq!(held.load(Ordering::SeqCst), 4);
    }
    // The others are taken up as soon as a slot is free, without any sweeper.
    gate.add_permits(6);
    eventually("six are done", async || (in_state("succeeded").await == 6).then_some(())).await;
    eventually("four more run", four_run).await;
    gate.add_permits(34);
    test.wait_for(&held_up, JobState::Succeeded).await;
    worker.stop().await;
}

#[tokio::test]
async fn one_slot_for_logins_is_enough_for_a_worker() {
    let test = TestQueue::start().await;
    let logins = [test.login().await, test.login().await, test.login().await];
    let runs = Runs::default();
    let one = WorkerOptions { interactive_concurrency: 1, ..options() };
    let worker = test.worker_with(one, runs.handler(&test.pool));
    test.wait_for(&logins, JobState::Succeeded).await;
    worker.stop().await;
}

#[tokio::test]
async fn whoever_waits_is_woken_in_every_process_once_the_ledger_says_so() {
    let test = TestQueue::start().await;
    let other = Queue::new(test.pool.clone(), test.servers.open_redis());
    let stranger = JobId::new();
    let (_here, _there) = (test.queue.ending(stranger), other.ending(stranger));
    test.listeners(2).await;

    let login = test.login().await;
    let mut endings = [test.queue.ending(login), other.ending(login), other.ending(login)];
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    for ending in &mut endings {
        // With a subscription only a wake-up ends this wait.
        timeout(PATIENCE, ending.heard()).await.expect("woken");
        assert_eq!(test.job(login).await.state, JobState::Succeeded);
    }
    worker.stop().await;
    drop(other);
    drop(endings);
}

#[tokio::test]
async fn without_redis_those_who_wait_look_by_themselves_and_listen_again_afterwards() {
    let mut test = TestQueue::start().await;
    let job = JobId::new();
    let mut ending = test.queue.ending(job);
    test.listeners(1).await;
    assert!(
        timeout(Duration::from_millis(500), ending.heard()).await.is_err(),
        "no request polls while wake-ups can come"
    );
    test.servers.redis.kill().unwrap();
    timeout(PATIENCE, ending.heard()).await.expect("it is worth a look");
    test.servers.redis.restart().unwrap();
    test.listeners(1).await;
}

#[tokio::test]
async fn the_subscription_ends_with_the_last_queue() {
    let test = TestQueue::start().await;
    let other = Queue::new(test.pool.clone(), test.servers.open_redis());
    let ending = other.ending(JobId::new());
    test.listeners(1).await;
    drop((other, ending));
    test.listeners(0).await;
}
