use mis_sync_domain::{JobId, JobState};
use mis_sync_queue::{Enqueued, RateLimit, RateLimiter, Swept, WorkerOptions};
use mis_sync_testing::eventually;
use redis::AsyncCommands;
use uuid::Uuid;

use crate::{
    fixture::{LONG, READY, Runs, TestQueue, new_job, options},
    rows,
};

#[tokio::test]
async fn what_redis_forgot_is_delivered_again() {
    let test = TestQueue::start().await;
    let jobs = test.enqueue_many(20).await;
    let () = test.redis_command("FLUSHALL").await;
    assert_eq!(test.queue.redeliver_due().await.unwrap(), Swept::default(), "be patient first");
    test.age_deliveries().await;
    let swept = test.queue.redeliver_due().await.unwrap();
    assert_eq!(swept, Swept { redelivered: 20, ..Swept::default() });
    assert_eq!(test.queue.redeliver_due().await.unwrap(), Swept::default(), "once is enough");
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    test.wait_for(&jobs, JobState::Succeeded).await;
    worker.stop().await;
    let mut ran = runs.all();
    ran.sort();
    assert_eq!(ran, jobs);
}

#[tokio::test]
async fn a_job_that_is_delivered_many_times_runs_once() {
    let test = TestQueue::start().await;
    let jobs = test.enqueue_many(10).await;
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    for _ in 0..10 {
        test.age_deliveries().await;
        test.queue.redeliver_due().await.unwrap();
    }
    test.wait_for(&jobs, JobState::Succeeded).await;
    // Even after the end.
    let mut redis = test.redis().await;
    for job in &jobs {
        let () = redis.zadd(READY, job.to_string(), 0).await.unwrap();
    }
    until_nothing_is_ready(&test).await;
    let last = test.enqueue().await;
    test.wait_for(&[last], JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(runs.all().len(), 11);
    assert_eq!(rows::count(&test.pool, "SELECT count(*) FROM job_attempt").await, 11);
}

#[tokio::test]
async fn what_is_no_id_and_what_nobody_knows_is_dropped() {
    let test = TestQueue::start().await;
    let mut redis = test.redis().await;
    let unknown = JobId::new().to_string();
    for junk in ["", "no id", "\u{1f989}", "0190-", &Uuid::nil().to_string(), &unknown] {
        let () = redis.zadd(READY, junk, 0).await.unwrap();
    }
    let () = redis.zadd(READY, b"\xff\xfe", 0).await.unwrap();
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let job = test.enqueue().await;
    test.wait_for(&[job], JobState::Succeeded).await;
    until_nothing_is_ready(&test).await;
    worker.stop().await;
    assert_eq!(runs.all(), [job]);
}

#[tokio::test]
async fn the_oldest_job_is_taken_first() {
    let test = TestQueue::start().await;
    let jobs = test.enqueue_many(5).await;
    // Whatever came last into Redis.
    let () = test.redis_command(&format!("ZREM {READY} {}", jobs[0])).await;
    let () = test.redis_command(&format!("ZADD {READY} 0 {}", jobs[0])).await;
    let runs = Runs::default();
    let one_by_one = WorkerOptions { concurrency: 1, ..options() };
    let worker = test.worker_with(one_by_one, runs.handler(&test.pool));
    test.wait_for(&jobs, JobState::Succeeded).await;
    worker.stop().await;
    assert_eq!(runs.all(), jobs);
}

#[tokio::test]
async fn a_second_press_delivers_nothing() {
    let test = TestQueue::start().await;
    let new = new_job();
    let Enqueued::New(first) = test.queue.enqueue(&new, None).await.unwrap() else { panic!() };
    let Enqueued::Existing(second) = test.queue.enqueue(&new, None).await.unwrap() else {
        panic!("there is one already");
    };
    assert_eq!(first.id, second.id);
    assert_eq!(test.redis_command::<u64>(&format!("ZCARD {READY}")).await, 1);
}

#[tokio::test]
async fn redis_holds_ids_and_numbers_and_nothing_else() {
    let test = TestQueue::start().await;
    test.connect("quillfeather", "Quillfeather Academy").await;
    let limit =
        RateLimit { per_second: 100.try_into().unwrap(), kept_for_logins: 30, longest_wait: LONG };
    let limiter = RateLimiter::new(&test.queue, limit);
    let runs = Runs::default();
    let worker = test.worker(runs.handler(&test.pool));
    let jobs = test.enqueue_many(5).await;
    test.wait_for(&jobs, JobState::Succeeded).await;
    worker.stop().await;
    let waiting = test.enqueue_many(3).await;
    limiter.acquire("a-key").await.unwrap();

    let mut redis = test.redis().await;
    let mut keys: Vec<String> = redis.keys("*").await.unwrap();
    keys.sort();
    assert_eq!(keys, ["test:known", "test:probe", "test:rate:a-key", "test:rate:a-key:own", READY]);
    let ready: Vec<(String, f64)> = redis.zrange_withscores(READY, 0, -1).await.unwrap();
    let expected: Vec<_> = waiting.iter().map(|id| (id.to_string(), 0.0)).collect();
    assert_eq!(ready, expected);
    let known: String = redis.get("test:known").await.unwrap();
    assert!(known.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b' '), "{known}");
    for list in ["test:rate:a-key", "test:rate:a-key:own"] {
        let [at]: [String; 1] = redis.lrange(list, 0, -1).await.unwrap();
        assert!(at.bytes().all(|byte| byte.is_ascii_digit()), "{at}");
        let left: i64 = redis.pttl(list).await.unwrap();
        assert!(left > 0, "an unused limit is deleted");
    }
}

async fn until_nothing_is_ready(test: &TestQueue) {
    eventually("the ready set is empty", async || {
        (test.redis_command::<u64>(&format!("ZCARD {READY}")).await == 0).then_some(())
    })
    .await;
}
