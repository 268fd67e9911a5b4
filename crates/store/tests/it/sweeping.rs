use std::time::Duration;

use futures::future::join_all;
use mis_sync_domain::{JobId, JobState, Lane};
use mis_sync_store::jobs::{self, Due, NewJob};

use crate::{
    fixture::{LONG, TestStore, failure, new_sync},
    rows,
};

async fn take_due(store: &TestStore) -> Vec<JobId> {
    let due = jobs::take_due(&store.pool, LONG, 100).await.unwrap();
    assert!(due.iter().all(|due| due.lane == Lane::Bulk));
    due.into_iter().map(|Due { id, .. }| id).collect()
}

/// As if `column` had been written two hours earlier.
async fn age(store: &TestStore, column: &str) {
    let sql = format!("UPDATE job SET {column} = {column} - interval '2 hours'");
    rows::change(&store.pool, &sql).await;
}

#[tokio::test]
async fn a_queued_job_is_delivered_once_per_patience() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    assert_eq!(take_due(&store).await, [], "it was delivered when it was made");
    for _ in 0..2 {
        age(&store, "delivered_at").await;
        assert_eq!(take_due(&store).await, [job]);
        assert_eq!(take_due(&store).await, []);
    }
}

#[tokio::test]
async fn a_retrying_job_is_delivered_when_it_is_due_and_once_per_patience() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    let lease = store.claim(job).await;
    jobs::retry(&store.pool, lease, &failure("later"), LONG / 2).await.unwrap();
    age(&store, "delivered_at").await;
    assert_eq!(take_due(&store).await, [], "not yet due");
    rows::change(
        &store.pool,
        "UPDATE job SET next_attempt_at = now(), delivered_at = now() - interval '1 second'",
    )
    .await;
    assert_eq!(take_due(&store).await, [job], "due at once, however short the wait");
    assert_eq!(take_due(&store).await, []);
    age(&store, "delivered_at").await;
    age(&store, "next_attempt_at").await;
    assert_eq!(take_due(&store).await, [job], "the delivery got lost");
    assert_eq!(take_due(&store).await, []);
}

#[tokio::test]
async fn a_job_whose_worker_died_is_delivered_once_per_patience() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    store.claim(job).await;
    age(&store, "delivered_at").await;
    assert_eq!(take_due(&store).await, [], "its lease holds");
    rows::change(&store.pool, "UPDATE job SET lease_until = now() - interval '1 second'").await;
    assert_eq!(take_due(&store).await, [job]);
    assert_eq!(take_due(&store).await, []);
    age(&store, "delivered_at").await;
    age(&store, "lease_until").await;
    assert_eq!(take_due(&store).await, [job]);
    assert_eq!(take_due(&store).await, []);
}

#[tokio::test]
async fn what_is_held_or_finished_is_not_delivered() {
    let store = TestStore::start().await;
    store.enqueue(&store.school("oak").await).await;
    age(&store, "delivered_at").await;
    for state in ["held", "succeeded", "failed", "cancelled"] {
        let set = format!(
            "UPDATE job SET state = '{state}',
                finished_at = CASE WHEN '{state}' <> 'held' THEN now() END"
        );
        rows::change(&store.pool, &set).await;
        assert_eq!(take_due(&store).await, [], "{state}");
    }
}

#[tokio::test]
async fn many_sweepers_at_once_deliver_each_job_once_oldest_first() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let mut waiting = Vec::new();
    for n in 0..30 {
        let new = NewJob { unique_key: format!("job-{n}"), ..new_sync(&school) };
        waiting.push(store.enqueue_new(&new).await);
    }
    age(&store, "delivered_at").await;
    let first = jobs::take_due(&store.pool, LONG, 5).await.unwrap();
    let mut delivered: Vec<JobId> = first.iter().map(|due| due.id).collect();
    delivered.sort();
    assert_eq!(delivered, waiting[..5]);
    let rest = join_all((0..10).map(|_| take_due(&store))).await;
    delivered.extend(rest.into_iter().flatten());
    delivered.sort();
    assert_eq!(delivered, waiting);
}

#[tokio::test]
async fn a_job_that_killed_its_worker_too_often_fails() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    for attempt in 1..=5 {
        assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 0, "before {attempt}");
        store.claim_for(job, Duration::ZERO).await;
    }
    assert!(
        jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_none()
    );
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 1);
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 0);
    let ended = jobs::get(&store.pool, job).await.unwrap().unwrap();
    assert_eq!(
        (ended.state, ended.error.unwrap().code.as_str()),
        (JobState::Failed, "worker_lost")
    );
    let outcomes: Vec<_> = rows::attempts(&store.pool, job).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.as_deref() == Some("lost")), "{outcomes:?}");
}

#[tokio::test]
async fn the_last_attempt_is_not_failed_while_its_lease_holds() {
    let store = TestStore::start().await;
    let job = store.enqueue(&store.school("oak").await).await;
    store.claim(job).await;
    rows::change(&store.pool, "UPDATE job SET attempt = max_attempts, deadline_at = now()").await;
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 0);
    age(&store, "lease_until").await;
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_not_done_by_its_deadline_fails_and_keeps_the_reason_it_had() {
    let store = TestStore::start().await;
    let waiting = store.enqueue(&store.school("oak").await).await;
    let retrying = store.enqueue(&store.school("elm").await).await;
    let lease = store.claim(retrying).await;
    jobs::retry(&store.pool, lease, &failure("broken"), LONG / 2).await.unwrap();
    age(&store, "deadline_at").await;
    assert_eq!(jobs::fail_exhausted(&store.pool).await.unwrap(), 2);
    for (job, code) in [(waiting, "deadline_passed"), (retrying, "broken")] {
        let job = jobs::get(&store.pool, job).await.unwrap().unwrap();
        assert_eq!((job.state, job.error.unwrap().code.as_str()), (JobState::Failed, code));
        assert!(job.finished_at.is_some() && job.next_attempt_at.is_none());
    }
}
