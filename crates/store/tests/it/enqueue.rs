use futures::future::join_all;
use mis_sync_domain::{JobId, JobState, Report, Role, SchoolId, SyncOptions, SyncSchool};
use mis_sync_store::{
    Error, api_keys,
    jobs::{self, Enqueued, Idempotency, NewJob},
};
use mis_sync_testing::a_person;

use crate::{
    fixture::{LONG, TestStore, failure, new_sync},
    rows,
};

async fn header(store: &TestStore, key: &str, request: &[u8]) -> Idempotency {
    let (api_key, _) =
        api_keys::create(&store.pool, &api_keys::NewApiKey::new("app", Role::App), &a_person())
            .await
            .unwrap();
    Idempotency { api_key_id: api_key.id, key: key.into(), request_hash: request.into() }
}

async fn succeed(store: &TestStore, job: JobId) {
    let lease = store.claim(job).await;
    let mut connection = store.pool.acquire().await.unwrap();
    jobs::succeed(&mut connection, lease, &Report::default()).await.unwrap();
}

/// Presses at once; returns how many were new, and the jobs.
async fn press_at_once(
    store: &TestStore,
    new: &NewJob,
    header: Option<&Idempotency>,
    times: usize,
) -> (usize, Vec<JobId>) {
    let presses = (0..times).map(|_| jobs::enqueue(&store.pool, new, header));
    let answers: Vec<Enqueued> = join_all(presses).await.into_iter().map(Result::unwrap).collect();
    let new = answers.iter().filter(|answer| matches!(answer, Enqueued::New(_))).count();
    let mut ids: Vec<JobId> = answers.iter().map(|answer| answer.job().id).collect();
    ids.sort();
    ids.dedup();
    (new, ids)
}

#[tokio::test]
async fn a_second_press_finds_the_unfinished_job_in_every_state() {
    let store = TestStore::start().await;
    let oak = store.school("oak").await;
    let job = store.enqueue(&oak).await;
    let existing = async || match jobs::enqueue(&store.pool, &new_sync(&oak), None).await.unwrap() {
        Enqueued::Existing(found) => (found.id == job).then_some(found.state),
        Enqueued::New(_) => None,
    };
    assert_eq!(existing().await, Some(JobState::Queued));
    let lease = store.claim(job).await;
    assert_eq!(existing().await, Some(JobState::Running));
    jobs::retry(&store.pool, lease, &failure("later"), LONG / 2).await.unwrap();
    assert_eq!(existing().await, Some(JobState::Retrying));
    let approved = "UPDATE job SET state = 'held', next_attempt_at = NULL, approved_at = now()";
    rows::change(&store.pool, approved).await;
    assert_eq!(existing().await, Some(JobState::Held), "as good as running");
    rows::change(&store.pool, "UPDATE job SET state = 'cancelled', finished_at = now()").await;
    assert_eq!(existing().await, None, "a finished job is in no one's way");
}

#[tokio::test]
async fn fifty_presses_at_once_give_one_job() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let (new, ids) = press_at_once(&store, &new_sync(&oak), None, 50).await;
    assert_eq!((new, ids.len()), (1, 1));
    succeed(&store, ids[0]).await;
    let (new, next) = press_at_once(&store, &new_sync(&oak), None, 50).await;
    assert_eq!((new, next.len()), (1, 1));
    assert_ne!(ids, next);
    let (new, _) = press_at_once(&store, &new_sync(&elm), None, 2).await;
    assert_eq!(new, 1, "schools do not meet");
}

#[tokio::test]
async fn a_new_job_says_what_was_asked_for() {
    let store = TestStore::start().await;
    let options = SyncOptions { dry_run: true, ..SyncOptions::default() };
    let new = NewJob::of(&SyncSchool { school_id: store.school("oak").await, options }, "test");
    let id = store.enqueue_new(&new).await;
    let job = jobs::get(&store.pool, id).await.unwrap().unwrap();
    assert_eq!((job.kind, &job.school_id, job.options), (new.kind, &new.school_id, options));
    assert_eq!((job.state, job.attempt, job.max_attempts), (JobState::Queued, 0, 5));
    assert_eq!(job.requested_by.to_string(), "test");
    assert_eq!((job.started_at, job.finished_at, job.progress), (None, None, None));
    assert_eq!(jobs::get(&store.pool, JobId::new()).await.unwrap(), None);
}

#[tokio::test]
async fn a_job_of_an_unknown_school_is_refused() {
    let store = TestStore::start().await;
    let nowhere: SchoolId = "nowhere".parse().unwrap();
    let refused = jobs::enqueue(&store.pool, &new_sync(&nowhere), None).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the database refused a statement (SQLSTATE 23503, constraint job_school_id_fkey)"
    );
    assert!(!refused.is_transient());
}

#[tokio::test]
async fn the_same_request_with_the_same_key_gets_the_same_job_even_when_it_is_over() {
    let store = TestStore::start().await;
    let new = new_sync(&store.school("oak").await);
    let header = header(&store, "k1", b"request").await;
    let (created, ids) = press_at_once(&store, &new, Some(&header), 1).await;
    assert_eq!(created, 1);
    succeed(&store, ids[0]).await;
    let (created, again) = press_at_once(&store, &new, Some(&header), 1).await;
    assert_eq!((created, &again), (0, &ids));
    let next_key = Idempotency { key: "k2".into(), ..header };
    let (created, other) = press_at_once(&store, &new, Some(&next_key), 1).await;
    assert_eq!(created, 1);
    assert_ne!(other, ids);
}

#[tokio::test]
async fn a_key_is_not_for_another_request_and_not_for_another_caller() {
    let store = TestStore::start().await;
    let new = new_sync(&store.school("oak").await);
    let first = header(&store, "k1", b"request").await;
    let (_, ids) = press_at_once(&store, &new, Some(&first), 1).await;
    let other = Idempotency { request_hash: b"another".into(), ..first.clone() };
    let refused = jobs::enqueue(&store.pool, &new, Some(&other)).await;
    assert!(matches!(refused, Err(Error::IdempotencyKeyReused)), "{refused:?}");

    succeed(&store, ids[0]).await;
    let caller = header(&store, "k1", b"another").await;
    let (created, _) = press_at_once(&store, &new, Some(&caller), 1).await;
    assert_eq!(created, 1);
}

#[tokio::test]
async fn the_same_key_many_times_at_once_gives_one_job() {
    let store = TestStore::start().await;
    let (oak, elm) = (store.school("oak").await, store.school("elm").await);
    let header = header(&store, "k1", b"request").await;
    let (created, ids) = press_at_once(&store, &new_sync(&oak), Some(&header), 30).await;
    assert_eq!((created, ids.len()), (1, 1));

    // The key decides even where uniqueness would not.
    let second = Idempotency { key: "k2".into(), ..header };
    let presses = (0..30).map(|n| {
        let new = NewJob { unique_key: format!("other-{n}"), ..new_sync(&elm) };
        let (store, second) = (&store, &second);
        async move { press_at_once(store, &new, Some(second), 1).await }
    });
    let answers = join_all(presses).await;
    assert_eq!(answers.iter().map(|(created, _)| created).sum::<usize>(), 1);
    assert!(answers.iter().all(|(_, ids)| *ids == answers[0].1));
    let jobs: i64 = rows::value(&store.pool, "SELECT count(*) FROM job").await;
    assert_eq!(jobs, 2, "the losers leave no job behind");
}
