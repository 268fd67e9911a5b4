//! Work that is cut off in the middle of a statement: an aborted job, a client that hung up, a
//! deadline, a lost connection. What it does happens as a whole or not at all, and its connection does
//! not give wrong answers to the next user.

use std::{cell::Cell, time::Duration};

use mis_sync_domain::{
    JobId, JobState, Lease, Role, SchoolId,
    plan::{List, Next},
};
use mis_sync_store::{
    Error, Pool, api_keys, fetches,
    jobs::{self, Idempotency, NewJob},
    sync,
};
use mis_sync_testing::{a_person, eventually};

use crate::{
    cut::{Cut, Path},
    fixture::{LONG, PROGRESS, RULES, TestStore, kept, new_sync, page, person, plan},
    rows,
};

/// The connection answers correctly, and what it writes is visible to other sessions: it is in no
/// transaction.
async fn is_sound(pool: &Pool, store: &TestStore, step: usize) {
    let answer = rows::value::<i32>(pool, &format!("SELECT {step}")).await;
    assert_eq!(usize::try_from(answer).unwrap(), step, "the answer to another question");
    rows::change(pool, &format!("UPDATE school SET name = 'Step {step}'")).await;
    let names = rows::texts(&store.pool, "SELECT DISTINCT name FROM school").await;
    assert_eq!(names, [format!("Step {step}")], "what it writes is lost");
}

/// Cuts `work` off at its first statement, at its second, and so on, until it is not cut off any
/// more. `check` looks at what is there each time, and hears whether the caller was told that the
/// work is done.
async fn cut_off_everywhere<T>(
    store: &TestStore,
    cut: Cut,
    mut work: impl AsyncFnMut(&Pool) -> Result<T, Error>,
    mut check: impl AsyncFnMut(&Path, bool),
) {
    for at in 1..500 {
        let path = Path::to(store, cut, at).await;
        let done = path.run(work(&path.pool)).await;
        let was_cut = path.was_cut();
        // A connection that is lost while nothing is under way is replaced.
        let is_heard = matches!(done, Some(Ok(_)));
        is_sound(&path.pool, store, at).await;
        check(&path, is_heard).await;
        if !was_cut {
            assert!(is_heard, "it fails without a cut");
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
    for cut in Cut::ALL {
        let keep = async |pool: &Pool| {
            // The next try brings the same people.
            rows::change(&store.pool, "DELETE FROM fetched_page WHERE list = 'employees'").await;
            let mut fetch = kept(&store.pool, lease).await?;
            let (list, next) = (List::Employees, Next::Over);
            fetches::keep(pool, lease, &mut fetch, list, page(&people), next, PROGRESS).await
        };
        let records = async || kept(&store.pool, lease).await.unwrap().records();
        cut_off_everywhere(&store, cut, keep, async |_, _| {
            let found = records().await;
            assert!([0, 300].contains(&found), "{cut:?}: half a page");
        })
        .await;
        assert_eq!(records().await, 300, "{cut:?}");
    }
}

/// Either nothing of it is there and the job can be done again, or all of it is and the job has
/// ended. The commit decides: a caller that gets no answer to it cannot know, and the ledger does.
async fn an_apply_is_cut_off_everywhere(cut: Cut) {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let stage = async |number| store.staged(&school, &[person(&format!("p{number}"))]).await;
    let lease = Cell::new(stage(0).await);
    let (mut applied, mut commits) = (0, 0);
    let apply = async |pool: &Pool| {
        let fetched = kept(&store.pool, lease.get()).await?.into_fetched().unwrap();
        let plan = plan(lease.get(), &school, RULES);
        sync::finish(pool, plan.of(&fetched), || Duration::ZERO).await
    };
    let pages = "SELECT list FROM fetched_page WHERE list = 'employees'";
    cut_off_everywhere(&store, cut, apply, async |path, is_heard| {
        let id = lease.get().job_id;
        let job = jobs::get(&store.pool, id).await.unwrap().unwrap();
        let created = rows::people(&store.pool, &school).await.len() - applied;
        let has_history = !rows::changes(&store.pool, id).await.is_empty();
        let has_fetch = !rows::texts(&store.pool, pages).await.is_empty();
        let found = (job.state, created, has_history, has_fetch, job.report.is_some());
        let is_unheard_commit = !is_heard && path.was_cut_at_a_commit();
        commits += usize::from(is_unheard_commit);
        let is_done = is_heard || (is_unheard_commit && cut != Cut::Unheard);
        if !is_done {
            assert_eq!(found, (JobState::Running, 0, false, true, false), "not nothing");
            return;
        }
        assert_eq!(found, (JobState::Succeeded, 1, true, false, true), "not everything");
        let again = apply(&store.pool).await;
        assert!(matches!(again, Err(Error::LeaseLost)), "it is applied once: {again:?}");
        applied += 1;
        lease.set(stage(applied).await);
    })
    .await;
    assert!(commits > 0, "no cut was at the commit");
}

#[tokio::test]
async fn an_apply_can_be_cut_off_anywhere() {
    an_apply_is_cut_off_everywhere(Cut::CallerDropped).await;
}

#[tokio::test]
async fn an_apply_can_lose_its_connection_before_any_statement() {
    an_apply_is_cut_off_everywhere(Cut::Unheard).await;
}

#[tokio::test]
async fn an_apply_can_lose_its_connection_before_any_answer() {
    an_apply_is_cut_off_everywhere(Cut::Unanswered).await;
}

#[tokio::test]
async fn single_statements_and_idempotent_presses_can_be_cut_off_anywhere() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let job = store.enqueue(&school).await;
    let key =
        api_keys::create(&store.pool, &api_keys::NewApiKey::new("app", Role::App), &a_person())
            .await;
    let (key, _) = key.unwrap();
    let press = Cell::new(0);
    for cut in Cut::ALL {
        let get = async |pool: &Pool| jobs::get(pool, job).await;
        cut_off_everywhere(&store, cut, get, async |_, _| ()).await;
        let enqueue = async |pool: &Pool| {
            let key = Idempotency {
                api_key_id: key.id,
                key: press.get().to_string(),
                request_hash: vec![1],
            };
            let unique_key = format!("press {}", press.get());
            let new = NewJob { unique_key, ..new_sync(&school) };
            jobs::enqueue(pool, &new, Some(&key)).await
        };
        cut_off_everywhere(&store, cut, enqueue, async |_, _| {
            enqueue(&store.pool).await.unwrap();
            let jobs =
                format!("SELECT count(*) FROM job WHERE unique_key = 'press {}'", press.get());
            assert_eq!(rows::value::<i64>(&store.pool, &jobs).await, 1, "{cut:?}");
            press.set(press.get() + 1);
        })
        .await;
    }
}

/// The server's own number of a session tells whether it is the same.
const SESSION: &str = "SELECT pg_backend_pid()";

#[tokio::test]
async fn a_connection_at_rest_is_used_again_and_one_that_was_cut_off_is_not() {
    let store = TestStore::start().await;
    let pool = mis_sync_store::connect(&store.servers.database_url(), 1).unwrap();
    let unknown = new_sync(&"no-such-school".parse().unwrap());
    // A test beside this one may have broken its server, and then no connection is used again.
    eventually("the same session is used again", async || {
        let first = rows::value::<i32>(&pool, SESSION).await;
        // Refused, and rolled back: both leave it at rest.
        assert!(jobs::enqueue(&pool, &unknown, None).await.is_err());
        assert!(jobs::retry_now(&pool, JobId::new(), &a_person()).await.unwrap().is_none());
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
