use mis_sync_domain::{BulkId, JobId, JobState};
use mis_sync_store::{
    audit::Actor,
    bulk::{self, BulkAction, Outcome},
    jobs::{self, JobFilter, NewJob},
};

use crate::{
    fixture::{TestStore, failure, new_sync},
    rows,
};

fn operator() -> Actor {
    Actor::command("opal", Some("too many".into()))
}

/// Three queued jobs, and one that failed.
async fn jobs_of(store: &TestStore) -> (Vec<JobId>, JobId) {
    let oak = store.school("oak").await;
    let failed = store.enqueue(&oak).await;
    jobs::fail(&store.pool, store.claim(failed).await, &failure("database")).await.unwrap();
    let mut queued = Vec::new();
    for n in 0..3 {
        let new = NewJob { unique_key: n.to_string(), ..new_sync(&oak) };
        queued.push(store.enqueue_new(&new).await);
    }
    (queued, failed)
}

async fn start(store: &TestStore, action: BulkAction, filter: &JobFilter) -> BulkId {
    bulk::start(&store.pool, action, filter, &operator()).await.unwrap().0
}

#[tokio::test]
async fn a_bulk_is_about_the_jobs_of_its_start_whose_state_allows_it() {
    let store = TestStore::start().await;
    let (queued, failed) = jobs_of(&store).await;
    let all = JobFilter::default();
    let cancel = start(&store, BulkAction::Cancel, &all).await;
    let retry = start(&store, BulkAction::Retry, &all).await;
    let limited = JobFilter { states: vec![JobState::Failed, JobState::Held], ..all.clone() };
    let none = start(&store, BulkAction::Cancel, &limited).await;
    let impossible = JobFilter { states: vec![JobState::Succeeded], ..all };
    let impossible = start(&store, BulkAction::Retry, &impossible).await;
    store.enqueue(&"oak".parse().unwrap()).await;
    for (id, expected) in
        [(cancel, &queued[..]), (retry, &[failed][..]), (none, &[]), (impossible, &[])]
    {
        assert_eq!(bulk::next(&store.pool, id, 100).await.unwrap(), expected);
        let bulk = bulk::get(&store.pool, id).await.unwrap().unwrap();
        assert_eq!(bulk.total, i64::try_from(expected.len()).unwrap());
        assert_eq!(bulk.finished_at.is_some(), expected.is_empty());
    }
    let actions = "SELECT subject FROM audit_log WHERE action = 'bulk' ORDER BY position";
    assert_eq!(rows::texts(&store.pool, actions).await[0], format!("cancel {cancel}"));
    let jobs = "SELECT unique_key FROM job WHERE lane = 'internal' ORDER BY id";
    let expected = [format!("act-on-jobs:{cancel}"), format!("act-on-jobs:{retry}")];
    assert_eq!(rows::texts(&store.pool, jobs).await, expected);
    let newest: Vec<_> = bulk::list(&store.pool, 2).await.unwrap();
    assert_eq!(newest.iter().map(|bulk| bulk.id).collect::<Vec<_>>(), [impossible, none]);
}

