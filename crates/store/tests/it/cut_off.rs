//! Futures that are dropped in the middle of a statement: an aborted job, a client that hung up, a
//! deadline. The connection must not give wrong answers to its next user.

use std::{future::Future, pin::pin, task::Poll, time::Duration};

use mis_sync_domain::{
    JobId, Lease, Role, SchoolId,
    plan::{List, Next},
};
use mis_sync_store::{
    Pool, api_keys, fetches,
    jobs::{self, Idempotency, NewJob},
};
use mis_sync_testing::{Servers, eventually, somebody};

use crate::{
    fixture::{LONG, PROGRESS, RULES, TestStore, finish, kept, new_sync, page, person, plan},
    rows,
};

/// Polls a future this often, each time when it asks for it, and then drops it. Returns whether it
/// was done before.
async fn cut_off_after<T>(polls: usize, future: impl Future<Output = T>) -> bool {
    let (mut future, mut polled) = (pin!(future), 0);
    std::future::poll_fn(|context| {
        if polled == polls {
            return Poll::Ready(false);
        }
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            // A drop now happens while it waits for its next answer.
            Poll::Pending if polled == polls => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A pool with a single connection: the next user gets the one that was cut off, or none.
fn pool_of_one(servers: &Servers) -> Pool {
    mis_sync_store::connect(&servers.database_url(), 1).unwrap()
}

/// The connection answers correctly, and what it writes is visible to other sessions: it is in no
/// transaction.
async fn is_sound(pool: &Pool, store: &TestStore, step: usize) {
    let answer = rows::value::<i32>(pool, &format!("SELECT {step}")).await;
    assert_eq!(usize::try_from(answer).unwrap(), step, "the answer to another question");
    rows::change(pool, &format!("UPDATE school SET name = 'Step {step}'")).await;
    let names = rows::texts(&store.pool, "SELECT DISTINCT name FROM school").await;
    assert_eq!(names, [format!("Step {step}")], "what it writes is lost");
}

/// Cuts `work` off after one poll, after two, and so on until it completes.
async fn cut_off_everywhere<T>(store: &TestStore, mut work: impl AsyncFnMut(&Pool) -> T) {
    let pool = pool_of_one(&store.servers);
    for polls in 0..500 {
        let done = cut_off_after(polls, work(&pool)).await;
        is_sound(&pool, store, polls).await;
        if done {
            return;
        }
    }
    panic!("it never gets through");
}

async fn staging_job(store: &TestStore, school: &SchoolId) -> Lease {
    let job = store.enqueue(school).await;
    let lease = store.claim(job).await;
    kept(&store.pool, lease).await.unwrap();
    lease
}

#[tokio::test]
async fn a_page_can_be_cut_off_anywhere() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = staging_job(&store, &school).await;
    let people: Vec<_> = (0..300).map(|n| person(&format!("p{n}"))).collect();
    cut_off_everywhere(&store, async |pool| {
        // The next try brings the same people.
        rows::change(&store.pool, "DELETE FROM fetched_page WHERE list = 'employees'").await;
        let mut fetch = kept(&store.pool, lease).await.unwrap();
        let (list, next) = (List::Employees, Next::Over);
        fetches::keep(pool, lease, &mut fetch, list, page(&people), next, PROGRESS).await.unwrap();
    })
    .await;
    assert_eq!(kept(&store.pool, lease).await.unwrap().records(), 300);
}

#[tokio::test]
async fn an_apply_can_be_cut_off_anywhere() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = staging_job(&store, &school).await;
    store.add(lease, &page(&[person("ada"), person("bea")])).await.unwrap();
    cut_off_everywhere(&store, async |pool| {
        finish(pool, plan(lease, &school, RULES)).await.unwrap();
    })
    .await;
    assert_eq!(rows::people(&store.pool, &school).await.len(), 2);
}

#[tokio::test]
async fn single_statements_and_idempotent_presses_can_be_cut_off_anywhere() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    cut_off_everywhere(&store, async |pool| {
        assert_eq!(jobs::get(pool, job).await.unwrap().unwrap().id, job);
    })
    .await;
    let key =
        api_keys::create(&store.pool, &api_keys::NewApiKey::new("app", Role::App), &somebody())
            .await;
    let (key, _) = key.unwrap();
    let mut press = 0;
    cut_off_everywhere(&store, async |pool| {
        press += 1;
        let header =
            Idempotency { api_key_id: key.id, key: press.to_string(), request_hash: vec![1] };
        let new = NewJob { unique_key: format!("press {press}"), ..new_sync(&school) };
        jobs::enqueue(pool, &new, Some(&header)).await.unwrap();
    })
    .await;
}

/// The server's own number of a session tells whether it is the same.
const SESSION: &str = "SELECT pg_backend_pid()";

#[tokio::test]
async fn a_connection_at_rest_is_used_again_and_one_that_was_cut_off_is_not() {
    let store = TestStore::start().await;
    let pool = pool_of_one(&store.servers);
    let unknown = new_sync(&"no-such-school".parse().unwrap());
    // A test beside this one may have broken its server, and then no connection is used again.
    eventually("the same session is used again", async || {
        let first = rows::value::<i32>(&pool, SESSION).await;
        // Refused, and rolled back: both leave it at rest.
        assert!(jobs::enqueue(&pool, &unknown, None).await.is_err());
        assert!(jobs::retry_now(&pool, JobId::new(), &somebody()).await.unwrap().is_none());
        (rows::value::<i32>(&pool, SESSION).await == first).then_some(())
    })
    .await;
    let first = rows::value::<i32>(&pool, SESSION).await;
    let asleep = tokio::time::timeout(
        Duration::from_millis(50),
        rows::try_change(&pool, "SELECT pg_sleep(3600)"),
    );
    assert!(asleep.await.is_err());
    assert_ne!(rows::value::<i32>(&pool, SESSION).await, first);
    // The server does not continue what no one waits for either.
    let sleepers = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
    eventually("the server hears that the client is gone", async || {
        (rows::value::<i64>(&store.pool, sleepers).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_heartbeat_does_not_wait_for_the_page_of_its_own_job() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let lease = staging_job(&store, &school).await;
    // The page waits for a lock on the table of its records, as it would for a slow disk.
    let mut lock = store.pool.acquire().await.unwrap();
    rows::run(&mut lock, "BEGIN; LOCK TABLE fetched_page IN SHARE MODE").await;
    let list = page(&[person("ada")]);
    let adding = store.add_before(lease, &list, "next");
    let meanwhile = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        eventually("the page waits", async || {
            (rows::value::<i64>(&store.pool, waiting).await == 1).then_some(())
        })
        .await;
        jobs::heartbeat(&store.pool, lease, LONG).await.unwrap();
        // A page of a job that was taken away meanwhile is not kept.
        rows::change(&store.pool, "UPDATE job SET fence = fence + 1").await;
        rows::run(&mut lock, "ROLLBACK").await;
    };
    let (added, ()) = futures::future::join(adding, meanwhile).await;
    assert!(matches!(added, Err(mis_sync_store::Error::LeaseLost)), "{added:?}");
    assert_eq!(rows::texts(&store.pool, "SELECT list FROM fetched_page").await, ["beginning"]);
}

#[test]
fn nothing_of_ours_begins_or_copies_in_the_way_that_cannot_be_cut_off() {
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src").into()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for own in ["pool.begin", "db.begin", "tx.begin", "copy_in", "copy_out"] {
                assert!(!source.contains(own), "{}: `{own}` of sqlx", path.display());
            }
        }
    }
}
