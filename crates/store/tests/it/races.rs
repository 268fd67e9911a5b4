//! Two schools claim one login at the same moment.

use mis_sync_domain::{IssueCode, Lease, SchoolId, StaffRecord};
use mis_sync_testing::eventually;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    fixture::{TestStore, with_email},
    rows,
};

fn shared(count: usize) -> Vec<StaffRecord> {
    (0..count).map(|n| with_email(&format!("w{n}"), &format!("w{n}@trust.example"))).collect()
}

/// Another session with a person of the school `elm` that is not committed yet.
async fn someone_inserts(store: &TestStore, email: &str) -> PgConnection {
    let mut other = PgConnection::connect(&store.servers.database_url()).await.unwrap();
    // The other side of a deadlock should notice it first.
    other.execute("SET deadlock_timeout = '1min'").await.unwrap();
    other.execute("BEGIN").await.unwrap();
    insert(&mut other, email).await;
    other
}

async fn insert(connection: &mut PgConnection, email: &str) {
    let sql = format!(
        "INSERT INTO staff (id, school_id, email, first_name, surname, password_hash)
        VALUES (gen_random_uuid(), 'elm', '{email}', 'Eve', 'Elm', 'a hash')"
    );
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

async fn until_someone_waits(store: &TestStore) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    eventually("a sync waits for the other session", async || {
        (rows::value::<i64>(&store.pool, waiting).await > 0).then_some(())
    })
    .await;
}

async fn staged(store: &TestStore, school: &str, people: &[StaffRecord]) -> (SchoolId, Lease) {
    let school = store.school(school).await;
    let lease = store.staged(&school, people).await;
    (school, lease)
}

#[tokio::test]
async fn a_login_that_is_taken_after_we_looked_becomes_an_issue() {
    let store = TestStore::start().await;
    store.school("elm").await;
    let (oak, lease) = staged(&store, "oak", &shared(2)).await;
    let mut other = someone_inserts(&store, "W0@trust.example").await;
    let (report, ()) = tokio::join!(store.finish(lease, &oak), async {
        until_someone_waits(&store).await;
        other.execute("COMMIT").await.unwrap();
    });
    let report = report.unwrap();
    assert_eq!((report.created, report.skipped, report.issues), (1, 1, 1));
    assert_eq!(store.issues(lease.job_id).await, [(IssueCode::WorkEmailInUse, "w0".into())]);
}

#[tokio::test]
async fn a_login_that_the_other_gives_back_is_ours() {
    let store = TestStore::start().await;
    store.school("elm").await;
    let (oak, lease) = staged(&store, "oak", &shared(2)).await;
    let mut other = someone_inserts(&store, "w0@trust.example").await;
    let (report, ()) = tokio::join!(store.finish(lease, &oak), async {
        until_someone_waits(&store).await;
        other.execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(report.unwrap().created, 2);
}

#[tokio::test]
async fn a_deadlock_over_two_logins_fails_nobody() {
    let store = TestStore::start().await;
    store.school("elm").await;
    let (oak, lease) = staged(&store, "oak", &shared(2)).await;
    let mut other = someone_inserts(&store, "w1@trust.example").await;
    let (report, ()) = tokio::join!(store.finish(lease, &oak), async {
        until_someone_waits(&store).await;
        // It waits for us, and now we wait for it.
        insert(&mut other, "w0@trust.example").await;
        other.execute("COMMIT").await.unwrap();
    });
    let report = report.unwrap();
    assert_eq!((report.created, report.skipped), (0, 2));
}

#[tokio::test]
async fn of_two_schools_that_race_for_the_same_logins_each_login_has_one_winner() {
    let store = TestStore::start().await;
    for round in 0..5 {
        let there = shared(40);
        let back: Vec<_> = there.iter().rev().cloned().collect();
        let (oak, first) = staged(&store, &format!("oak-{round}"), &there).await;
        let (elm, second) = staged(&store, &format!("elm-{round}"), &back).await;
        let (first, second) = tokio::join!(store.finish(first, &oak), store.finish(second, &elm));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.created + second.created, 40, "round {round}");
        assert_eq!(first.skipped + second.skipped, 40, "round {round}");
        assert_eq!((first.created + first.skipped, second.created + second.skipped), (40, 40));
        rows::change(&store.pool, "DELETE FROM staff").await;
    }
}