#[tokio::test]
async fn each_job_counts_once_and_the_filter_is_read_back_as_it_was() {
    let store = TestStore::start().await;
    let (queued, _) = jobs_of(&store).await;
    let filter = JobFilter { schools: vec!["oak".parse().unwrap()], ..JobFilter::default() };
    let started = bulk::start(&store.pool, BulkAction::Cancel, &filter, &operator()).await;
    let (id, job) = started.unwrap();
    let outcomes = [Outcome::Done, Outcome::Refused, Outcome::Failed];
    for (job, outcome) in queued.iter().zip(outcomes) {
        for _ in 0..2 {
            bulk::settle(&store.pool, id, *job, outcome).await.unwrap();
        }
    }
    assert_eq!(bulk::next(&store.pool, id, 1).await.unwrap(), []);
    let lease = store.claim(job.unwrap().id).await;
    bulk::finish(&store.pool, id, lease).await.unwrap();
    let bulk = bulk::get(&store.pool, id).await.unwrap().unwrap();
    assert_eq!((bulk.total, bulk.done, bulk.refused, bulk.failed), (3, 1, 1, 1));
    assert_eq!((bulk.filter, bulk.action), (filter, BulkAction::Cancel));
    assert_eq!(
        (bulk.actor.requester.name.as_str(), bulk.actor.reason.as_deref()),
        ("opal", Some("too many"))
    );
    assert!(bulk.finished_at.is_some());

    rows::change(&store.pool, r#"UPDATE bulk SET filter = '{"scools": ["oak"]}'"#).await;
    let broken = bulk::get(&store.pool, id).await.unwrap_err().to_string();
    assert!(broken.contains("bulk.filter"), "{broken}");
}

#[tokio::test]
async fn what_is_done_for_a_bulk_counts_with_it_and_what_others_do_does_not() {
    let store = TestStore::start().await;
    let (queued, failed) = jobs_of(&store).await;
    let cancel = start(&store, BulkAction::Cancel, &JobFilter::default()).await;
    let retry = start(&store, BulkAction::Retry, &JobFilter::default()).await;
    jobs::cancel(&store.pool, queued[1], &operator()).await.unwrap().unwrap();
    for (id, job) in [(cancel, queued[0]), (retry, failed)] {
        let actor = bulk::get(&store.pool, id).await.unwrap().unwrap().actor;
        if id == cancel {
            jobs::cancel(&store.pool, job, &actor).await.unwrap().unwrap();
        } else {
            jobs::retry_finished(&store.pool, job, &actor).await.unwrap().unwrap();
        }
        assert_eq!(bulk::get(&store.pool, id).await.unwrap().unwrap().done, 1);
        bulk::settle(&store.pool, id, job, Outcome::Done).await.unwrap();
        assert_eq!(bulk::get(&store.pool, id).await.unwrap().unwrap().done, 1);
    }
    assert_eq!(bulk::next(&store.pool, cancel, 100).await.unwrap(), queued[1..]);
}

#[tokio::test]
async fn a_bulk_lists_what_became_of_each_job() {
    let store = TestStore::start().await;
    let (queued, failed) = jobs_of(&store).await;
    let retry = start(&store, BulkAction::Retry, &JobFilter::default()).await;
    let list = async || bulk::results(&store.pool, retry, 10).await.unwrap();
    let waiting = &list().await[0];
    assert_eq!((waiting.job_id, waiting.outcome), (failed, None));
    let actor = bulk::get(&store.pool, retry).await.unwrap().unwrap().actor;
    let again = jobs::retry_finished(&store.pool, failed, &actor).await.unwrap().unwrap();
    let done = &list().await[0];
    assert_eq!((done.job_id, done.outcome), (failed, Some(Outcome::Done)));
    assert_eq!(done.now.unwrap().1, JobState::Queued, "the job that runs it again");
    assert_ne!(done.now.unwrap().0, failed, "{again:?}");

    let cancel = start(&store, BulkAction::Cancel, &JobFilter::default()).await;
    bulk::settle(&store.pool, cancel, queued[0], Outcome::Refused).await.unwrap();
    jobs::cancel(
        &store.pool,
        queued[1],
        &bulk::get(&store.pool, cancel).await.unwrap().unwrap().actor,
    )
    .await
    .unwrap()
    .unwrap();
    let results = bulk::results(&store.pool, cancel, 10).await.unwrap();
    let first: Vec<_> = results.iter().take(1).map(|result| result.outcome).collect();
    assert_eq!(first, [Some(Outcome::Refused)], "what was not done comes first: {results:?}");
    assert_eq!(results.last().unwrap().outcome, None, "{results:?}");
}

#[tokio::test]
async fn a_failure_that_was_retried_leaves_the_list() {
    let store = TestStore::start().await;
    let (_, failed) = jobs_of(&store).await;
    let left =
        JobFilter { hides_retried: true, states: vec![JobState::Failed], ..JobFilter::default() };
    let list = async || jobs::list(&store.pool, &left, 10).await.unwrap().len();
    assert_eq!(list().await, 1);
    jobs::retry_finished(&store.pool, failed, &operator()).await.unwrap().unwrap();
    assert_eq!(list().await, 0);
    assert_eq!(jobs::count(&store.pool, &left, 10).await.unwrap().number, 0);
    let all = JobFilter { hides_retried: false, ..left };
    assert_eq!(jobs::list(&store.pool, &all, 10).await.unwrap().len(), 1);
}
