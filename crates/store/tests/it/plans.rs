//! A ledger full of finished jobs costs the living ones nothing.

use std::time::Duration;

use mis_sync_domain::Lane;
use mis_sync_store::{Pool, connect, figures, jobs};
use mis_sync_testing::eventually;

use crate::{
    fixture::{LONG, TestStore, new_sync},
    rows,
};

const FINISHED: &str = "
    INSERT INTO job (id, kind, lane, school_id, unique_key, requested_by, state, attempt,
        max_attempts, deadline_at, finished_at, created_at, delivered_at)
    SELECT ('01000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'sync-school', 'bulk', 'oak', 'old', 'test', 'succeeded', 1, 5,
        now() - interval '1 day', now() - interval '1 day', now() - interval '2 days',
        now() - interval '2 days'
    FROM generate_series(1, 200000) n";

/// Scans of the whole table, and rows read through indexes.
pub(crate) async fn read(pool: &Pool) -> (i64, i64) {
    let sql =
        |column| format!("SELECT {column}::int8 FROM pg_stat_user_tables WHERE relname = 'job'");
    (rows::value(pool, &sql("seq_scan")).await, rows::value(pool, &sql("idx_tup_fetch")).await)
}

/// A session whose reading is in the statistics once it is over.
pub(crate) async fn session(store: &TestStore) -> Pool {
    let pool = connect(&store.servers.database_url(), 1).unwrap();
    rows::change(&pool, "SET max_parallel_workers_per_gather = 0").await;
    pool
}

/// Ends the session with one scan of the whole table, whose count tells that the others,
/// had there been any, are counted too.
pub(crate) async fn mark_the_end(pool: Pool) {
    for way in ["indexscan", "indexonlyscan", "bitmapscan"] {
        rows::change(&pool, &format!("SET enable_{way} = off")).await;
    }
    rows::value::<i64>(&pool, "SELECT count(*) FROM job").await;
    pool.close().await;
}

#[tokio::test]
async fn no_step_of_the_ledger_reads_finished_jobs() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::change(&store.pool, FINISHED).await;
    // First as right after a bulk load, then with statistics.
    for analyzed in [false, true] {
        if analyzed {
            rows::change(&store.pool, "ANALYZE job").await;
        }
        let job = store.enqueue(&school).await;
        // By its id: a scan for it might be counted late, among those of the steps.
        let age = "UPDATE job SET delivered_at = now() - interval '1 day'";
        rows::change(&store.pool, &format!("{age} WHERE id = '{job}'")).await;
        let (scans, tuples) = read(&store.pool).await;
        let busy = session(&store).await;
        // Often enough for the generic plans of prepared statements too.
        for _ in 0..8 {
            jobs::fail_exhausted(&busy).await.unwrap();
            jobs::take_due(&busy, Duration::from_hours(2), 1000).await.unwrap();
            let claimed = jobs::claim(&busy, job, "w", LONG).await.unwrap().unwrap();
            jobs::enqueue(&busy, &new_sync(&school), None).await.unwrap();
            assert!(jobs::claim_next(&busy, Lane::Bulk, "w", LONG).await.unwrap().is_none());
            jobs::heartbeat(&busy, claimed.lease, LONG).await.unwrap();
            jobs::release(&busy, claimed.lease).await.unwrap();
            let claimed = jobs::claim_next(&busy, Lane::Bulk, "w", LONG).await.unwrap().unwrap();
            jobs::release(&busy, claimed.lease).await.unwrap();
        }
        mark_the_end(busy).await;
        let (scans_after, tuples_after) = eventually("the last scan is counted", async || {
            Some(read(&store.pool).await).filter(|(after, _)| *after > scans)
        })
        .await;
        assert_eq!(scans_after - scans, 1, "a step scanned the whole table; analyzed: {analyzed}");
        let read = tuples_after - tuples;
        assert!(read < 2000, "{read} rows were read for one living job; analyzed: {analyzed}");
        rows::change(&store.pool, &format!("DELETE FROM job WHERE id = '{job}'")).await;
    }
}

#[tokio::test]
async fn the_figures_read_no_history() {
    let store = TestStore::start().await;
    let school = store.school("oak").await;
    rows::change(&store.pool, FINISHED).await;
    while figures::fill_periods(&store.pool).await.unwrap() > 0 {}
    let job = store.enqueue(&school).await;
    store.claim(job).await;
    for analyzed in [false, true] {
        if analyzed {
            rows::change(&store.pool, "ANALYZE job").await;
        }
        let (scans, tuples) = read(&store.pool).await;
        let busy = session(&store).await;
        for _ in 0..8 {
            let figures = figures::read(&busy).await.unwrap();
            assert!(figures.ended.iter().all(|(_, _, count)| *count < 1.0), "{figures:?}");
            figures::now(&busy).await.unwrap();
        }
        mark_the_end(busy).await;
        let (scans_after, tuples_after) = eventually("the last scan is counted", async || {
            Some(read(&store.pool).await).filter(|(after, _)| *after > scans)
        })
        .await;
        assert_eq!(scans_after - scans, 1, "the whole table was scanned; analyzed: {analyzed}");
        let read = tuples_after - tuples;
        assert!(read < 2000, "{read} rows were read for one living job; analyzed: {analyzed}");
    }
}
