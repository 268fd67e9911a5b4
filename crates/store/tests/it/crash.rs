//! The database loses its power in the middle of a fetch.

use mis_sync_domain::plan::List;
use mis_sync_domain::{JobState, Lease, SchoolId};
use mis_sync_store::{Error, jobs};

use mis_sync_testing::eventually;

use crate::{
    fixture::{TestStore, kept, page, person},
    rows,
};

/// Commits of this store's own pool survive a crash, which the tests' servers do not promise.
async fn durable() -> TestStore {
    let store = reopened(TestStore::start().await);
    assert_eq!(rows::value::<String>(&store.pool, "SHOW synchronous_commit").await, "on");
    store
}

/// The store without connections from before the crash.
fn reopened(store: TestStore) -> TestStore {
    let url = format!("{}&options=-csynchronous_commit%3Don", store.servers.database_url());
    TestStore { pool: mis_sync_store::connect(&url, 4).unwrap(), ..store }
}

async fn crashed(mut store: TestStore) -> TestStore {
    // A durable commit also saves everything that was committed before it. So what is gone
    // afterwards is gone by design.
    rows::change(&store.pool, "UPDATE school SET updated_at = now()").await;
    store.servers.postgres.kill().unwrap();
    store.servers.postgres.restart().unwrap();
    reopened(store)
}

async fn running(store: &TestStore) -> (SchoolId, Lease) {
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    let lease = store.claim(job).await;
    store.add_before(lease, &page(&[person("ada")]), "2").await.unwrap();
    (school, lease)
}

/// Nothing of the fetch is applied, and the next attempt reads the whole list again.
async fn the_fetch_is_forgotten(store: &TestStore, school: &SchoolId, lease: Lease) {
    assert_eq!(rows::people(&store.pool, school).await, []);
    let job = jobs::get(&store.pool, lease.job_id).await.unwrap().unwrap();
    assert_eq!(job.state, JobState::Running, "the ledger has survived");

    let expire = "UPDATE job SET lease_until = now() - interval '1 second'";
    rows::change(&store.pool, expire).await;
    let next = store.claim(lease.job_id).await;
    assert!(next.fence > lease.fence, "no fence is given twice");
    assert_eq!(kept(&store.pool, next).await.unwrap().next_of(List::Employees), None);
    store.add(next, &page(&[person("ada"), person("bea")])).await.unwrap();
    assert_eq!(store.finish(next, school).await.unwrap().created, 2);
}

#[tokio::test]
async fn half_a_fetch_does_not_outlive_a_crash() {
    let store = durable().await;
    let (school, lease) = running(&store).await;
    the_fetch_is_forgotten(&crashed(store).await, &school, lease).await;
}

#[tokio::test]
async fn a_complete_fetch_is_not_taken_for_an_empty_school_after_a_crash() {
    let store = durable().await;
    let (school, lease) = running(&store).await;
    store.add(lease, &page(&[person("bea")])).await.unwrap();
    the_fetch_is_forgotten(&crashed(store).await, &school, lease).await;
}

#[tokio::test]
async fn a_clean_restart_keeps_what_is_staged() {
    let mut store = durable().await;
    let (school, lease) = running(&store).await;
    store.servers.postgres.restart().unwrap();
    let store = reopened(store);
    store.add(lease, &page(&[person("bea")])).await.unwrap();
    assert_eq!(store.finish(lease, &school).await.unwrap().created, 2);
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_that_may_pass() {
    let mut store = durable().await;
    let school = store.school("oak").await;
    store.servers.postgres.kill().unwrap();
    let away = mis_sync_store::ping(&store.pool).await.unwrap_err();
    assert!(matches!(away, Error::Unavailable(_)) && away.is_transient(), "{away:?}");
    store.servers.postgres.restart().unwrap();
    eventually("the pool is well again", async || mis_sync_store::ping(&store.pool).await.ok())
        .await;
    let store = reopened(store);
    store.sync(&school, &[person("ada")]).await;
}
