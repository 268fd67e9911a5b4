//! A server that accepts no writes for a while, as during a failover.

use mis_sync_store::{Error, jobs};
use mis_sync_testing::eventually;

use crate::{
    fixture::{TestStore, new_sync},
    rows,
};

/// New sessions accept no writes, and existing ones end, as when an address points to a standby.
async fn fail_over(store: &TestStore) {
    rows::change(&store.pool, "ALTER DATABASE mis_sync SET default_transaction_read_only = on")
        .await;
    end_sessions(store).await;
}

async fn end_sessions(store: &TestStore) {
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    rows::change(&store.pool, others).await;
}

#[tokio::test]
async fn presses_work_at_once_when_the_database_takes_writes_again() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    let pool = store.servers.pool();
    fail_over(&store).await;
    // Many sessions see it, both writing and reading ones.
    let new = new_sync(&school);
    let refused = || jobs::enqueue(&pool, &new, None);
    let refused = futures::future::join_all((0..5).map(|_| refused())).await;
    for refused in refused {
        let error = refused.unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
    eventually("it is known", async || {
        let checked = mis_sync_store::check_writable(&pool).await;
        matches!(checked, Err(Error::Unavailable(_))).then_some(())
    })
    .await;
    let reads = (0..5).map(|_| mis_sync_store::ping(&pool));
    for read in futures::future::join_all(reads).await {
        read.unwrap();
    }

    let mut connection = store.pool.acquire().await.unwrap();
    rows::run(&mut connection, "SET default_transaction_read_only = off").await;
    let back = "ALTER DATABASE mis_sync RESET default_transaction_read_only";
    rows::run(&mut connection, back).await;
    drop(connection);
    // The sessions that saw it are not ended.
    for _ in 0..5 {
        mis_sync_store::check_writable(&pool).await.unwrap();
        jobs::enqueue(&pool, &new_sync(&school), None).await.unwrap();
    }
}
