//! What people do to jobs.

use std::time::Duration;

use mis_sync_domain::{JobId, JobState};
use mis_sync_store::{
    Error,
    jobs::{self, Actor, Enqueued},
};

use crate::{
    fixture::{LONG, TestStore, failure, person},
    rows,
};

fn operator() -> Actor {
    Actor::command("operator", Some("asked by the school".to_owned()))
}

async fn state(store: &TestStore, job: JobId) -> JobState {
    jobs::get(&store.pool, job).await.unwrap().unwrap().state
}

async fn audit(store: &TestStore) -> Vec<String> {
    let sql = "SELECT actor || ' ' || action || ' ' || school_id || ' ' || reason
        FROM audit_log WHERE job_id IS NOT NULL ORDER BY position";
    rows::texts(&store.pool, sql).await
}

#[tokio::test]
async fn a_queued_job_is_cancelled_and_the_next_press_is_a_new_one() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    let cancelled = jobs::cancel(&store.pool, job, &operator()).await.unwrap().unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert!(cancelled.finished_at.is_some());
    assert_eq!(cancelled.error.unwrap().detail, "By operator: asked by the school");
    assert_eq!(audit(&store).await, ["operator cancel oak asked by the school"]);
    assert!(
        jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_none()
    );
    assert_ne!(store.enqueue(&school).await, job);
}

#[tokio::test]
async fn a_running_job_that_is_cancelled_applies_nothing() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = store.staged(&school, &[person("ada")]).await;
    jobs::cancel(&store.pool, lease.job_id, &operator()).await.unwrap().unwrap();
    let beat = jobs::heartbeat(&store.pool, lease, LONG).await;
    assert!(matches!(beat, Err(Error::LeaseLost)));
    assert!(matches!(store.finish(lease, &school).await, Err(Error::LeaseLost)));
    assert_eq!(rows::people(&store.pool, &school).await, []);
    let history = [(1, Some("cancelled".to_owned()))];
    assert_eq!(rows::attempts(&store.pool, lease.job_id).await, history);
}

#[tokio::test]
async fn each_action_is_refused_where_the_state_forbids_it_and_leaves_no_trace() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let (job, _) = store.sync(&school, &[person("ada")]).await;
    let (pool, by) = (&store.pool, operator());
    assert!(jobs::cancel(pool, job, &by).await.unwrap().is_none());
    let approved = jobs::approve(pool, job, jobs::Approve::default(), &by).await.unwrap();
    assert!(matches!(approved, jobs::Approved::WrongState), "{approved:?}");
    assert!(jobs::reject(pool, job, &by).await.unwrap().is_none());
    assert!(jobs::retry_now(pool, job, &by).await.unwrap().is_none());
    assert!(jobs::retry_finished(pool, job, &by).await.unwrap().is_none());
    let unknown = JobId::new();
    assert!(jobs::cancel(pool, unknown, &by).await.unwrap().is_none());
    assert!(jobs::retry_finished(pool, unknown, &by).await.unwrap().is_none());
    assert_eq!(state(&store, job).await, JobState::Succeeded);
    assert_eq!(audit(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_job_is_done_again_as_a_new_one_that_leads_back() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let first = store.enqueue(&school).await;
    let lease = store.claim(first).await;
    jobs::fail(&store.pool, lease, &failure("away")).await.unwrap();

    let again = jobs::retry_finished(&store.pool, first, &operator()).await.unwrap().unwrap();
    let Enqueued::New(job) = again else { panic!("it is new") };
    assert_eq!((job.state, job.retry_of, job.attempt), (JobState::Queued, Some(first), 0));
    assert_eq!(job.requested_by.to_string(), "operator");
    let twice = jobs::retry_finished(&store.pool, first, &operator()).await.unwrap().unwrap();
    assert_eq!(twice.job().id, job.id, "there is one already");
    assert!(matches!(twice, Enqueued::Existing(_)));
    assert_eq!(audit(&store).await.len(), 1);
}

#[tokio::test]
async fn a_retrying_job_can_be_made_due() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    let lease = store.claim(job).await;
    jobs::retry(&store.pool, lease, &failure("away"), Duration::from_mins(30)).await.unwrap();
    assert!(
        jobs::claim(&store.pool, job, "w", LONG, jobs::Leaves::NOTHING).await.unwrap().is_none()
    );
    jobs::retry_now(&store.pool, job, &operator()).await.unwrap().unwrap();
    assert_eq!(store.claim(job).await.job_id, job);
}
